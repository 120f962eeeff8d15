"""Grade an entry's kept source again, with the entry's own conditions, and say whether the score is what it was.

Nothing is recorded. `harness leaderboard regrade` records new entries in the place of old ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.parsing import device
from harness.cli.running import (
    add_files_arguments,
    add_isolation_argument,
    load_card,
    open_faces,
    run_conditions,
)
from harness.errors import LeaderboardError, UsageError
from harness.text import printable

if TYPE_CHECKING:
    from harness.board.kept import Kept
    from harness.grading.entry import Entry

EXAMPLES = """
  harness replay 20261123T193648-example-077990ed
  harness replay leaderboard/entries/kaggle/20261123T193648-ana-mine-3f2a9c01.json --data ~/facial-keypoints-detection

exit code:
  0 the new score lies in the old interval   1 it does not   3 the entry cannot be graded again
"""

OTHER = 1
"""The exit code where the score is another."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness replay``."""
    parser.add_argument("entry", metavar="ENTRY", help="an entry's id, the beginning of one, or its file")
    parser.add_argument(
        "--leaderboard", type=Path, default=Path("leaderboard"), metavar="DIR", help="its folder (leaderboard)"
    )
    parser.add_argument("--benchmark", metavar="NAME|CARD", help="the benchmark (the one that the entry names)")
    add_files_arguments(parser)
    add_run_again_arguments(parser)


def add_run_again_arguments(parser: argparse._ActionsContainer) -> None:
    """How to run what an entry says the rest of."""
    parser.add_argument("--device", type=device, default="auto", metavar="NAME", help="where to train (as the entry)")
    add_isolation_argument(parser)
    parser.set_defaults(recipe=None, seed=None, epochs=None, threads=None, time_limit=None, memory_limit=None)


def run(arguments: argparse.Namespace) -> int:
    """Grade it again and print how the scores compare."""
    from harness.board.replay import differences, replay
    from harness.reporting.progress import ProgressLine

    entry, kept = _find(arguments)
    benchmark = load_card(arguments.benchmark or card_of(entry))
    split = open_faces(benchmark, arguments)
    if split.fingerprint != entry.fingerprints.get("data"):
        raise LeaderboardError(
            f"{entry.id}: was scored on other faces than those here; name its faces with --data and --held-out. "
            "(`harness leaderboard regrade` grades a board's entries anew on new faces)"
        )
    conditions = run_conditions(arguments, benchmark)
    with tempfile.TemporaryDirectory() as folder, ProgressLine(sys.stderr) as line:
        again = replay(entry, kept, benchmark, split, conditions, Path(folder), line.training).entry
    print(printable(f"{entry.name} ({entry.id})\n{_compared(entry, again)}"))
    for each in differences(entry, again):
        print(printable(f"  note: {each}"))
    return 0 if _is_same(entry, again) else OTHER


def card_of(entry: Entry) -> Path:
    """The card of an entry's benchmark, where there is one here.

    Raises:
        UsageError: there is none.
    """
    from harness.places import cards

    if card := cards().get(entry.benchmark):
        return card
    raise UsageError(f"there is no card of benchmark {entry.benchmark!r} here; name it with --benchmark CARD")


def _find(arguments: argparse.Namespace) -> tuple[Entry, Kept]:
    """The entry, and what is kept beside it."""
    from harness.board.kept import Kept
    from harness.grading.entry import Entry

    path, folder = Path(arguments.entry), arguments.leaderboard
    if path.suffix == ".json" and path.exists():
        parents = path.resolve().parents  # DIR/entries/BOARD/ID.json
        return Entry.read(path), Kept(parents[2] if parents[1].name == "entries" else folder)
    known = sorted((folder / "entries").glob("*/[!.]*.json"))
    found = [file for file in known if file.stem == arguments.entry]
    found = found or [file for file in known if file.stem.startswith(arguments.entry)]
    if len(found) != 1:
        which = f"{len(found)} entries' ids begin" if found else "no entry's id begins"
        raise LeaderboardError(
            f"{folder}: {which} with {arguments.entry!r}; the column 'id' of a board's CSV names them"
        )
    return Entry.read(found[0]), Kept(folder)


def _compared(before: Entry, after: Entry) -> str:
    from harness.metrics import METRICS

    if after.status == "failed":
        return f"  it failed{' again' if before.status == 'failed' else ', and was graded then'}: {after.reason}"
    if before.status == "failed":
        return f"  it was graded, and failed then: {before.reason}"
    lines = []
    for name in dict.fromkeys((before.metric, "mean_pixel_error", "rmse")):
        if name not in before.scores or name not in after.scores:
            continue
        metric, old, new = METRICS[name], before.scores[name], after.scores[name]
        where = "the same" if new == old else "in the old interval" if old.low <= new.value <= old.high else "outside"
        lines.append(f"  {metric.title}: {metric.number(new.value)} now, {metric.interval(old)} then: {where}")
    return "\n".join(lines)


def _is_same(before: Entry, after: Entry) -> bool:
    if before.status != after.status or before.status == "failed":
        return before.status == after.status
    old, new = before.scores[before.metric], after.scores[before.metric]
    return old.low <= new.value <= old.high
