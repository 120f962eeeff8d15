"""What `grade` and `harness blend` share: where a grading is kept, and how nothing of it is lost."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import LeaderboardError, MachineError

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
    group.add_argument("--out", type=Path, metavar="DIR", help="write predictions, log and a picture of the faces")
    return group


def open_board(arguments: argparse.Namespace, benchmark: Benchmark, split: Split) -> Leaderboard:
    """The board that will take the entry.

    Raises:
        LeaderboardError: it holds entries of other data.
        UsageError: ``--board`` cannot be a board's name.
    """
    from harness.board.leaderboard import Leaderboard

    board = Leaderboard(arguments.leaderboard, arguments.board or benchmark.name, benchmark)
    if not arguments.no_record:
        board.refuse_other_data(split.fingerprint)
    return board


def keep(graded: Graded, report: str, board: Leaderboard, arguments: argparse.Namespace, split: Split) -> None:
    """Record a grading, print its report, and write its folder, as far as the arguments ask for it.

    Raises:
        LeaderboardError: it could not be recorded; the message names the file in which it was kept instead.
    """
    if arguments.no_record:
        print(report)
    else:
        _record(graded.entry, board, report)
    if arguments.out:
        from harness.reporting.folder import write_folder

        write_folder(arguments.out / graded.entry.submission, graded, split)


def _record(entry: Entry, board: Leaderboard, report: str) -> None:
    """Put an entry on its board, then print its report and where it stands: who reads may close the pipe early."""
    from harness.reporting.console import plain

    try:
        recorded = _put(entry, board)
    finally:
        print(report)
    for problem in recorded.problems:
        print(f"warning: {plain(problem)}", file=sys.stderr)
    print(f"  recorded on {board.csv}" if recorded.rank is None else f"  rank {recorded.rank} on {board.csv}")


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


def write(path: Path, content: str | bytes) -> None:
    """Write a file that the command line asks for.

    Raises:
        MachineError: it could not be written.
    """
    from harness.files import write_atomically

    data = content.encode() if isinstance(content, str) else content
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_bytes(data)  # a new file in the place of /dev/stdout would take it from every program
        else:
            write_atomically(path, data)
    except OSError as error:
        raise MachineError(f"{path}: could not be written: {error.strerror}") from error
