"""Kills processes with SIGKILL at random moments while they record, and looks each time at what they left behind.

    PYTHONPATH=tests python tests/bench/killed_recording.py [TIMES]

`tests/bench/kills.py` kills whole graders; here every moment belongs to the recording.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

from support.crowds import kill_one


def main(times: int) -> None:
    """Print what is wrong after each kill, and the sums."""
    moments, recorded, wrong = random.Random(0), 0, 0
    with tempfile.TemporaryDirectory(prefix="killed-") as folder:
        for number in range(times):
            after = moments.uniform(0, 0.2)
            count, problems = kill_one(Path(folder), after, number)
            recorded += count
            wrong += bool(problems)
            for problem in problems:
                print(f"kill {number}, after {after:.3f} s: {problem}")
    print(f"{times} kills, {wrong} of them left something wrong; {recorded} entries were recorded between them")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
