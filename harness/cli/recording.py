"""What `grade` and `harness blend` share: where a grading is kept, so that nothing of it is lost."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.outputs import write
from harness.cli.parsing import say, show
from harness.errors import LeaderboardError
from harness.text import printable

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.board.leaderboard import Leaderboard, Recorded
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
) -> None:
    """Record a grading, print its report (or one line) and write its folder, as far as the arguments ask for each.

    Raises:
        LeaderboardError: it could not be recorded; the message names the file in which it was kept instead.
    """
    from harness.reporting.console import line, report

    entry = graded.entry
    text = line(entry) if brief else report(entry, benchmark)
    if arguments.no_record:
        show(text)
    else:
        _record(entry, board, text, brief)
    if arguments.out:
        from harness.reporting.folder import write_folder

        page = write_folder(arguments.out / entry.author / entry.submission, graded, benchmark, split)
        if not brief:
            print(printable(f"  report: {page}"), flush=True)


def _record(entry: Entry, board: Leaderboard, text: str, brief: bool) -> None:
    """Put an entry on its board, then print its report and its rank; in this order, since the pipe may be closed."""
    try:
        recorded = _put(entry, board)
    except BaseException:
        show(text)
        raise
    place = f"rank {recorded.rank} on {board.csv}" if recorded.rank else f"recorded on {board.csv}"
    show(f"{text}   {place}" if brief else f"{text}\n  {place}")
    for problem in recorded.problems:
        say(f"warning: {problem}")


def _put(entry: Entry, board: Leaderboard) -> Recorded:
    try:
        return board.record(entry)
    except LeaderboardError as error:
        if board.file(entry).exists():
            raise
        rescued = Path(tempfile.gettempdir()) / f"{entry.id}.json"
        write(rescued, entry.to_json())
        raise LeaderboardError(
            f"{error}. The entry was kept as {rescued}: copy it to {board.file(entry).parent}, or to the folder of "
            "another board beside it, and run `harness leaderboard rebuild`"
        ) from error
