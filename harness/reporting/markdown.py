"""Outcomes in Markdown: for a comment on a pull request, a step's summary, a chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.estimates import Estimate
from harness.grading.entry import Entry
from harness.reporting.markdown_text import block, cell, code, prose
from harness.reporting.outcomes import NOT_ITS_FAULT, Fault, Outcome, main_scores, score_text, verdict
from harness.text import first_line, shortened
from harness.units import format_seconds

_MOST = 60_000
"""Bytes; a comment on GitHub may have 65,536 characters."""
_LONGEST_NAME, _LONGEST_REASON, _LONGEST_LOG = 100, 4000, 8000
_MOST_ROWS, _MOST_SENTENCES = 20, 10


def markdown(outcomes: Sequence[Outcome]) -> str:
    """One outcome in full, or a table of several; less than 64 KB."""
    lines = _in_full(outcomes[0]) if len(outcomes) == 1 else _table(outcomes)
    return "\n".join(lines) + "\n"


def score_lines(scores: Mapping[str, Estimate], ranked_by: str) -> list[str]:
    """The main scores, a line each; none for a submission that failed."""
    return [f"- {score_text(metric, score)}" for metric, score in main_scores(scores, ranked_by)]


def feedback(entry: Entry) -> list[str]:
    """What is wrong, and what to try next."""
    return [*_section("What is wrong", entry.mistakes), *_section("What to try next", entry.advice)]


def failure(entry: Entry) -> list[str]:
    """Why a submission failed, and what it printed last."""
    lines = ["", *block(shortened(entry.reason or "", _LONGEST_REASON))]
    if entry.log_tail.strip():
        lines += [
            "",
            "The last lines that it printed:",
            "",
            *block(shortened(entry.log_tail, _LONGEST_LOG, keep="end")),
        ]
    return lines


def _marks_table(entry: Entry) -> list[str]:
    """The points of an entry, one by one."""
    rows = [
        f"| {mark.points:g} | {mark.max_points:g} | {cell(prose(mark.name))} |" for mark in entry.marks[:_MOST_ROWS]
    ]
    return ["", "| points | of | for |", "| ---: | ---: | --- |", *rows] if rows else []


def groups_line(groups: Mapping[str, Estimate]) -> list[str]:
    """The mean pixel error of each part of the face, on one line."""
    parts = [
        f"{prose(shortened(name, _LONGEST_NAME))} {score.value:.2f}"
        for name, score in list(groups.items())[:_MOST_ROWS]
    ]
    return ["", f"Mean pixel error by part of the face: {', '.join(parts)}"] if parts else []


def _in_full(outcome: Outcome) -> list[str]:
    heading = f"### {code(outcome.name)}: {verdict(outcome)}"
    if isinstance(outcome, Fault):
        return [heading, "", NOT_ITS_FAULT, "", *block(shortened(outcome.reason, _LONGEST_REASON))]
    if outcome.status == "failed":
        return [heading, *failure(outcome), *_section("Worth a look", outcome.flags), *_how_it_ran(outcome)]
    return [
        *(heading, "", *score_lines(outcome.scores, outcome.metric)),
        *groups_line(next(iter(outcome.strata.values())).groups if outcome.strata else {}),
        *(*_marks_table(outcome), *feedback(outcome), *_section("Worth a look", outcome.flags)),
        *_how_it_ran(outcome),
    ]


def _how_it_ran(entry: Entry) -> list[str]:
    where = {"here": "trained here", "brought": "trained elsewhere", "nothing": "not trained"}.get(entry.trained)
    parts = [f"On {code(entry.board)}", where, format_seconds(entry.seconds.total)]
    return ["", f"{', '.join(filter(None, parts))}, isolation {code(entry.isolation)}."]


def _section(title: str, sentences: Sequence[str]) -> list[str]:
    return ["", f"**{title}**", "", *(f"- {prose(each)}" for each in sentences[:_MOST_SENTENCES])] if sentences else []


def _table(outcomes: Sequence[Outcome]) -> list[str]:
    graded = sum(isinstance(each, Entry) and each.status == "graded" for each in outcomes)
    lines = [f"### {graded} of {len(outcomes)} submissions graded", "", "| submission | result | score |"]
    lines.append("| --- | --- | --- |")
    room = _MOST - sum(len(line.encode()) + 1 for line in lines)
    for number, outcome in enumerate(outcomes):
        row = f"| {cell(code(outcome.name))} | {verdict(outcome)} | {cell(_in_a_cell(outcome))} |"
        room -= len(row.encode()) + 1
        if room < 0:
            return [*lines, "", f"{len(outcomes) - number} more do not fit in here."]
        lines.append(row)
    return lines


def _in_a_cell(outcome: Outcome) -> str:
    if isinstance(outcome, Entry) and outcome.status == "graded":
        return ", ".join(score_text(metric, score) for metric, score in main_scores(outcome.scores, outcome.metric)[:1])
    return code(first_line(shortened(outcome.reason or "", _LONGEST_REASON)))
