"""``harness leaderboard regrade``: grade a board's entries anew after a fix of the data, the card or the harness."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.outputs import write
from harness.cli.parsing import report_error, say
from harness.cli.replay import add_run_again_arguments
from harness.cli.running import open_faces, run_conditions
from harness.errors import HarnessError, UsageError
from harness.text import printable

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.board.leaderboard import Leaderboard
    from harness.board.regrade import Change
    from harness.datasets.faces import Split
    from harness.grading.entry import Entry
    from harness.runs.conditions import Conditions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What only ``regrade`` takes."""
    group = parser.add_argument_group("regrade")
    group.add_argument("--reason", default="", metavar="TEXT", help="why, for the new entries and the table of changes")
    add_run_again_arguments(group)


def run(boards: Sequence[tuple[Leaderboard, Benchmark | None]], arguments: argparse.Namespace) -> int:
    """Grade every entry that stands anew, record it in the place of the old one, and write down what changed."""
    codes = []
    for board, benchmark in boards:
        if benchmark is None:
            raise UsageError(f"board {board.name!r}: there is no card of its benchmark here; name it with --benchmark")
        codes.append(_regrade(board, benchmark, arguments))
    return max(codes, default=0)


def _regrade(board: Leaderboard, benchmark: Benchmark, arguments: argparse.Namespace) -> int:
    from harness.board.regrade import as_csv, to_regrade
    from harness.runs.conditions import harness_fingerprint

    split = open_faces(benchmark, arguments)
    now = {"data": split.fingerprint, "card": benchmark.fingerprint, "harness": harness_fingerprint()}
    entries = to_regrade(board, arguments.author, arguments.reason, now)
    if not entries:
        say(f"note: board {board.name!r} was graded anew already for this reason, and nothing has changed since")
        return 0
    held = board.holds()
    if held is not None and held.data != split.fingerprint:
        if arguments.author is not None:
            raise UsageError(
                f"board {board.name!r} is of other faces than those here, and a board has one set of faces: leave "
                "--author out, so that every entry is graded on the new ones"
            )
        say(f"note: the faces are not those of board {board.name!r}; from now on it is of the faces here")
    conditions = run_conditions(arguments, benchmark)
    changes: list[Change] = []
    code = 0
    try:
        for number, entry in enumerate(entries, start=1):
            say(f"{number} of {len(entries)}: {entry.name} ({entry.id})")
            try:
                changes.append(_again(entry, board, benchmark, split, conditions, arguments.reason))
            except HarnessError as error:
                code = max(code, report_error(error))
    finally:
        if changes:
            path = arguments.leaderboard / "regrades" / f"{board.name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.csv"
            write(path, as_csv(changes))
            fell = [change for change in changes if change.fell]
            lines = [f"fell: {change}" for change in fell]
            lines.append(f"{len(changes)} of {len(entries)} entries graded anew, {len(fell)} grades fell; see {path}")
            print(printable("\n".join(lines)))
    return code


def _again(
    entry: Entry, board: Leaderboard, benchmark: Benchmark, split: Split, conditions: Conditions, reason: str
) -> Change:
    """An entry, and the one that was recorded in its place."""
    from harness.board.kept import pack
    from harness.board.regrade import Change
    from harness.board.replay import replay
    from harness.grading.entry import Regrade
    from harness.reporting.progress import ProgressLine

    with tempfile.TemporaryDirectory() as folder, ProgressLine(sys.stderr) as line:
        graded = replay(entry, board.kept, benchmark, split, conditions, Path(folder), line.training)
        parcel = pack(
            graded.source, graded.predictions, frozenset(("predictions", "source")) & entry.kept.keys(), graded.shares
        )
    new = graded.entry.model_copy(update={"board": board.name, "regrade": Regrade(of=entry.id, reason=reason)})
    recorded = board.record(new, parcel)
    return Change(entry, recorded.entry or new)
