"""Show a board, or derive it anew from its entries."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EXAMPLES = """
  harness leaderboard show
  harness leaderboard show kaggle --all
  harness leaderboard rebuild          # after entries were copied in, restored or deleted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness leaderboard``."""
    parser.add_argument("action", choices=("show", "rebuild"))
    parser.add_argument("board", nargs="*", metavar="BOARD", help="boards (all that have entries)")
    parser.add_argument(
        "--leaderboard", type=Path, default=Path("leaderboard"), metavar="DIR", help="its folder (leaderboard)"
    )
    parser.add_argument("--all", action="store_true", help="every entry, not only the best of each submission")


def run(arguments: argparse.Namespace) -> int:
    """Print or rebuild the boards."""
    from harness.board.leaderboard import Leaderboard
    from harness.errors import LeaderboardError
    from harness.reporting.console import board_table

    folder: Path = arguments.leaderboard
    boards = arguments.board or Leaderboard.boards(folder)
    if not boards:
        raise LeaderboardError(f"{folder}: there are no entries yet; `grade SUBMISSION` makes one")
    for name in boards:
        if name not in Leaderboard.boards(folder):
            raise LeaderboardError(f"{folder}: has no board {name!r}; it has {', '.join(Leaderboard.boards(folder))}")
        board = Leaderboard(folder, name)
        if arguments.action == "rebuild":
            problems = board.rebuild()
            print(f"{board.csv}: {len(board.read().entries)} entries")
        else:
            reading = board.read()
            problems = reading.problems
            print(board_table(name, reading.entries, every=arguments.all))
        for problem in problems:
            print(f"warning: {problem}", file=sys.stderr)
    return 0
