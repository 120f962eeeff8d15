"""Gradescope's results.json: https://gradescope-autograders.readthedocs.io/en/latest/specs/

Where the harness, its data or the machine failed there is no score and no test, so that Gradescope reports that the
autograder failed, and no student gets 0 for it. Where held-out faces are secret, students see the score alone; the
rest is for the teacher ("hidden").
"""

from __future__ import annotations

import json
from typing import Any

from harness.grading.entry import Entry, Stratum
from harness.points import Mark
from harness.reporting.markdown import failure, feedback, groups_line, score_lines
from harness.reporting.markdown_text import prose
from harness.reporting.outcomes import NOT_ITS_FAULT, Fault, Outcome, label, main_scores, score_text, verdict

_MOST = 20


def gradescope(outcome: Outcome) -> str:
    """The results of one submission, as JSON."""
    results = _without_score() if isinstance(outcome, Fault) else _results(outcome)
    return json.dumps(results, indent=2, allow_nan=False) + "\n"


def _without_score() -> dict[str, Any]:
    # Why is for the teacher, who finds it in the output of the autograder.
    return {"output": f"{NOT_ITS_FAULT} Please tell your teacher.", "stdout_visibility": "hidden"}


def _results(entry: Entry) -> dict[str, Any]:
    secret = entry.held_out == "secret"
    shown = "hidden" if secret else "visible"
    scores = main_scores(entry.scores, entry.metric)[: 1 if secret else None]
    about = failure(entry) if entry.status == "failed" else ["", *(f"- {score_text(*each)}" for each in scores)]
    tests = [_test(mark) for mark in entry.marks[:_MOST]]
    tests += [_stratum(*item, entry.metric, shown) for item in list(entry.strata.items())[:_MOST]]
    if advice := feedback(entry):
        tests.append(_about("What is wrong, and what to try next", advice, visibility=shown))
    if entry.flags:
        tests.append(_about("Worth a look", [f"- {prose(flag)}" for flag in entry.flags[:_MOST]], visibility="hidden"))
    results: dict[str, Any] = {
        "execution_time": max(0.0, round(entry.seconds.total, 2)),
        "output": _text([f"**{verdict(entry)}**", *about]),
        "output_format": "md",
        "test_output_format": "md",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "leaderboard": [
            {
                "name": f"{metric.title} ({metric.unit})" if metric.unit else metric.title,
                "value": round(score.value, 4),
                "order": "asc" if metric.better == "lower" else "desc",
            }
            for metric, score in scores
        ],
        "extra_data": {"entry": label(entry.id)},
    }
    return results if entry.points is None else {"score": entry.points, **results}


def _test(mark: Mark) -> dict[str, Any]:
    return {
        "name": label(mark.name),
        "score": mark.points,
        "max_score": mark.max_points,
        "status": "passed" if mark.reached else "failed",
        "output": mark.worth,
        "visibility": "visible",
    }


def _about(name: str, lines: list[str], *, visibility: str) -> dict[str, Any]:
    """A test that is worth nothing and says something."""
    return _test(Mark(name, 0, 0, True)) | {"output": _text(lines), "visibility": visibility}


def _stratum(name: str, stratum: Stratum, ranked_by: str, visibility: str) -> dict[str, Any]:
    lines = [*score_lines(stratum.scores, ranked_by), *groups_line(stratum.groups)]
    title = f"{name}: {stratum.images:,} faces of {stratum.subjects:,} subjects"
    return _about(title, lines, visibility=visibility)


def _text(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n") + "\n"
