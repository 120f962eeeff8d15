"""``harness leaderboard show``: a board in the terminal, or as a file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.outputs import try_files, write
from harness.cli.parsing import say, show
from harness.errors import UsageError
from harness.text import printable

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.board.leaderboard import Leaderboard
    from harness.board.pseudonyms import Pseudonyms
    from harness.board.results import Reading
    from harness.board.table import Row


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What only ``show`` takes."""
    group = parser.add_argument_group("show")
    group.add_argument("--all", action="store_true", help="show every entry, not only the best of each submission")
    which = group.add_mutually_exclusive_group()
    which.add_argument("--author", metavar="NAME", help="show one author's rows alone (regrade: grade these anew)")
    which.add_argument(
        "--around", metavar="NAME", help="show three rows above this author or submission and three below"
    )
    group.add_argument("--csv", type=Path, metavar="FILE", help="write one board's rows for Excel (UTF-8 with a mark)")
    group.add_argument("--json", type=Path, metavar="FILE", help="write them, and the board's statistics, as JSON")
    group.add_argument("--markdown", type=Path, metavar="FILE", help="write them as a table in Markdown")


def refuse_files(arguments: argparse.Namespace, boards: Sequence[str]) -> None:
    """Make sure that files are asked for of one board that is shown.

    Raises:
        UsageError: they are not.
    """
    for option in ("csv", "json", "markdown"):
        file = getattr(arguments, option)
        if file and (arguments.action != "show" or len(boards) != 1):
            raise UsageError(f"--{option} {file} goes with show and one board; name it, such as {boards[0]}")


def run(boards: Sequence[tuple[Leaderboard, Benchmark | None]], arguments: argparse.Namespace) -> int:
    """Print boards, or write files of one."""
    from harness.board.pseudonyms import Pseudonyms

    try_files(arguments.csv, arguments.json, arguments.markdown)
    for board, card in boards:
        reading = board.read(every=arguments.all)
        called = Pseudonyms(arguments.leaderboard, board.name, card.names if card else "authors", reading.best)
        _show(board, _as_called(reading, called), called, arguments)
        for problem in reading.problems:
            say(f"warning: {problem}")
    return 0


def _as_called(reading: Reading, called: Pseudonyms) -> Reading:
    """A reading in which authors are called as the card says."""
    reasons = [called.text(reason) for reason in reading.reasons]
    return replace(reading, rows=called.rows(reading.rows), best=called.rows(reading.best), reasons=reasons)


def _show(board: Leaderboard, reading: Reading, called: Pseudonyms, arguments: argparse.Namespace) -> None:
    from harness.board.statistics import statistics_of
    from harness.metrics import METRICS
    from harness.reporting.board_files import board_csv, board_json, board_markdown
    from harness.reporting.board_words import in_figures, on_chance
    from harness.reporting.console import board_table

    rows = _selected(reading, called, arguments)
    sentences = on_chance(reading.best, reading.more_faces)
    statistics = statistics_of(reading.best, reading.reasons, board.ranked_by)
    if arguments.csv:
        write(arguments.csv, board_csv(rows))
    if arguments.json:
        write(arguments.json, board_json(board.name, board.ranked_by, rows, sentences, statistics))
    if arguments.markdown:
        write(arguments.markdown, board_markdown(board.name, board.ranked_by, rows, sentences))
    if arguments.csv or arguments.json or arguments.markdown:
        return
    show(board_table(board.name, rows, board.ranked_by, every=True))
    if not (arguments.author or arguments.around):
        words = [*sentences, *in_figures(statistics, METRICS[board.ranked_by])]
        show("".join(f"  {printable(each)}\n" for each in words))


def _selected(reading: Reading, called: Pseudonyms, arguments: argparse.Namespace) -> list[Row]:
    """The rows that are asked for."""
    from harness.board.selection import around, of_author

    rows = reading.rows if arguments.all else reading.best
    if arguments.author:
        return of_author(rows, called.name(arguments.author))
    return around(reading.best, called.name(arguments.around)) if arguments.around else rows
