"""The published JSON schema of an entry."""

from __future__ import annotations

import json

import jsonschema
import pytest
from support.entries import entry
from support.tiny import REPOSITORY
from support.views import failed, graded

from harness.grading.entry import Entry
from harness.reporting.schema import FILE, entry_schema


def test_the_schema_is_that_of_the_entry() -> None:
    assert FILE.read_text() == entry_schema(), "run `python -m harness.reporting.schema`"
    jsonschema.Draft202012Validator.check_schema(json.loads(entry_schema()))


def test_every_shipped_entry_keeps_it() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(FILE.read_text()))
    entries = sorted((REPOSITORY / "leaderboard" / "entries").glob("*/*.json"))

    assert len(entries) > 50
    assert [
        (path.name, error.message) for path in entries for error in validator.iter_errors(json.loads(path.read_text()))
    ] == []


@pytest.mark.parametrize("made", [graded(), failed(), entry("old", 1.0)], ids=["graded", "failed", "of version 0.1"])
def test_an_entry_keeps_it_and_one_without_a_promised_key_does_not(made: Entry) -> None:
    schema, record = json.loads(FILE.read_text()), json.loads(made.to_json())
    jsonschema.validate(record, schema)

    for key in ("id", "submission", "benchmark", "status", "isolation", "device", "seconds", "fingerprints"):
        with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required property"):
            jsonschema.validate({name: value for name, value in record.items() if name != key}, schema)
