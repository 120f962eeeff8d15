"""What the views of an entry are checked against, and entries to view."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
from lxml import etree
from markdown_it import MarkdownIt

from harness.estimates import Estimate
from harness.grading.entry import Entry, Stratum
from harness.points import Mark
from harness.reporting.annotations import workflow_commands
from harness.reporting.classroom50 import Handed, classroom50
from harness.reporting.gradescope import gradescope
from harness.reporting.junit import junit
from harness.reporting.markdown import markdown
from harness.reporting.outcomes import Outcome
from support.entries import entry

RUNNER = {
    "CLASSROOM": "vision",
    "ASSIGNMENT": "faces",
    "ASSIGNMENT_TYPE": "individual",
    "OWNER": "ana",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://github.com/course/vision-faces-ana/commit/a1b2c3d",
    "RELEASE_URL": "https://github.com/course/vision-faces-ana/releases/tag/submit%2F2026-06-01T14-32-05Z-a1b2c3d",
    "REVIEW_URL": "https://github.com/course/vision-faces-ana/compare/0000000...a1b2c3d",
}
"""The environment of an autograder of Classroom 50."""

_VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
_STRING = {"type": "string"}
_FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
GRADESCOPE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        **dict.fromkeys(("output_format", "test_output_format", "test_name_format"), _FORMAT),
        **dict.fromkeys(("visibility", "stdout_visibility"), _VISIBILITY),
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    **dict.fromkeys(("name", "number", "output"), _STRING),
                    **dict.fromkeys(("name_format", "output_format"), _FORMAT),
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": _VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
        "leaderboard": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "value"],
                "properties": {
                    "name": {"type": "string"},
                    "value": {"type": ["number", "string"]},
                    "order": {"enum": ["asc", "desc"]},
                },
            },
        },
    },
}
"""results.json as https://gradescope-autograders.readthedocs.io/en/latest/specs/ describes it; there is no schema."""


def graded(**changes: object) -> Entry:
    """An entry of one that reached the second of three bands."""
    scores = {"mean_pixel_error": Estimate(1.47, 1.40, 1.55), "rmse": Estimate(1.21, 1.10, 1.33)}
    parts = {"eyes": Estimate(1.2, 1.1, 1.3), "mouth": Estimate(1.9, 1.7, 2.0)}
    stratum = Stratum(images=244, points=3660, subjects=54, scores=scores, groups=parts, keypoints={})
    marks = [Mark("ok", 10, 10, True), Mark("very good", 5, 5, True), Mark("outstanding", 0, 5, False)]
    return entry(
        "model",
        1.47,
        **{
            "author": "ana",
            "scores": scores,
            "band": "very_good",
            "points": 15.0,
            "max_points": 20.0,
            "marks": marks,
            "strata": {"full": stratum, "partial": stratum},
            "mistakes": ["Left and right look exchanged."],
            "advice": ["Mirrored images are off: flip=0.5 doubles the faces it sees."],
            "flags": ["It may know the held-out faces."],
            "trained": "here",
            **changes,
        },
    )


def failed(**changes: object) -> Entry:
    """An entry of one that broke."""
    marks = [Mark("ok", 0, 10, False), Mark("very good", 0, 5, False), Mark("outstanding", 0, 5, False)]
    about: dict[str, Any] = {"points": 0.0, "max_points": 20.0, "marks": marks, "log_tail": "one\nTypeError: two"}
    return entry("model", None, **{"author": "ana", "reason": "it broke\nin line 3", **about, **changes})


def result50(outcome: Outcome, at: str = "2026-06-02T10:00:00+00:00") -> str:
    """Classroom 50's result, made at this time."""
    return classroom50(outcome, Handed.over(RUNNER), datetime.datetime.fromisoformat(at))


def every_view(outcome: Outcome) -> dict[str, str]:
    """Name -> text."""
    return {
        "junit": junit([outcome], "ok"),
        "markdown": markdown([outcome]),
        "a table": markdown([outcome, outcome]),
        "gradescope": gradescope(outcome),
        "classroom50": result50(outcome),
        "annotations": "\n".join(workflow_commands([outcome])),
    }


def check_junit(text: str, formats: Path | None) -> etree._Element:
    """The suites, by windyroad's schema where it is here."""
    root = etree.fromstring(text.encode())
    if formats:
        etree.XMLSchema(etree.parse(formats / "JUnit.xsd")).assertValid(root)
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases)
        for counted, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(counted)) == sum(case.find(kind) is not None for case in cases)
    return root


def check_gradescope(text: str) -> dict[str, Any]:
    """The results, by Gradescope's documentation."""
    results: dict[str, Any] = json.loads(text)
    jsonschema.validate(results, GRADESCOPE)
    return results


def check_classroom50(text: str, formats: Path | None) -> dict[str, Any]:
    """The result, by the schema of Classroom 50 where it is here, and by the rules that a schema cannot express."""
    result: dict[str, Any] = json.loads(text)
    if formats:
        jsonschema.validate(result, json.loads((formats / "classroom50-result-v1.schema.json").read_text()))
    for part in (result, *result["tests"]):
        assert part["score"] <= part["max-score"]
    assert result["score"] == sum(test["score"] for test in result["tests"])
    assert (result["classroom"], result["assignment"], result["owner"]) == ("vision", "faces", "ana")
    return result


def check_markdown(text: str) -> str:
    """What a comment shows outside of code: text and tables, no markup of others, no link, and nobody is mentioned."""
    assert len(text.encode()) < 2**16
    shown = []
    tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(text)
    for token in (each for block in tokens for each in (block, *(block.children or []))):
        assert token.type not in ("html_block", "html_inline", "link_open", "image"), (token.type, token.content)
        if token.type == "text":
            shown.append(token.content)
            assert not re.search(r"@|://|www\.|#\w", token.content), token.content
    return "\n".join(shown)


def check_annotations(text: str) -> list[tuple[str, str, str]]:
    """(level, title, message) of each command, read as GitHub's runner does."""
    lines = text.split("\n")
    assert len(lines) < 10
    return [_read_command(line) for line in lines]


def _read_command(line: str) -> tuple[str, str, str]:
    level, title, message = re.fullmatch(r"::(error|warning|notice) title=([^:,]*)::(.*)", line).groups()
    return level, _unescaped(title), _unescaped(message)


def _unescaped(text: str) -> str:
    for sign in "\r\n:,":
        text = text.replace(f"%{ord(sign):02X}", sign)
    return text.replace("%25", "%")
