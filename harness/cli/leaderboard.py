"""Show a board, rebuild it from its entries, see whether someone changed it, or grade its entries anew.

A board ranks by the metric of its benchmark's card, and shows the bands of that card.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import regrade, verify
from harness.cli.outputs import write
from harness.cli.parsing import say
from harness.cli.running import load_card

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.board.leaderboard import Leaderboard

EXAMPLES = """
  harness leaderboard show
  harness leaderboard show kaggle --all
  harness leaderboard show kaggle --csv kaggle.csv     # for Excel
  harness leaderboard rebuild          # after entries were copied in, restored or deleted
  harness leaderboard verify           # has anyone changed an entry, a score, a source or the table?
  harness leaderboard regrade spring --reason "two faces were labelled wrongly"
  harness leaderboard rebuild spring --benchmark course/benchmark.toml     # after that card was changed

exit code of verify:
  0 nothing was changed   1 something was, and is named   3 it could not be verified
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness leaderboard``."""
    parser.add_argument("action", choices=("show", "rebuild", "verify", "regrade"))
    parser.add_argument("board", nargs="*", metavar="BOARD", help="boards (all that have entries)")
    parser.add_argument(
        "--leaderboard", type=Path, default=Path("leaderboard"), metavar="DIR", help="its folder (leaderboard)"
    )
    parser.add_argument(
        "--benchmark",
        metavar="NAME|CARD",
        help="whose metric ranks (the benchmark that the entries name, if its card is found here)",
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="with show: write one board's entries for Excel (UTF-8 with a mark)"
    )
    parser.add_argument("--all", action="store_true", help="show every entry, not only the best of each submission")
    verify.add_arguments(parser)
    regrade.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print or rebuild the boards."""
    from harness.board.leaderboard import Leaderboard
    from harness.board.table import HEADER
    from harness.errors import LeaderboardError, UsageError
    from harness.reporting.console import board_table

    folder: Path = arguments.leaderboard
    known = Leaderboard.boards(folder)
    found = [Leaderboard(folder, name) for name in arguments.board or known]
    if not known:
        raise LeaderboardError(f"{folder}: there are no entries yet; `grade SUBMISSION` makes one")
    if arguments.csv and (arguments.action != "show" or len(found) != 1):
        raise UsageError(f"--csv {arguments.csv} goes with show and one board; name it, such as {known[0]}")
    for each in found:
        if each.name not in known:
            raise LeaderboardError(f"{folder}: has no board {each.name!r}; it has {', '.join(known)}")
    cards = [(each, _benchmark(each, arguments.benchmark)) for each in found]
    boards = [(Leaderboard(folder, each.name, card), card) for each, card in cards]
    if command := {"verify": verify.run, "regrade": regrade.run}.get(arguments.action):
        return command(boards, arguments)
    for board, _ in boards:
        if arguments.action == "rebuild":
            problems = board.rebuild()
            print(f"{board.csv}: {len(board.read().rows)} entries")
        else:
            reading = board.read(every=arguments.all or bool(arguments.csv))
            problems = reading.problems
            if arguments.csv:
                # Excel takes a CSV without this mark for one of the machine's old encoding.
                lines = [f"{row.rank or ''}{row.line()}" for row in reading.rows]
                write(arguments.csv, "".join(["\ufeff", HEADER, *lines]))
            print(board_table(board.name, reading.rows, board.ranked_by, every=arguments.all))
        for problem in problems:
            say(f"warning: {problem}")
    return 0


def _benchmark(board: Leaderboard, named: str | None) -> Benchmark | None:
    """The card by which the board ranks; None where neither the command line nor the entries name one known here."""
    from harness.places import cards

    if named:
        return load_card(named)
    held, known = board.holds(), cards()
    if held is None or held.benchmark in known:
        return load_card(known[held.benchmark]) if held else None
    say(
        f"warning: {board.name}: there is no card of benchmark {held.benchmark!r} here, so mean pixel error ranks, "
        "and the bands are those of the entries; name the card with --benchmark NAME|CARD"
    )
    return None
