"""Many processes that record on one board at once, and some that are killed while they do."""

from __future__ import annotations

import csv
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.board.kept import Parcel, place
from harness.board.leaderboard import Leaderboard
from harness.board.rescore import check_predictions, check_unnamed
from harness.board.verify import Verdict, verify
from support.entries import entry


def record(folder: Path, name: str) -> None:
    """Record an entry, with something to keep that no other has."""
    digest = f"{random.Random(name).getrandbits(256):064x}"
    parcel = Parcel({"predictions": digest}, {place("predictions", digest): np.random.default_rng(0).bytes(50_000)})
    each = entry(name, 1 + random.Random(name).random(), author=name.partition("-")[0])
    Leaderboard(folder, "tiny").record(each, parcel)


def forked(work: Callable[[], None]) -> int:
    """A process of its own that does this, without the cost of an interpreter; returns its id."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return process


def crowd(folder: Path, processes: int, each: int) -> list[str]:
    """Have so many processes record so many entries each; a sentence for everything that is not as it should be."""

    def work(number: int) -> Callable[[], None]:
        return lambda: [record(folder, f"p{number}-{count}") for count in range(each)] and None

    running = [forked(work(number)) for number in range(processes)]
    failed = sum(os.waitpid(process, 0)[1] != 0 for process in running)
    names = [f"p{number}-{count}" for number in range(processes) for count in range(each)]
    problems = look(folder, names)
    return [*([f"{failed} processes failed"] if failed else []), *problems]


def kill_one(folder: Path, after: float, number: int) -> tuple[int, list[str]]:
    """Kill a process that records one entry after the other, so many seconds after the first.

    Returns:
        how many it had recorded, and a sentence for everything that is not as it should be.
    """
    notes = folder / f"recorded{number}.txt"
    notes.touch()

    def work() -> None:
        with notes.open("w") as said:
            for count in range(10_000):
                record(folder / "board", f"k{number}-{count}")
                said.write(f"k{number}-{count}\n")
                said.flush()

    process = forked(work)
    while not notes.stat().st_size:
        time.sleep(0.001)
    time.sleep(after)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    recorded = [line for line in notes.read_text().splitlines() if line]
    return len(recorded), look(folder / "board", recorded, only=f"k{number}")


def look(folder: Path, names: list[str], only: str = "") -> list[str]:
    """What is wrong with a board on which these were recorded, and at most one more of the author ``only``."""
    board = Leaderboard(folder, "tiny")
    verdict = verify(board) if board.entries.exists() else Verdict([], [], [])  # brings to its end what was left behind
    if not verdict.nodes:
        return [f"{name} is lost" for name in names]
    problems = [*verdict.problems, *check_predictions(board, verdict.nodes)[0], *check_unnamed([board], board.kept)]
    shown = Counter(row.submission for row in board.read().rows)
    listed = Counter(row["submission"] for row in csv.DictReader(board.csv.read_text().splitlines()))
    problems += [f"{name} stands {count} times" for name, count in (shown + listed).items() if count > 2]
    problems += [f"{name} is lost" for name in names if shown[name] != 1 or listed[name] != 1]
    begun = [name for name in shown if name.startswith(f"{only}-")] if only else list(shown)
    if len(begun) > len(names) + bool(only):
        problems.append(f"there are {len(begun)} entries where {len(names)} were recorded")
    problems += [f"{path} is left" for path in (*folder.glob("**/.*.gz.*"), *folder.glob("**/.*.csv.*"))]
    problems += [f"{path} is left" for path in board.entries.glob(".*.json.*")]
    if only and len(verdict.heads) > 1:
        problems.append(f"{len(verdict.heads)} entries are named by none")
    return problems
