"""A board's rows as files for other programs: CSV for a spreadsheet, JSON, Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from harness.benchmark import band_in_words
from harness.board.statistics import Statistics
from harness.board.table import HEADER, Row
from harness.metrics import METRICS
from harness.reporting.board_words import p_text
from harness.reporting.markdown_text import cell, code, prose
from harness.text import first_line

_INTERNAL = ("shares",)


def board_csv(rows: Sequence[Row]) -> str:
    """Rows in the columns of a board's CSV, with the mark without which Excel takes UTF-8 for an old encoding."""
    return "".join(["\ufeff", HEADER, *(row.standing() + row.line() for row in rows)])


def board_json(name: str, ranked_by: str, rows: Sequence[Row], sentences: Sequence[str], statistics: Statistics) -> str:
    """Rows, what differences between them mean, and the statistics of the whole board."""
    bands = {band or "below ok": count for band, count in statistics.bands.items()}
    table = {
        "board": name,
        "ranked_by": ranked_by,
        "rows": [{key: each for key, each in asdict(row).items() if key not in _INTERNAL} for row in rows],
        "on_chance": list(sentences),
        "statistics": asdict(statistics) | {"bands": bands},
    }
    return json.dumps(table, indent=2) + "\n"


def board_markdown(name: str, ranked_by: str, rows: Sequence[Row], sentences: Sequence[str]) -> str:
    """Rows as a table, then what differences between them mean."""
    metric = METRICS[ranked_by]
    lines = [
        f"### {prose(name)}",
        "",
        f"| rank | tie group | submission | {metric.title} | p above | p best | band |",
        "| ---: | ---: | --- | --- | ---: | ---: | --- |",
    ]
    for row in rows:
        if row.status == "graded":
            shown = [row.rank or "", row.tie_group or "", code(row.name), metric.interval(row.scores[ranked_by])]
            shown += [p_text(row.p_above), p_text(row.p_best), band_in_words(row.band)]
        else:
            shown = ["", "", code(row.name), f"failed: {code(first_line(row.reason or ''))}", "", "", ""]
        lines.append(f"| {' | '.join(cell(str(each)) for each in shown)} |")
    return "\n".join([*lines, "", *(f"- {prose(sentence)}" for sentence in sentences)]).rstrip() + "\n"
