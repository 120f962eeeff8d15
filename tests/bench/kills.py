"""Kills a grader with SIGKILL at random moments, and looks each time at what it left behind.

    PYTHONPATH=tests python tests/bench/kills.py [TIMES]

After each kill no worker is alive within a second, every entry can be read, and the leaderboard is whole.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

from support.killing import Range


def main(times: int) -> None:
    """Print what is found after each kill, and the sums."""
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        ground, moments = Range(Path(folder)), random.Random(0)
        whole = ground.undisturbed()
        print(f"a grader takes {whole:.1f} s undisturbed; killing {times}")
        found = 0
        for number in range(times):
            after = moments.uniform(0, whole)
            problems = ground.kill(after)
            found += bool(problems)
            for problem in problems:
                print(f"kill {number}, after {after:.2f} s: {problem}")
        ground.undisturbed()
        print(
            f"{times} kills, {found} of them left something wrong; {len(ground.board.read().rows)} entries kept; "
            f"{len(list(ground.jobs.iterdir()))} job folders left in TMPDIR, which no user can remove any more"
        )
    if found:
        raise SystemExit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
