"""Outcomes as GitHub's workflow commands, which show them beside the log and on the pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.grading.entry import Entry
from harness.reporting.outcomes import Fault, Outcome, label, main_scores, score_text, verdict
from harness.text import first_line, one_line, printable, shortened

_MOST = 9
"""GitHub shows ten of a step."""
_LONGEST_TITLE, _LONGEST_MESSAGE = 200, 1000
_LEVELS = ("error", "warning", "notice")


def workflow_commands(outcomes: Sequence[Outcome]) -> list[str]:
    """A command a line, the gravest first; fewer than ten."""
    found = [each for outcome in outcomes for each in _of(outcome)]
    found.sort(key=lambda each: _LEVELS.index(each[0]))
    if len(found) > _MOST:
        more = len(found) - _MOST + 1
        found[_MOST - 1 :] = [("notice", "and more", f"{more} more are not shown here; the log has them")]
    return [
        f"::{level} title={_property(one_line(shortened(title, _LONGEST_TITLE)))}::"
        f"{_data(one_line(shortened(message, _LONGEST_MESSAGE)))}"
        for level, title, message in found
    ]


def _of(outcome: Outcome) -> Iterator[tuple[str, str, str]]:
    title = f"{label(outcome.name)}: {verdict(outcome)}"
    if isinstance(outcome, Fault) or outcome.status == "failed":
        yield "error", title, first_line(shortened(outcome.reason or "", _LONGEST_MESSAGE)) or "no reason was given"
    else:
        yield "notice", title, _scores(outcome)
    if isinstance(outcome, Entry):
        yield from (("warning", title, sentence) for sentence in (*outcome.mistakes, *outcome.flags))


def _scores(entry: Entry) -> str:
    return (
        "; ".join(score_text(metric, score) for metric, score in main_scores(entry.scores, entry.metric)) or "no scores"
    )


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
