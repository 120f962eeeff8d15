"""How fast gradings are that share a machine, against one that has it for itself.

    PYTHONPATH=tests python tests/bench/sharing.py [ROUNDS] [EPOCHS]

Grades the example's network on 1,500 made-up faces of 96x96 pixels: alone; two in a row; two as two commands at once;
two in one command with ``--jobs 2``; and one beside a process that does nothing but compute. All in each round, so that
a slow spell of the machine hits both sides of a ratio. Printed are medians over the rounds:

- two at once against two in a row: wall time of the whole commands, so starting and reading count;
- beside a busy process against alone: training images per second, from the entries.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from support.tiny import CARD, REPOSITORY, SIDE, write_kaggle

FACES, IMAGE = 2000, 96
WANTED = {"two commands at once": 0.95, "two in one command": 1.2, "beside a busy process": 0.6}
GRADE = "from harness.cli.grade import main; raise SystemExit(main())"
BUSY = "while True: pass"


class Ground:
    """A folder with the faces, and the gradings in it."""

    def __init__(self, folder: Path, epochs: int) -> None:
        self.folder, self.epochs = folder, epochs
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (FACES, IMAGE, IMAGE), dtype=np.uint8)
        keypoints = rng.uniform(10, 86, (FACES, 15, 2)).astype(np.float32)
        write_kaggle(folder / "faces", images, keypoints)
        card = CARD.replace(f"[{SIDE}, {SIDE}]", f"[{IMAGE}, {IMAGE}]").replace("60s", "30m").replace("3g", "4g")
        (folder / "card.toml").write_text(card)
        example = (REPOSITORY / "submissions" / "example.py").read_text()
        for name in ("one.py", "two.py"):
            (folder / name).write_text(example)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A grading of these submissions, with these options."""
        return subprocess.Popen(
            [
                *(sys.executable, "-c", GRADE, *arguments, "--no-record", "--device", "cpu"),
                *("--benchmark", "card.toml", "--data", "faces", "--epochs", str(self.epochs)),
            ],
            cwd=self.folder,
            env={**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache"), "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def wall(self, *commands: tuple[str, ...]) -> float:
        """Seconds from the start of the first of these gradings, all begun at once, to the end of the last."""
        began = time.monotonic()
        for process in [self.start(*command) for command in commands]:
            _, errors = process.communicate()
            if process.returncode not in (0, 1):
                raise SystemExit(f"a grading failed: {errors.decode()}")
        return time.monotonic() - began

    def entry(self, name: str) -> dict[str, Any]:
        """What ``--json`` wrote."""
        entry: dict[str, Any] = json.loads((self.folder / name).read_text())
        return entry

    def rate(self, name: str) -> float:
        """Training images per second, by the grader's clock: what loads and predicts is left out."""
        return 0.75 * FACES * self.epochs / self.entry(name)["seconds"]["training"]


@contextmanager
def busy_process() -> Iterator[None]:
    """One process that keeps a core busy."""
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def has_jobs() -> bool:
    """Whether ``grade`` can run several submissions at once."""
    told = subprocess.run([sys.executable, "-c", GRADE, "--help"], cwd=REPOSITORY, capture_output=True, check=True)
    return b"--jobs" in told.stdout


def one_round(ground: Ground) -> dict[str, float]:
    """The ratios of one round; what this harness cannot do yet is left out."""
    alone = ground.wall(("one.py", "--json", "alone.json"))
    in_a_row = alone + ground.wall(("two.py",))
    at_once = ground.wall(("one.py", "--json", "one.json"), ("two.py", "--json", "two.json"))
    with busy_process():
        ground.wall(("one.py", "--json", "busy.json"))
    ratios = {
        "two commands at once": in_a_row / at_once,
        "beside a busy process": ground.rate("busy.json") / ground.rate("alone.json"),
    }
    if has_jobs():
        ratios["two in one command"] = in_a_row / ground.wall(("one.py", "two.py", "--jobs", "2"))
    names = ("alone.json", "one.json", "two.json", "busy.json")
    print("  ".join(f"{Path(name).stem} {ground.rate(name):,.0f} images/s" for name in names), flush=True)
    return ratios


def main(rounds: int, epochs: int) -> None:
    """Print the medians, and which fall short of what is wanted."""
    with tempfile.TemporaryDirectory(prefix="sharing-") as folder:
        ground = Ground(Path(folder), epochs)
        ground.wall(("one.py",))  # reads the faces into the cache
        found = [one_round(ground) for _ in range(rounds)]
    for name in found[0]:
        ratios = [each[name] for each in found]
        print(
            f"{name:22} {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
            f"wanted: at least {WANTED[name]}"
        )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(3, 20)[len(given) :])
