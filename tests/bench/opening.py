"""How long the full set of rendered faces takes from nothing, and when it is opened again.

    python tests/bench/opening.py [benchmark]

The benchmark is rendered-full unless said otherwise. Nothing is prepared at first; the training and the held-out faces
are drawn on every core that this process may use. Wanted of rendered-full on two quiet cores: 60 s, then 50 ms at most.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

from harness.benchmark import load_benchmark
from harness.datasets.faces import Split
from harness.datasets.opening import open_split
from harness.isolation.limits import usable_cores

ROUNDS = 9


def main(name: str = "rendered-full") -> None:
    """Open it in an empty folder with an empty cache, then again and again."""
    with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):
        os.environ["XDG_CACHE_HOME"] = os.environ["HOME"] = empty
        benchmark = load_benchmark(name)
        drawing, split = _timed(lambda: open_split(benchmark))
        faces = len(split.training) + len(split.held_out)
        print(f"{name}, from nothing: {drawing:.1f} s for {faces:,} faces, {faces / drawing:.0f} a second ", end="")
        print(f"({usable_cores()} cores)")
        opening = [1000 * _timed(lambda: open_split(benchmark))[0] for _ in range(ROUNDS)]
    print(f"opened again: {statistics.median(opening):.1f} ms ({min(opening):.1f} to {max(opening):.1f})")


def _timed(work: Callable[[], Split]) -> tuple[float, Split]:
    start = time.perf_counter()
    split = work()
    return time.perf_counter() - start, split


if __name__ == "__main__":
    main(*sys.argv[1:])
