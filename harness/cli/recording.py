"""What `grade` and `harness blend` share: where a grading is kept, so that nothing of it is lost."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.outputs import write
from harness.cli.parsing import say, show
from harness.errors import LeaderboardError, LoadError
from harness.text import printable

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.board.kept import Parcel
    from harness.board.leaderboard import Leaderboard
    from harness.board.results import Recorded
    from harness.datasets.faces import Split
    from harness.grading.entry import Entry
    from harness.grading.grade import Graded


def add_recording_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """--leaderboard, --board, --no-record, --json and --out; returns their group, which may take more."""
    group = parser.add_argument_group("what is kept")
    group.add_argument(
        "--leaderboard", type=Path, default=Path("leaderboard"), metavar="DIR", help="its folder (leaderboard)"
    )
    group.add_argument("--board", metavar="NAME", help="the board in it (the benchmark's name)")
    group.add_argument("--no-record", action="store_true", help="leave the leaderboard alone")
    group.add_argument(
        "--keep",
        type=_kinds,
        default=frozenset(("predictions", "source")),
        metavar="WHAT",
        help="what is kept beside the entry, so that others can score and grade it again: predictions, source, both "
        "with a comma, or nothing (predictions,source)",
    )
    group.add_argument("--json", type=Path, metavar="FILE", help="write the entry (a list for several submissions)")
    group.add_argument("--out", type=Path, metavar="DIR", help="write a report, predictions and log")
    return group


def open_board(arguments: argparse.Namespace, benchmark: Benchmark, split: Split) -> Leaderboard:
    """The board that will take the entry.

    Raises:
        UsageError: ``--board`` cannot be a board's name.
        LeaderboardError: it holds entries of other data.
    """
    from harness.board.leaderboard import Leaderboard

    board = Leaderboard(arguments.leaderboard, arguments.board or benchmark.name, benchmark)
    if not arguments.no_record:
        board.refuse_other_data(split.fingerprint)
    return board


def keep(
    graded: Graded,
    benchmark: Benchmark,
    board: Leaderboard,
    arguments: argparse.Namespace,
    split: Split,
    *,
    brief: bool = False,
) -> Entry:
    """Record a grading, print its report (or one line) and write its folder, as far as the arguments ask for each.

    Returns:
        the entry, as it was recorded.

    Raises:
        LeaderboardError: it could not be recorded; the message names the file in which it was kept instead.
    """
    from harness.reporting.console import line, report

    entry = graded.entry
    text = line(entry) if brief else report(entry, benchmark)
    if arguments.no_record:
        show(text)
    else:
        entry = _record(graded, board, arguments.keep, text, brief)
        graded = replace(graded, entry=entry)
    if arguments.out:
        from harness.reporting.folder import write_folder

        page = write_folder(arguments.out / entry.author / entry.submission, graded, benchmark, split)
        if not brief:
            print(printable(f"  report: {page}"), flush=True)
    return entry


def _record(graded: Graded, board: Leaderboard, kinds: frozenset[str], text: str, brief: bool) -> Entry:
    """Put an entry on its board, then print its report and its rank; in this order, since the pipe may be closed."""
    try:
        recorded = _put(graded.entry, board, _parcel(graded, kinds))
    except BaseException:
        show(text)
        raise
    place = f"rank {recorded.rank} on {board.csv}" if recorded.rank else f"recorded on {board.csv}"
    show(f"{text}   {place}" if brief else f"{text}\n  {place}")
    for problem in recorded.problems:
        say(f"warning: {problem}")
    return recorded.entry or graded.entry


def _parcel(graded: Graded, kinds: frozenset[str]) -> Parcel:
    """What is kept beside the entry; without the source where that was changed after it was graded."""
    from harness.board.kept import PREDICTIONS, pack

    try:
        return pack(graded.source, graded.predictions, kinds, graded.shares)
    except LoadError as error:
        say(f"warning: the source of {graded.source.label} is not kept: {error}")
        return pack(graded.source, graded.predictions, kinds & {PREDICTIONS}, graded.shares)


def _put(entry: Entry, board: Leaderboard, parcel: Parcel) -> Recorded:
    try:
        return board.record(entry, parcel)
    except LeaderboardError as error:
        if board.file(entry).exists():
            raise
        rescued = Path(tempfile.gettempdir()) / f"{entry.id}.json"
        write(rescued, entry.to_json())
        raise LeaderboardError(
            f"{error}. The entry was kept as {rescued}: copy it to {board.file(entry).parent}, or to the folder of "
            "another board beside it, and run `harness leaderboard rebuild`"
        ) from error


def _kinds(text: str) -> frozenset[str]:
    """An argument such as ``predictions,source``."""
    names = frozenset(text.split(","))
    if not (names <= {"predictions", "source"} or names == {"nothing"}):
        raise argparse.ArgumentTypeError(f"{text!r} is not predictions, source, predictions,source or nothing")
    return names - {"nothing"}
