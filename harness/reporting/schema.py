"""The published JSON schema of an entry. `python -m harness.reporting.schema` writes ``entry.schema.json`` again."""

from __future__ import annotations

import json
from pathlib import Path

from harness.grading.entry import Entry

FILE = Path(__file__).parent / "entry.schema.json"


def entry_schema() -> str:
    """The schema, made from `Entry`: what ``--json`` writes, one for each submission."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Entry.model_json_schema(),
        "title": "An entry: the record of one grading",
    }
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(entry_schema(), encoding="utf-8")
