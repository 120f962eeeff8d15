"""Records on one board from many processes at once, then looks for entries that are lost, doubled or half written.

PYTHONPATH=tests python tests/bench/crowd.py [PROCESSES] [ENTRIES]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from support.crowds import crowd


def main(processes: int, each: int) -> None:
    """Print what is wrong, and how long it took."""
    with tempfile.TemporaryDirectory(prefix="crowd-") as folder:
        started = time.monotonic()
        problems = crowd(Path(folder), processes, each)
        print("\n".join(problems))
        print(
            f"{processes} processes x {each} entries: {len(problems)} things wrong with {processes * each:,} rows; "
            f"{time.monotonic() - started:.0f} s"
        )
    if problems:
        raise SystemExit(1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ("64", "20")))
