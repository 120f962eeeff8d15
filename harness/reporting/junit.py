"""Outcomes as JUnit XML, as GitLab, Jenkins and others read it; valid by the strictest of its schemas (windyroad's).

Each submission is a suite. Its first case is whether it could be graded; then come what ``--require`` asks for, and the
points. Points that were not earned are skipped, not failed: a build is not broken for want of the best band.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from harness.benchmark import BANDS
from harness.grading.entry import Entry
from harness.reporting.outcomes import Fault, Outcome, label, main_scores, score_text, verdict
from harness.text import first_line, printable, shortened

_LONGEST_MESSAGE, _LONGEST_TEXT = 1000, 20_000
_MOST_CASES = 20


@dataclass(frozen=True)
class _Case:
    name: str
    result: Literal["passed", "failure", "error", "skipped"]
    message: str = ""
    text: str = ""


def junit(outcomes: Sequence[Outcome], required: str | None = None) -> str:
    """A suite for each outcome.

    Args:
        outcomes: in the order in which they are shown.
        required: the band that ``--require`` asks for.
    """
    suites = ElementTree.Element("testsuites")
    for number, outcome in enumerate(outcomes):
        _add_suite(suites, number, outcome, required)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _cases(outcome: Outcome, required: str | None) -> Iterator[_Case]:
    if isinstance(outcome, Fault):
        yield _Case("graded", "error", "the harness, its data or the machine failed", outcome.reason)
        return
    graded = outcome.status == "graded"
    yield (
        _Case("graded", "passed") if graded else _Case("graded", "failure", outcome.reason or "", outcome.reason or "")
    )
    if required:
        reached = outcome.band in BANDS and BANDS.index(outcome.band) >= BANDS.index(required)
        yield _Case(f"required: {required}", "passed" if reached else "failure", "" if reached else verdict(outcome))
    for mark in outcome.marks[:_MOST_CASES]:
        yield _Case(mark.name, "passed") if mark.reached else _Case(mark.name, "skipped", mark.worth)


def _add_suite(suites: ElementTree.Element, number: int, outcome: Outcome, required: str | None) -> None:
    cases = list(_cases(outcome, required))
    entry = outcome if isinstance(outcome, Entry) else None
    name, seconds = label(outcome.name), f"{max(0.0, entry.seconds.total if entry else 0):.3f}"
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        {
            "package": "harness",
            "id": str(number),
            "name": name,
            "timestamp": _timestamp(entry.date if entry else ""),
            "hostname": "localhost",
            "tests": str(len(cases)),
            "failures": str(sum(case.result == "failure" for case in cases)),
            "errors": str(sum(case.result == "error" for case in cases)),
            "skipped": str(sum(case.result == "skipped" for case in cases)),
            "time": seconds,
        },
    )
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in (("id", entry.id), ("board", entry.board), ("isolation", entry.isolation)) if entry else ():
        ElementTree.SubElement(properties, "property", {"name": key, "value": label(value)})
    for case in cases:
        time = seconds if case.name == "graded" else "0"
        element = ElementTree.SubElement(suite, "testcase", {"name": label(case.name), "classname": name, "time": time})
        if case.result != "passed":
            _add_result(element, case)
    scores = main_scores(entry.scores, entry.metric) if entry else []
    ElementTree.SubElement(suite, "system-out").text = "\n".join(
        [*(score_text(*score) for score in scores), *(_text(each) for each in (entry.mistakes if entry else ())[:10])]
    )
    ElementTree.SubElement(suite, "system-err").text = _text(entry.log_tail if entry else "", keep="end")


def _add_result(element: ElementTree.Element, case: _Case) -> None:
    message = printable(first_line(shortened(case.message, _LONGEST_MESSAGE))) or case.result
    kind = {} if case.result == "skipped" else {"type": case.result}
    ElementTree.SubElement(element, case.result, {"message": message, **kind}).text = _text(case.text)


def _timestamp(date: str) -> str:
    """The date of an entry without its zone, which the schema does not take; of what is not one, now."""
    try:
        when = datetime.datetime.fromisoformat(date)
    except ValueError:
        when = datetime.datetime.now(datetime.UTC)
    return when.replace(tzinfo=None).isoformat(timespec="seconds")


def _text(text: str, keep: Literal["start", "end"] = "start") -> str:
    return printable(shortened(text, _LONGEST_TEXT, keep=keep))
