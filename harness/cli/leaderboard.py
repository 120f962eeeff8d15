"""Show a board, rebuild it from its entries, see whether someone changed it, or grade its entries anew.

A board ranks by the metric of its benchmark's card, and shows the bands of that card.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import regrade, show, verify
from harness.cli.parsing import say
from harness.cli.running import load_card

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.board.leaderboard import Leaderboard

EXAMPLES = """
  harness leaderboard show
  harness leaderboard show kaggle --all
  harness leaderboard show kaggle --csv kaggle.csv     # for Excel
  harness leaderboard show kaggle --around ana         # three rows above hers, and three below
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
    show.add_arguments(parser)
    verify.add_arguments(parser)
    regrade.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print or rebuild the boards."""
    from harness.board.leaderboard import Leaderboard
    from harness.errors import LeaderboardError

    folder: Path = arguments.leaderboard
    known = Leaderboard.boards(folder)
    found = [Leaderboard(folder, name) for name in arguments.board or known]
    if not known:
        raise LeaderboardError(f"{folder}: there are no entries yet; `grade SUBMISSION` makes one")
    show.refuse_files(arguments, [each.name for each in found])
    for each in found:
        if each.name not in known:
            raise LeaderboardError(f"{folder}: has no board {each.name!r}; it has {', '.join(known)}")
    cards = [(each, _benchmark(each, arguments.benchmark)) for each in found]
    boards = [(Leaderboard(folder, each.name, card), card) for each, card in cards]
    if command := {"show": show.run, "verify": verify.run, "regrade": regrade.run}.get(arguments.action):
        return command(boards, arguments)
    for board, _ in boards:
        problems = board.rebuild()
        print(f"{board.csv}: {len(board.read().rows)} entries")
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
