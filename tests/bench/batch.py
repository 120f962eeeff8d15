"""Grades a batch of 40 small submissions, 10 of them bad, two at a time, and kills the grader again and again.

    PYTHONPATH=tests python tests/bench/batch.py [KILLS]

The same command goes on after each kill. Printed: what was kept by then, and at the end whether the board has every
submission once, whether a finished run was ever made again, and how long all of it took.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from support.submissions import FAILURES, MEAN_FACE
from support.tiny import CARD, draw_faces, write_kaggle

GOOD, BAD = 30, 10
CASES = (
    *("syntax error", "import error", "wrong shape", "NaN", "an error in fit"),
    *("sys.exit(0)", "os._exit(0)", "a crash of the interpreter", "neither builder", "wrong dtype"),
)


def lay_out(folder: Path) -> list[str]:
    """A tiny benchmark and a folder for each author with a file of the same name; the command that grades them."""
    write_kaggle(folder / "faces", *draw_faces(48), [f"S{row % 12}" for row in range(48)])
    (folder / "tiny.toml").write_text(CARD)
    texts = [MEAN_FACE + f"\n# number {number}\n" for number in range(GOOD)] + [FAILURES[case][0] for case in CASES]
    random.Random(0).shuffle(texts)
    for number, text in enumerate(texts):
        (folder / "class" / f"author{number:02}").mkdir(parents=True)
        (folder / "class" / f"author{number:02}" / "model.py").write_text(text)
    return [str(path.relative_to(folder)) for path in sorted(folder.glob("class/*/model.py"))]


def start(folder: Path, submissions: list[str]) -> subprocess.Popen[bytes]:
    """The batch, as a process."""
    options = ["--benchmark", "tiny.toml", "--data", "faces", "--jobs", "2", "--work", "work", "--json", "all.json"]
    return subprocess.Popen(
        [sys.executable, "-c", "import harness.cli.grade as g; raise SystemExit(g.main())", *submissions, *options],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "jobs"), "XDG_CACHE_HOME": str(folder / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kept(folder: Path) -> dict[str, str]:
    """Every kept run and the hash of its file."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (folder / "work").glob("*.npz")}


def main(kills: int) -> int:
    """Print what happens; 1 if an entry is missing or double, or a finished run was made again."""
    moments, again = random.Random(1), 0
    with tempfile.TemporaryDirectory(prefix="batch-") as name:
        folder = Path(name)
        (folder / "jobs").mkdir()
        submissions = lay_out(folder)
        began, before = time.monotonic(), kept(folder)
        for number in range(kills):
            with start(folder, submissions) as grader:
                time.sleep(moments.uniform(1, 4))  # it starts within a second, and a run takes about two
                grader.kill()
            now = kept(folder)
            again += sum(now[file] != content for file, content in before.items())
            print(f"kill {number + 1}: {len(now)} runs kept", flush=True)
            before = now
        with start(folder, submissions) as grader:
            code = grader.wait()
        now = kept(folder)
        again += sum(now[file] != content for file, content in before.items())
        rows = list(csv.DictReader((folder / "leaderboard" / "tiny.csv").read_text().splitlines()))
        times = Counter((row["author"], row["submission"]) for row in rows)
        statuses = Counter(row["status"] for row in rows)
        entries = json.loads((folder / "all.json").read_text())
        print(
            f"{len(rows)} rows of {len(times)} submissions after {kills} kills in {time.monotonic() - began:.0f} s, "
            f"{sum(count > 1 for count in times.values())} of them double; {dict(statuses)}; "
            f"{again} finished runs made again; {len(entries)} entries in the JSON; exit code {code}"
        )
        whole = len(rows) == len(times) == len(entries) == GOOD + BAD and statuses["failed"] == BAD
        return int(not whole or again > 0)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
