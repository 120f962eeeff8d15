"""An entry as text for a terminal or a log."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from harness.benchmark import BANDS, Benchmark, band_in_words
from harness.board.compared import best_of_each
from harness.board.table import Row
from harness.estimates import Estimate
from harness.grading.entry import Entry, Stratum
from harness.keypoints import KeypointLayout
from harness.metrics import METRICS, Metric
from harness.reporting.board_words import p_text
from harness.reporting.outcomes import verdict
from harness.text import first_line, one_line, plain, printable
from harness.units import format_bytes, format_seconds

_BAR = 24
_TAIL_LINES = 15
_ORIGINS = {
    "practice": "practice: anyone can draw these held-out faces; a teacher sets HARNESS_SECRET_SEED.",
    "secret": "secret: only those who know the seed can draw these held-out faces.",
}


def report(entry: Entry, benchmark: Benchmark) -> str:
    """A grading in full: the score with its interval, where the error lies, what to try next."""
    if entry.status == "graded":
        lines = [f"{one_line(entry.name)} on {entry.board}: {verdict(entry)}"]
        lines += scores(entry.strata, benchmark, entry.mistakes)
        lines += _section("What to try next", entry.advice)
        lines += _section("Worth a look", [plain(flag) for flag in entry.flags])
    else:
        lines = [f"{one_line(entry.name)} on {entry.board}: FAILED", *_failure(entry)]
    lines += _section(f"Trained {len(entry.trainings)} times; the score is the mean", _trainings(entry))
    lines += _section("Noted while it ran", [one_line(note) for note in entry.notes])
    lines += ["", f"  {_how_it_ran(entry)}"]
    if entry.trained == "brought":
        lines.append("  trained elsewhere: it came with weights or data, so what it learnt from is not known.")
    if entry.not_applied:
        lines.append(f"  without effect on this submission: {plain(', '.join(entry.not_applied))}")
    if entry.held_out in _ORIGINS:
        lines.append(f"  {_ORIGINS[entry.held_out]}")
    if entry.isolation == "none":
        lines.append("  isolation: NONE. The submission could read whatever its user can; do not give marks for this.")
    return printable("\n".join(lines))


def _trainings(entry: Entry) -> list[str]:
    """What each of several trainings gave; the intervals above are over subjects and trainings."""
    pixels = METRICS["mean_pixel_error"]
    return [f"seed {each.seed}: {pixels.number(each.scores[pixels.name])} px" for each in entry.trainings]


def line(entry: Entry) -> str:
    """An entry in one line, for when many are graded."""
    if entry.status == "failed":
        return printable(f"  {one_line(entry.name):<32}  failed: {first_line(entry.reason or '')}")
    band = band_in_words(entry.band)
    flagged = "  flagged" if entry.flags else ""
    pixels = METRICS["mean_pixel_error"]
    return printable(f"  {one_line(entry.name):<32}  {pixels.interval(entry.scores[pixels.name])} px  {band}{flagged}")


def scores(strata: Mapping[str, Stratum], benchmark: Benchmark, mistakes: list[str]) -> list[str]:
    """Lines with the headline's scores, the bands, where the error lies, the other strata and the known mistakes."""
    headline, *others = strata.items()
    pixels = METRICS["mean_pixel_error"]
    lines = ["", *_headline(headline[1], benchmark), "", *_bars(headline[1], benchmark.layout)]
    lines += [""] if others else []
    for name, stratum in others:
        lines.append(
            f"  stratum {name}: {pixels.interval(stratum.scores[pixels.name])} px on {stratum.points:,} points of "
            f"{stratum.images} faces"
        )
    return lines + _section("What is wrong", mistakes)


