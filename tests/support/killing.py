"""A place in which graders are killed again and again."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from harness.benchmark import load_benchmark
from harness.board.leaderboard import Leaderboard
from harness.board.table import COLUMNS
from harness.datasets.opening import open_split
from harness.grading.predictions import write_wide
from harness.keypoints import FACE15
from support.tiny import CARD, SIDE, draw_faces, write_kaggle

HONEST = Path(__file__).parents[1] / "cheats" / "honest" / "mean_face.py"
PATIENCE = 1.0
"""Seconds for the workers of a killed grader to be gone."""


class Range:
    """A folder with the tiny benchmark in which graders are killed again and again, on one leaderboard.

    Each grades a submission between files of predictions: these take little time, so that many kills fall into the
    moments at which an entry or the table is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs = folder / "jobs"
        self.jobs.mkdir()
        images, keypoints = draw_faces(48)
        write_kaggle(folder / "faces", images, keypoints, [f"S{row % 12}" for row in range(48)])
        (folder / "tiny.toml").write_text(CARD)
        shutil.copyfile(HONEST, folder / "mean_face.py")
        held_out = len(open_split(load_benchmark(folder / "tiny.toml"), folder / "faces").held_out)
        points = np.full((held_out, len(FACE15), 2), SIDE / 2, np.float32)
        self.predictions = [f"predictions{number}.csv" for number in range(6)]
        for name in self.predictions:
            write_wide(folder / name, points, np.arange(1, held_out + 1), FACE15)
        self.board = Leaderboard(folder / "leaderboard", "tiny")

    def grader(self) -> psutil.Popen:
        """Start one."""
        words = [*self.predictions[:3], "mean_face.py", *self.predictions[3:]]
        words += ["--benchmark", "tiny.toml", "--data", "faces"]
        return psutil.Popen(
            [sys.executable, "-c", "import harness.cli.grade as g; raise SystemExit(g.main())", *words],
            cwd=self.folder,
            env={**os.environ, "TMPDIR": str(self.jobs), "XDG_CACHE_HOME": str(self.folder / "cache")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def undisturbed(self) -> float:
        """Seconds that a grader takes which nobody kills; it has to end well, on what others left behind."""
        started = time.monotonic()
        with self.grader() as grader:
            assert grader.stderr is not None
            said = grader.stderr.read().decode()
            assert grader.wait() == 0, said
        return time.monotonic() - started

    def kill(self, after: float) -> list[str]:
        """Kill a grader after so many seconds; a sentence for everything that is not as it should be."""
        with self.grader() as grader:
            time.sleep(after)
            grader.kill()
        deadline = time.monotonic() + PATIENCE
        while (left := self._workers()) and time.monotonic() < deadline:
            time.sleep(0.02)
        problems = [f"process {worker.pid} is alive: {worker.info['cmdline']}" for worker in left]
        problems += self.board.read().problems
        if self.board.csv.exists():
            rows = list(csv.DictReader(self.board.csv.read_text().splitlines()))
            if [row["rank"] for row in rows] != [str(rank) for rank in range(1, len(rows) + 1)]:
                problems.append(f"the table's ranks are {[row['rank'] for row in rows]}")
            if any(set(row) != set(COLUMNS) or None in row.values() for row in rows):
                problems.append("the table has a row that is not whole")
        return problems

    def _workers(self) -> list[psutil.Process]:
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(str(self.jobs) in word for word in process.info["cmdline"] or ())
        ]
