"""``harness leaderboard verify``: whether someone changed a board."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.cli.running import add_files_arguments, open_faces
from harness.text import printable

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.board.leaderboard import Leaderboard
    from harness.board.links import Node

_ALL_RIGHT = (
    "Nothing was changed since it was recorded, as far as the folder itself can show. Whoever can write to it could\n"
    "make all of it anew: keep the hashes of the last entries elsewhere, and give them to --from next time."
)
CHANGED = 1
"""The exit code where something was changed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What only ``verify`` takes."""
    add_files_arguments(parser.add_argument_group("verify and regrade"))
    group = parser.add_argument_group("verify")
    group.add_argument("--no-scores", action="store_true", help="do not compute the scores again")
    group.add_argument(
        "--from",
        dest="since",
        action="append",
        type=_hash,
        default=[],
        metavar="HASH",
        help="of an entry, as an earlier verify printed it: it has to be on a board still (may be repeated)",
    )


def run(boards: Sequence[tuple[Leaderboard, Benchmark | None]], arguments: argparse.Namespace) -> int:
    """Verify boards and print what was found."""
    from harness.board.leaderboard import Leaderboard
    from harness.board.rescore import check_unnamed
    from harness.board.verify import verify

    found, hashes = [], set()
    for board, benchmark in boards:
        verdict = verify(board)
        scored = _look_at_kept(board, benchmark, verdict.nodes, verdict.problems, verdict.notes, arguments)
        hashes |= {node.hash for node in verdict.nodes}
        found += verdict.problems
        again = f", {scored} of them scored again" if scored else ""
        lines = [f"{board.name}: {len(verdict.nodes)} entries{again}"]
        lines += [f"  changed: {problem}" for problem in verdict.problems]
        lines += [f"  note: {note}" for note in verdict.notes]
        lines += [f"  last entry: {node}, hash {node.hash}" for node in verdict.heads]
        print(printable("\n".join(lines)), flush=True)
    others = [Leaderboard(arguments.leaderboard, name) for name in Leaderboard.boards(arguments.leaderboard)]
    elsewhere = list(check_unnamed(others, others[0].kept))
    elsewhere += [
        f"no entry has the hash {each} any more: it was changed or removed, or the board was made anew"
        for each in arguments.since
        if not any(known.startswith(each) for known in hashes)
    ]
    for each in elsewhere:
        print(printable(f"changed: {each}"))
    count = len(found) + len(elsewhere)
    print(f"{count} {'things are' if count > 1 else 'thing is'} not as recorded" if count else _ALL_RIGHT)
    return CHANGED if count else 0


def _hash(text: str) -> str:
    """An argument that begins a hash."""
    if not re.fullmatch("[0-9a-f]{12,64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a hash, nor at least 12 digits of one")
    return text


def _look_at_kept(
    board: Leaderboard,
    benchmark: Benchmark | None,
    nodes: Sequence[Node],
    problems: list[str],
    notes: list[str],
    arguments: argparse.Namespace,
) -> int:
    """Compare sources, predictions and the card with the entries; returns how many were scored again."""
    from harness.board.kept import PREDICTIONS
    from harness.board.rescore import check_card, check_predictions, check_sources, rescore
    from harness.errors import HarnessError
    from harness.reporting.progress import ProgressLine

    problems += check_sources(board, nodes)
    if benchmark is not None:
        problems += check_card(nodes, benchmark)
    if arguments.no_scores:
        return 0
    lacking, absent = check_predictions(board, nodes)
    problems += lacking
    notes += absent
    if not any(PREDICTIONS in node.kept and board.kept.has(PREDICTIONS, node.kept[PREDICTIONS]) for node in nodes):
        return 0
    if benchmark is None:
        notes.append("there is no card, so no score can be computed again; name one with --benchmark NAME|CARD")
        return 0
    try:
        split = open_faces(benchmark, arguments)
        with ProgressLine(sys.stderr) as line:
            scored, wrong = rescore(
                board, nodes, benchmark, split, lambda done, total: line.count("scoring", done, total)
            )
    except HarnessError as error:
        notes.append(f"no score can be computed again: {error}")
        return 0
    problems += wrong
    other = sum(PREDICTIONS in node.kept and node.fingerprints.get("data") != split.fingerprint for node in nodes)
    if other:
        notes.append(
            f"{other} entries were scored on other faces than those here, so their scores cannot be computed again; "
            "name the faces with --data and --held-out"
        )
    return scored
