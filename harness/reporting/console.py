"""An entry as text for a terminal or a log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from harness.benchmark import BANDS, Benchmark
from harness.grading.entry import Entry, Score, Stratum
from harness.keypoints import KeypointLayout
from harness.units import format_bytes, format_seconds

_BAR = 24
_TAIL_LINES = 15
_ORIGINS = {
    "practice": "practice: anyone can draw these held-out faces; a teacher sets HARNESS_SECRET_SEED.",
    "secret": "secret: only who knows the seed can draw these held-out faces.",
}


def report(entry: Entry, benchmark: Benchmark) -> str:
    """What came of a grading: the score with its interval, where the error lies, what to try next."""
    if entry.status == "graded":
        band = (entry.band or "below ok").replace("_", " ")
        lines = [f"{entry.submission} on {entry.board}: {band}", *scores(entry.strata, benchmark, entry.mistakes)]
        lines += _section("What to try next", entry.advice)
    else:
        lines = [f"{entry.submission} on {entry.board}: FAILED", *_failure(entry)]
    lines += ["", f"  {_how_it_ran(entry)}"]
    if entry.held_out in _ORIGINS:
        lines.append(f"  {_ORIGINS[entry.held_out]}")
    if entry.isolation == "none":
        lines.append("  isolation: NONE. The submission could read whatever its user can; do not give marks for this.")
    return "\n".join(lines)


def line(entry: Entry) -> str:
    """An entry in one line, where many are graded."""
    if entry.status == "failed":
        return f"  {entry.name:<32}  failed: {first_line(entry.reason or '')}"
    band = (entry.band or "below ok").replace("_", " ")
    flagged = "  flagged" if entry.flags else ""
    return f"  {entry.name:<32}  {_interval(entry.scores['mean_pixel_error'])} px  {band}{flagged}"


def first_line(text: str) -> str:
    """The first line of a competitor's text, made harmless; empty if there is none."""
    return next(iter(plain(text).strip().splitlines()), "")


def scores(strata: Mapping[str, Stratum], benchmark: Benchmark, mistakes: list[str]) -> list[str]:
    """Lines with the headline's scores, the bands, where the error lies, the other strata and the known mistakes."""
    headline, *others = strata.items()
    lines = ["", *_headline(headline[1], benchmark), "", *_bars(headline[1], benchmark.layout)]
    lines += [""] if others else []
    for name, stratum in others:
        lines.append(
            f"  stratum {name}: {_interval(stratum.scores['mean_pixel_error'])} px on {stratum.points:,} points of "
            f"{stratum.images} faces"
        )
    return lines + _section("What is wrong", mistakes)


def board_table(name: str, entries: list[Entry], *, every: bool) -> str:
    """A board as a table: the best entry of each submission, or every entry."""
    if not every:
        # Entries come best first, so the first of each submission is its best.
        entries = list({entry.submission: entry for entry in reversed(entries)}.values())[::-1]
        entries.sort(key=lambda entry: (entry.ranking_value, entry.date))
    width = max([len("submission"), *(len(entry.submission) for entry in entries)])
    # A board ranks entries of one data set, so the first speaks for all.
    origin = [_ORIGINS[entry.held_out] for entry in entries[:1] if entry.held_out in _ORIGINS]
    heading = f"  rank  {'submission':<{width}}  mean pixel error     rmse   band         isolation  device"
    lines = [name, *origin, "", heading]
    for rank, entry in enumerate(entries, start=1):
        if entry.status == "graded":
            band = (entry.band or "below ok").replace("_", " ")
            lines.append(
                f"  {rank:>4}  {entry.submission:<{width}}  {_interval(entry.scores['mean_pixel_error']):<19}  "
                f"{entry.scores['rmse'].value:<6.2f} {band:<12} {entry.isolation:<10} {plain(entry.device)}"
            )
        else:
            lines.append(f"     -  {entry.submission:<{width}}  failed: {plain(entry.reason or '').splitlines()[0]}")
    return "\n".join([*lines, ""])


def plain(text: str) -> str:
    """A competitor's text made harmless: no control characters, and no command to a CI runner.

    GitHub's runner takes ``::`` after leading blanks, and ``##[`` anywhere in a line, as the start of a command.
    """
    visible = re.sub(r"[^\n\t\x20-\x7e\xa0-\uffff]", "", text)
    return re.sub(r"(?m)^(\s*)::", r"\1: :", visible).replace("##[", "## [")


def _headline(stratum: Stratum, benchmark: Benchmark) -> list[str]:
    bands = ", ".join(f"{name.replace('_', ' ')} {getattr(benchmark.bands, name):g}" for name in BANDS)
    lines = [
        f"  mean pixel error   {_interval(stratum.scores['mean_pixel_error'])} px",
        f"  rmse               {_interval(stratum.scores['rmse'])} px",
    ]
    if "nme" in stratum.scores:
        lines.append(
            f"  nme                {stratum.scores['nme'].value:.2%} of the inter-ocular distance; "
            f"{stratum.scores['failure_rate'].value:.1%} of faces fail (above 10 %)"
        )
    return [
        *lines,
        f"  bands              {bands}  ({benchmark.metric.replace('_', ' ')})",
        f"  measured on        {stratum.images} held-out faces of {stratum.subjects} subjects; intervals are 95 %",
    ]


def tail_lines(log_tail: str) -> list[str]:
    """The last that a submission printed, made harmless, as indented lines."""
    return [f"  | {line}" for line in plain(log_tail).strip().splitlines()[-_TAIL_LINES:]]


def _failure(entry: Entry) -> list[str]:
    lines = ["", f"  {plain(entry.reason or '')}"]
    tail = tail_lines(entry.log_tail)
    return [*lines, "", "  The last that it printed:", *tail] if tail else lines


def _bars(stratum: Stratum, layout: KeypointLayout) -> Iterable[str]:
    """Mean pixel error of each group and, below it, of each of its keypoints, as bars."""
    longest = max(score.value for score in stratum.keypoints.values()) or 1.0

    def line(name: str, score: Score) -> str:
        return f"  {name:<28}{score.value:6.2f}  {'█' * round(score.value / longest * _BAR)}"

    for group, score in stratum.groups.items():
        yield line(group, score)
        for name in layout.groups[group]:
            if name in stratum.keypoints:
                yield line(f"  {name}", stratum.keypoints[name])


def _section(title: str, sentences: list[str]) -> list[str]:
    return ["", f"  {title}", *(f"  - {sentence}" for sentence in sentences)] if sentences else []


def _how_it_ran(entry: Entry) -> str:
    parts = [format_seconds(entry.seconds.total)]
    if entry.seconds.training:
        parts.append(f"of which training {format_seconds(entry.seconds.training)}")
    if entry.training.get("epochs") is not None:
        parts.append(f"{entry.training['epochs']} epochs")
    if entry.parameters is not None:
        parts.append(f"{entry.parameters:,} parameters")
    if entry.device:
        parts.append(f"on {plain(entry.device)}")
    if entry.peak_memory:
        parts.append(f"peak memory {format_bytes(entry.peak_memory)}")
    parts.append(f"isolation {entry.isolation}")
    return ", ".join(parts)


def _interval(score: Score) -> str:
    return f"{score.value:.2f}  [{score.low:.2f}, {score.high:.2f}]"
