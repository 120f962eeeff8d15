"""Classroom 50's result.json ("classroom50/result/v1"), and what its runner hands over of a submission.

See "The result.json contract" in https://github.com/foundation50/classroom50/wiki/Advanced-Autograding
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import UsageError
from harness.grading.entry import Entry
from harness.points import Mark
from harness.reporting.outcomes import Fault, Outcome, label, main_scores, score_text
from harness.text import printable, shortened

_SECOND = "%Y-%m-%dT%H:%M:%SZ"
_LONGEST_OUTPUT = 2000
_MOST_TESTS = 20


@dataclass(frozen=True)
class Handed:
    """A submission as the runner knows it; the names are those of the result.

    Attributes:
        datetime: when it was handed in, by the time in its tag; the same in every regrade.
    """

    classroom: str
    assignment: str
    assignment_type: str
    owner: str
    submission: str
    commit: str
    release: str
    review: str
    datetime: str

    @classmethod
    def over(cls, environment: Mapping[str, str]) -> Handed:
        """What stands in the environment of the runner's autograder.

        Raises:
            UsageError: a variable is missing or is not what the runner sets.
        """

        def first(*names: str, default: str = "") -> str:
            found = next((environment[name].strip() for name in names if environment.get(name, "").strip()), default)
            if not found:
                raise UsageError(
                    f"--classroom: the environment has no {names[0]}, which Classroom 50's runner sets for its "
                    "autograder; outside of it, leave --classroom out"
                )
            return found

        tag = first("SUBMISSION_TAG")
        time = re.search(r"(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z", tag)
        when = f"{time[1]}T{time[2]}:{time[3]}:{time[4]}Z" if time else ""
        if not tag.startswith("submit/") or not _is_time(when):
            raise UsageError(
                f"--classroom: SUBMISSION_TAG is {tag!r}, and should be such as submit/2026-06-01T14-32-05Z-a1b2c3d"
            )
        return cls(
            classroom=first("CLASSROOM"),
            assignment=first("ASSIGNMENT"),
            assignment_type=first("ASSIGNMENT_TYPE", default="individual"),
            owner=first("OWNER", "USERNAME"),
            submission=tag,
            commit=first("COMMIT_URL"),
            release=first("RELEASE_URL"),
            review=first("REVIEW_URL", "COMMIT_URL"),
            datetime=when,
        )


def refuse_parts_of_points(marks: list[Mark]) -> None:
    """Make sure that the points to be had are whole, since the scores of Classroom 50 are.

    Raises:
        UsageError: they are not.
    """
    odd = next((mark for mark in marks if mark.max_points != int(mark.max_points)), None)
    if odd:
        raise UsageError(
            f"--classroom: Classroom 50 takes whole points, and the card gives {odd.max_points:g} for {odd.name!r}; "
            "make those of its [points] whole"
        )


def classroom50(outcome: Outcome, handed: Handed, now: datetime.datetime) -> str:
    """The result of one submission, as JSON. Where the harness failed it has no tests, and the score is 0 of 0.

    Args:
        outcome: the points to be had have to be whole; those earned are rounded.
        handed: what the runner handed over.
        now: when this result is made; it moves with every regrade.
    """
    tests = [] if isinstance(outcome, Fault) else _tests(outcome)
    result = {
        "schema": "classroom50/result/v1",
        **vars(handed),
        "graded_at": now.astimezone(datetime.UTC).strftime(_SECOND),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }
    return json.dumps(result, indent=2, allow_nan=False) + "\n"


def _tests(entry: Entry) -> list[dict[str, Any]]:
    said = entry.reason or "; ".join(score_text(*score) for score in main_scores(entry.scores, entry.metric))
    return [
        {
            "test-name": label(mark.name),
            "passed": mark.reached,
            "score": min(round(mark.points), int(mark.max_points)),
            "max-score": int(mark.max_points),
            "output": printable(shortened(said, _LONGEST_OUTPUT)),
        }
        for mark in entry.marks[:_MOST_TESTS]
    ]


def _is_time(text: str) -> bool:
    try:
        datetime.datetime.strptime(text, _SECOND)
    except ValueError:
        return False
    return True
