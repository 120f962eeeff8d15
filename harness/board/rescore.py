"""What is kept beside a board's entries, compared with what they say: every score, and every source."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from harness.benchmark import Benchmark
from harness.board.kept import PREDICTIONS, SHARES, SOURCE, Kept
from harness.board.leaderboard import Leaderboard
from harness.board.links import Node
from harness.datasets.faces import Split
from harness.errors import LeaderboardError
from harness.estimates import Estimate
from harness.grading.entry import Entry, Stratum, strata_of
from harness.grading.trainings import averaged, score_each
from harness.points import total

_MOST_NAMED = 3
_CLOSE = 1e-6
"""Relative; sums may be added up in another order on another machine."""


def check_sources(board: Leaderboard, nodes: Sequence[Node]) -> Iterator[str]:
    """A sentence for each entry whose source is not the one that was graded."""
    seen: dict[str, str | None] = {}

    def problem(digest: str) -> str | None:
        """What is wrong with a file of a submission."""
        if digest not in seen:
            try:
                board.kept.source_file(digest)
                seen[digest] = None
            except LeaderboardError as error:
                seen[digest] = str(error)
        return seen[digest]

    for node in nodes:
        if SOURCE not in node.kept:
            continue
        try:
            manifest = board.kept.manifest(node.kept[SOURCE])
        except LeaderboardError as error:
            yield f"{node}: of its source, {error}"
            continue
        wrong = [f"{name}: {what}" for name, digest in manifest.files.items() if (what := problem(digest))]
        yield from (f"{node}: of its source, {each}" for each in wrong)
        if manifest.fingerprint != node.fingerprints.get("source"):
            yield f"{node}: the source that is kept is not the one that was graded"


def check_predictions(board: Leaderboard, nodes: Sequence[Node]) -> tuple[list[str], list[str]]:
    """(problems, notes) about predictions that are not there; a copy of the board from git has none."""
    named = [node for node in nodes if PREDICTIONS in node.kept]
    without = [node for node in nodes if node.graded and node.heads is not None and PREDICTIONS not in node.kept]
    notes = []
    if without and named:
        names = ", ".join(map(str, without))
        notes.append(f"no predictions were kept with {names}; only the hash of such an entry vouches for its score")
    lacking = [node for node in named if not board.kept.has(PREDICTIONS, node.kept[PREDICTIONS])]
    if lacking and len(lacking) == len(named):
        notes.append(f"the predictions of {len(named)} entries are not here, so their scores cannot be computed again")
        lacking = []
    return [f"{node}: its predictions were removed" for node in lacking], notes


def check_unnamed(boards: Sequence[Leaderboard], kept: Kept) -> Iterator[str]:
    """A sentence for each thing that is kept for no entry of the folder's boards.

    Args:
        boards: all of the folder.
        kept: what is kept in it.
    """
    named: set[tuple[str, str]] = set()
    for board in boards:
        nodes = board.nodes()
        if len(nodes) < len(list(board.entries.glob("[!.]*.json"))):
            return  # what one names that cannot be read is not known
        named |= {each for node in nodes for each in node.kept.items()}
    for kind, digest in list(named):
        if kind == SOURCE:
            try:
                named |= {(SOURCE, each) for each in kept.manifest(digest).files.values()}
            except LeaderboardError:
                return
    for kind, digest in sorted(set(kept.all_files()) - named):
        yield (
            f"{kept.path(kind, digest)}: belongs to no entry: that was removed, or is on another branch; restore it, "
            "or delete this file"
        )


def rescore(
    board: Leaderboard,
    nodes: Sequence[Node],
    benchmark: Benchmark,
    split: Split,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> tuple[int, list[str]]:
    """Score kept predictions again.

    Args:
        board: whose entries.
        nodes: those to look at; those on other data than the split's, or without predictions here, are left out.
        benchmark, split: the card and its faces.
        progress: called with (done, total).

    Returns:
        how many were scored, and a sentence for each that says another score than its predictions give.
    """
    todo = [
        node
        for node in nodes
        if PREDICTIONS in node.kept
        and node.fingerprints.get("data") == split.fingerprint
        and board.kept.has(PREDICTIONS, node.kept[PREDICTIONS])
    ]
    problems = []
    for done, node in enumerate(todo, start=1):
        try:
            differing = _differences(board, Entry.read(board.entries / node.file), benchmark, split)
        except LeaderboardError as error:
            problems.append(f"{node}: of its predictions, {error}")
        else:
            if differing:
                problems.append(f"{node}: says {', '.join(differing[:_MOST_NAMED])}")
        progress(done, len(todo))
    return len(todo), problems


def check_card(nodes: Sequence[Node], benchmark: Benchmark) -> Iterator[str]:
    """A sentence if entries that stand were graded by another card than this one."""
    replaced, here = {node.replaces for node in nodes}, benchmark.fingerprint
    other = [node for node in nodes if node.fingerprints.get("card", here) != here and node.id not in replaced]
    if other:
        yield (
            f"the card of benchmark {benchmark.name!r} was changed: {len(other)} entries were graded by another, so "
            f"their bands and points may be others: {', '.join(map(str, other))}; restore the card, or grade them anew "
            "with `harness leaderboard regrade`"
        )


def _differences(board: Leaderboard, entry: Entry, benchmark: Benchmark, split: Split) -> list[str]:
    """What an entry says otherwise than its predictions give."""
    if entry.status != "graded":
        return ["that it failed, and has predictions"]
    count, *rest = split.held_out.keypoints.shape
    shape = (count * max(1, len(entry.trainings)), *rest)
    predictions = board.kept.predictions(entry.kept[PREDICTIONS], shape)
    scorecard = averaged(score_each(predictions, split.held_out, split.strata))
    strata = strata_of(scorecard)
    headline = next(iter(strata.values())).scores
    differing = list(_estimates("", entry.scores, headline))
    if SHARES in entry.kept and board.kept.has(SHARES, entry.kept[SHARES]):
        shares, true = board.kept.shares(entry.kept[SHARES]), scorecard.headline.shares
        if shares.shape != true.shape or not np.allclose(shares, true, _CLOSE, _CLOSE, equal_nan=True):
            differing.append("other errors of its faces than its predictions have")
    for name in sorted(strata.keys() | entry.strata.keys()):
        if name not in strata or name not in entry.strata:
            differing.append(f"other strata than the faces have ({name})")
        else:
            differing += _stratum(name, entry.strata[name], strata[name])
    if entry.fingerprints.get("card") == benchmark.fingerprint:
        value = headline[benchmark.metric].value
        points, most = total(benchmark.marks(value))
        right = {"band": benchmark.best_band(value), "points": points, "max_points": most}
        differing += [
            f"{name} {getattr(entry, name)} where the card gives {each}"
            for name, each in right.items()
            if getattr(entry, name) != each
        ]
    return differing


def _stratum(name: str, said: Stratum, right: Stratum) -> Iterator[str]:
    for count in ("images", "points", "subjects"):
        if getattr(said, count) != getattr(right, count):
            yield f"{getattr(said, count)} {count} where there are {getattr(right, count)}"
    for part in ("scores", "groups", "keypoints"):
        yield from _estimates(f"{name} ", getattr(said, part), getattr(right, part))


def _estimates(place: str, said: dict[str, Estimate], right: dict[str, Estimate]) -> Iterator[str]:
    for name in sorted(said.keys() | right.keys()):
        if name not in said or name not in right:
            yield f"{place}{name} {'is missing' if name in right else 'too much'}"
            continue
        for end in ("value", "low", "high"):
            ours, theirs = getattr(right[name], end), getattr(said[name], end)
            if not math.isclose(ours, theirs, rel_tol=_CLOSE, abs_tol=_CLOSE):
                of = "" if end == "value" else f" ({end} end)"
                yield f"{place}{name}{of} {theirs:.4f} where its predictions give {ours:.4f}"
                break
