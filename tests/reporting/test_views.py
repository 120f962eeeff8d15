"""The views of an entry that other tools read: by their schemas, and whatever a competitor wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from support.entries import entry
from support.views import (
    RUNNER,
    check_annotations,
    check_classroom50,
    check_gradescope,
    check_junit,
    check_markdown,
    every_view,
    failed,
    graded,
    result50,
)

from harness.errors import UsageError
from harness.estimates import Estimate
from harness.grading.entry import Entry, Seconds
from harness.points import Mark
from harness.reporting.annotations import workflow_commands
from harness.reporting.classroom50 import Handed, refuse_parts_of_points
from harness.reporting.gradescope import gradescope
from harness.reporting.junit import junit
from harness.reporting.markdown import markdown
from harness.reporting.outcomes import Fault, Outcome

FAULT = Fault("ana/model", "/srv/faces/training.csv: is missing")
OUTCOMES = {
    "graded": graded(),
    "failed": failed(),
    "a fault of ours": FAULT,
    "of version 0.1": entry("old", 2.0),
    "of another time": graded(date="0001-01-01T00:00:00+14:00", seconds=Seconds(total=-1e30, training=0)),
}

HOSTILE = {
    "markup": "</system-out></details><script>alert(1)</script><img src=x onerror=alert(1)>&amp;\"'",
    "the end of a section": "a ]]> b <![CDATA[ c <!-- d -->",
    "workflow commands": "::error::mine\n ::set-output name=a::b\n##[error]mine\r::stop-commands::x%0A::error::y",
    "fences": "```\n````\n~~~\n</details>\n# big\n- [ ] a\n| a | b |\n|---|---|\n",
    "links": "@octocat #1 https://evil.example www.evil.org [a](javascript:b) ![c](//d) <http://e> GH-1 a@b.org",
    "all signs": "\\`*_[]<>|~&!#${}" * 100,
    "turned and hidden": "\u202eevil\u202c\u2066\u200b\u200f\ufeff\u00ad",
    "not text": "\0\x01\x1b[31m\x7f\x85\u2028\ud800\udfff\ufffe\uffff",
    "a megabyte": "x" * 2**20,
    "a megabyte of lines": "``|\n" * 2**18,
    "nothing": "",
    "blanks": " \t\n ",
}


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_junit_is_valid_by_its_schema(outcome: Outcome, formats: Path) -> None:
    check_junit(junit([outcome]), formats)
    check_junit(junit([outcome, FAULT, outcome], "ok"), formats)


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_a_result_of_classroom_50_is_valid_by_its_schema(outcome: Outcome, formats: Path) -> None:
    check_classroom50(result50(outcome), formats)


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_results_for_gradescope_are_as_its_documentation_says(outcome: Outcome) -> None:
    check_gradescope(gradescope(outcome))


def _hostile(kind: Any, text: str) -> Any:
    """A value of the type of a field of an entry with this text wherever it can hold text."""
    parts = get_args(kind)
    if kind is str or kind is Any:
        return text
    if kind is Mark:
        return Mark(text, 1, 2, True)
    if isinstance(kind, type) and hasattr(kind, "model_fields"):
        return kind.model_construct(
            **{name: _hostile(each.annotation, text) for name, each in kind.model_fields.items()}
        )
    if kind is Estimate:
        return Estimate(1.5, 1, 2)
    match get_origin(kind):
        case origin if origin is list:
            return [_hostile(parts[0], text)] * 100
        case origin if origin is dict:
            value = _hostile(parts[1], text)
            return {f"{text}{number or ''}": value for number in range(30)}
    return text if str in parts else 1


def _entries_of(text: str) -> list[Outcome]:
    """Entries with this text in every field, as nobody can record them: a graded and a failed one, and a fault."""
    values = {name: _hostile(field.annotation, text) for name, field in Entry.model_fields.items()}
    kept = {
        "metric": "rmse",
        "scores": {"rmse": Estimate(1, 1, 2), text: Estimate(1, 1, 2)},
        "seconds": entry("a", 1).seconds,
    }
    return [
        Entry.model_construct(**values | kept | {"status": "graded"}),
        Entry.model_construct(**values | kept | {"status": "failed"}),
        Fault(text, text),
    ]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_competitor_wrote_shows_as_text_in_every_view(text: str, formats_here: Path | None) -> None:
    for outcome in _entries_of(text):
        views = every_view(outcome)

        check_junit(views["junit"], formats_here)
        check_classroom50(views["classroom50"], formats_here)
        results = check_gradescope(views["gradescope"])
        for output in (results["output"], *(test["output"] for test in results.get("tests", []))):
            check_markdown(output)
        check_markdown(views["markdown"])
        check_markdown(views["a table"])
        check_annotations(views["annotations"])
        for name, view in views.items():
            shown = view if name != "junit" else re.sub("&#?[a-z0-9]+;", "", view)
            assert not re.search(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]|[\u200b-\u200f\u202a-\u202e\u2066-\u2069]", shown), (
                name
            )
            assert len(view.encode()) < 2**18, name
            if name != "annotations":
                assert not re.search(r"(?m)^\s*::|##\[", "\n".join(_strings(view))), name


def _strings(view: str) -> list[str]:
    """The texts of a JSON, which a program may print; of anything else the text itself."""
    if not view.startswith("{"):
        return [view]

    def texts(value: Any) -> list[str]:
        if isinstance(value, dict | list):
            return [text for each in (value.values() if isinstance(value, dict) else value) for text in texts(each)]
        return [value] if isinstance(value, str) else []

    return texts(json.loads(view))


def test_gradescope_shows_points_strata_and_a_leaderboard() -> None:
    results = check_gradescope(gradescope(graded()))

    assert results["score"] == 15 and results["execution_time"] == 2
    assert [(test["name"], test["score"], test["max_score"], test["status"]) for test in results["tests"]] == [
        ("ok", 10, 10, "passed"),
        ("very good", 5, 5, "passed"),
        ("outstanding", 0, 5, "failed"),
        ("full: 244 faces of 54 subjects", 0, 0, "passed"),
        ("partial: 244 faces of 54 subjects", 0, 0, "passed"),
        ("What is wrong, and what to try next", 0, 0, "passed"),
        ("Worth a look", 0, 0, "passed"),
    ]
    assert "eyes 1.20, mouth 1.90" in results["tests"][3]["output"]
    assert [(test["name"]) for test in results["tests"] if test["visibility"] == "hidden"] == ["Worth a look"]
    assert results["leaderboard"] == [
        {"name": "mean pixel error (px)", "value": 1.47, "order": "asc"},
        {"name": "rmse (px)", "value": 1.21, "order": "asc"},
    ]


def test_of_secret_faces_a_student_sees_the_score_alone() -> None:
    results = check_gradescope(gradescope(graded(held_out="secret")))

    seen = [results["output"], *(test["output"] for test in results["tests"] if test["visibility"] == "visible")]
    assert seen == [
        "**very good, 15 of 20 points**\n\n- mean pixel error 1.47 px [1.40, 1.55]\n",
        *("10 of 10 points", "5 of 5 points", "0 of 5 points"),
    ]
    assert [each["name"] for each in results["leaderboard"]] == ["mean pixel error (px)"]
    assert results["stdout_visibility"] == "hidden"


def test_a_failure_is_worth_nothing_and_says_why() -> None:
    results = check_gradescope(gradescope(failed()))

    assert results["score"] == 0 and results["leaderboard"] == []
    assert "it broke\nin line 3" in results["output"] and "TypeError: two" in results["output"]
    assert {test["status"] for test in results["tests"]} == {"failed"}


def test_nobody_gets_a_score_or_our_paths_for_a_fault_of_ours(formats_here: Path | None) -> None:
    results, result = check_gradescope(gradescope(FAULT)), check_classroom50(result50(FAULT), formats_here)

    assert "score" not in results and "tests" not in results
    assert "the submission is not to blame" in results["output"] and "/srv" not in json.dumps([results, result])
    assert (result["score"], result["max-score"], result["tests"]) == (0, 0, [])


def test_a_regrade_keeps_the_time_of_the_submission(formats_here: Path | None) -> None:
    first, again = (
        check_classroom50(result50(graded(), f"2026-06-0{day}T12:00:00+02:00"), formats_here) for day in (2, 3)
    )

    assert first["datetime"] == again["datetime"] == "2026-06-01T14:32:05Z"
    assert (first["graded_at"], again["graded_at"]) == ("2026-06-02T10:00:00Z", "2026-06-03T10:00:00Z")
    assert (first["score"], first["max-score"]) == (15, 20)


def test_parts_of_points_are_rounded_but_never_above_what_is_to_be_had(formats_here: Path | None) -> None:
    result = check_classroom50(
        result50(graded(marks=[Mark("a", 12.6, 20, True), Mark("b", 0.4, 1, True)])), formats_here
    )

    assert [(test["score"], test["max-score"]) for test in result["tests"]] == [(13, 20), (0, 1)]
    with pytest.raises(UsageError, match=r"takes whole points, and the card gives 2.5 for 'ok'; make those"):
        refuse_parts_of_points([Mark("ok", 0, 2.5, False)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"CLASSROOM": ""}, "the environment has no CLASSROOM, which Classroom 50's runner sets"),
        ({"OWNER": ""}, "the environment has no OWNER"),
        ({"SUBMISSION_TAG": "v1"}, "SUBMISSION_TAG is 'v1', and should be such as submit/"),
        ({"SUBMISSION_TAG": "submit/2026-99-01T14-32-05Z-a"}, "SUBMISSION_TAG is"),
    ],
)
def test_what_the_runner_does_not_hand_over_is_named(changes: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Handed.over(RUNNER | changes)


def test_what_the_runner_may_leave_out_has_a_default() -> None:
    left_out = {"ASSIGNMENT_TYPE": "", "REVIEW_URL": "", "OWNER": "", "USERNAME": "ben"}

    handed = Handed.over(RUNNER | left_out)

    assert (handed.assignment_type, handed.owner, handed.review) == ("individual", "ben", RUNNER["COMMIT_URL"])


def test_junit_fails_what_is_required_and_skips_what_was_not_earned(formats_here: Path | None) -> None:
    root = check_junit(junit([graded(), failed(), FAULT], "outstanding"), formats_here)

    kinds = [
        [(case.get("name"), case[0].tag if len(case) else "passed") for case in suite.iter("testcase")]
        for suite in root
    ]
    assert kinds == [
        [
            *(("graded", "passed"), ("required: outstanding", "failure")),
            *(("ok", "passed"), ("very good", "passed"), ("outstanding", "skipped")),
        ],
        [
            *(("graded", "failure"), ("required: outstanding", "failure")),
            *(("ok", "skipped"), ("very good", "skipped"), ("outstanding", "skipped")),
        ],
        [("graded", "error")],
    ]
    assert root[1].find("testcase/failure").text == "it broke\nin line 3"
    assert "required" not in junit([graded()])


def test_markdown_says_what_came_of_it_and_what_to_do() -> None:
    shown = check_markdown(markdown([graded()]))

    for words in (": very good, 15 of 20 points", "1.47 px", "eyes 1.20", "exchanged", "flip=0.5", "know the held-out"):
        assert words in shown
    assert "it broke\nin line 3" in markdown([failed()]) and "the submission is not to blame" in markdown([FAULT])


def test_markdown_of_a_class_is_a_table_that_fits_a_comment() -> None:
    text = markdown([graded(submission="s" * 80), failed(), FAULT] * 500)

    shown = check_markdown(text)
    assert "500 of 1500 submissions graded" in shown
    left_out = re.search(r"(\d+) more do not fit in here", shown)
    assert left_out and int(left_out[1]) == 1500 - text.count("\n| `")


@pytest.mark.parametrize(("failures", "errors"), [(1, 2), (7, 8), (8, 8), (40, 8)])
def test_annotations_are_fewer_than_ten_and_the_gravest_come_first(failures: int, errors: int) -> None:
    found = check_annotations("\n".join(workflow_commands([graded(), *[failed()] * failures, FAULT])))

    levels = [level for level, *_ in found]
    assert levels[:errors] == ["error"] * errors and "error" not in levels[errors:]
    assert found[0] == ("error", "ana/model: failed, 0 of 20 points", "it broke")
    assert ("more are not shown" in found[-1][2]) == (failures > 1)