def board_table(name: str, rows: list[Row], ranked_by: str, *, every: bool) -> str:
    """A board as a table: the best entry of each author's submission, or every entry.

    Args:
        name: the board's.
        rows: as the board reads them, best first.
        ranked_by: the metric that ranks.
        every: whether to show more than the best of each.
    """
    if not every:
        rows = best_of_each(rows)
    # The ranking metric comes first, with its interval.
    metrics = [METRICS[each] for each in dict.fromkeys((ranked_by, "mean_pixel_error", "rmse"))]
    chance = ("p above", "p best") if any(row.p_best is not None for row in rows) else ()
    titles = [metric.title for metric in metrics]
    heading = ["submission", titles[0], *chance, *titles[1:], "band", "trained", "isolation", "device"]
    cells = [_cells(row, metrics, with_chance=bool(chance)) for row in rows]
    widths = [max(map(len, column)) for column in itertools.zip_longest(heading, *cells, fillvalue="")]

    def line(rank: object, group: object, cells: list[str]) -> str:
        padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=False))
        tie = f"{group:>3}  " if chance else ""
        return f"  {rank:>4}  {tie}{'  '.join(padded)}".rstrip()

    # All entries of a board are of one data set, so the first row's origin is that of all.
    lines = [name, *(_ORIGINS[row.held_out] for row in rows[:1] if row.held_out in _ORIGINS), ""]
    lines.append(line("rank", "tie", heading))
    for position, (row, each) in enumerate(zip(rows, cells, strict=True), start=1):
        if row.status == "graded":
            lines.append(line(row.rank or position, row.tie_group or "", each))
        else:
            lines.append(line("-", "", [f"{each[0]:<{widths[0]}}", f"failed: {first_line(row.reason or '')}"]))
    return printable("\n".join([*lines, ""]))


def _cells(row: Row, metrics: list[Metric], *, with_chance: bool) -> list[str]:
    """A row of the table, after the rank; of a failed entry its name alone."""
    if row.status == "failed":
        return [one_line(row.name)]
    ranking, *others = metrics
    figures = [ranking.interval(row.scores[ranking.name])]
    figures += [p_text(row.p_above), p_text(row.p_best)] if with_chance else []
    figures += [each.number(row.scores[each.name].value) if each.name in row.scores else "" for each in others]
    band = band_in_words(row.band)
    return [one_line(row.name), *figures, band, row.trained or "unknown", row.isolation, one_line(row.device)]


def _headline(stratum: Stratum, benchmark: Benchmark) -> list[str]:
    bands = ", ".join(f"{name.replace('_', ' ')} {getattr(benchmark.bands, name):g}" for name in BANDS)
    shown = dict.fromkeys(("mean_pixel_error", "rmse", benchmark.metric))
    metrics = [METRICS[name] for name in shown if name in stratum.scores]
    lines = [f"  {each.title:<18} {each.interval(stratum.scores[each.name])} {each.unit}".rstrip() for each in metrics]
    if "nme" in stratum.scores:
        lines.append(
            f"  nme                {stratum.scores['nme'].value:.2%} of {benchmark.layout.nme_unit}; "
            f"{stratum.scores['failure_rate'].value:.1%} of faces fail (above 10 %)"
        )
    return [
        *lines,
        f"  bands              {bands}  ({METRICS[benchmark.metric].title})",
        f"  measured on        {stratum.images} held-out faces of {stratum.subjects} subjects; intervals are 95 %",
    ]


def tail_lines(log_tail: str) -> list[str]:
    """The last lines that a submission printed, made harmless and indented."""
    return [f"  | {line}" for line in printable(log_tail).strip().split("\n")[-_TAIL_LINES:] if line]


def _failure(entry: Entry) -> list[str]:
    # What follows its first line is marked as the submission's, whatever it looks like.
    lines = ["", "  " + "\n  | ".join(plain(entry.reason or "").strip().split("\n"))]
    tail = tail_lines(entry.log_tail)
    return [*lines, "", "  The last lines that it printed:", *tail] if tail else lines


def _bars(stratum: Stratum, layout: KeypointLayout) -> Iterable[str]:
    """Mean pixel error of each group and, below it, of each of its keypoints, as bars."""
    longest = max(score.value for score in stratum.keypoints.values()) or 1.0
    width = max(28, *(len(name) + 3 for name in stratum.keypoints))

    def line(name: str, score: Estimate) -> str:
        return f"  {name:<{width}}{score.value:6.2f}  {'█' * round(score.value / longest * _BAR)}"

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
    if len(entry.networks) == 1 and entry.networks[0].get("epochs") is not None:
        parts.append(f"{entry.networks[0]['epochs']} epochs")
    if entry.parameters is not None:
        parts.append(f"{entry.parameters:,} parameters")
    if entry.device:
        parts.append(f"on {one_line(entry.device)}")
    if "," in entry.threads:
        parts.append(f"threads {one_line(entry.threads)}")
    if entry.peak_memory:
        parts.append(f"peak memory {format_bytes(entry.peak_memory)}")
    parts.append(f"isolation {entry.isolation}")
    return ", ".join(parts)
