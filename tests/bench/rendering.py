"""How fast faces are rendered, and how long a whole set takes.

    python tests/bench/rendering.py [faces in the set] [rounds]

Printed: median faces a second with all cores this process may use and with one, the gain, and the time for the set.
"""

from __future__ import annotations

import statistics
import sys
import time

from harness.datasets.rendered import render
from harness.datasets.rendered.face import render_face

SAMPLE = 300


def main(total: int = 6000, rounds: int = 3) -> None:
    render(0, 20)
    together, alone = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        render(0, SAMPLE)
        together.append(SAMPLE / (time.perf_counter() - start))
        start = time.perf_counter()
        for index in range(SAMPLE // 3):
            render_face(0, index, (96, 96))
        alone.append(SAMPLE // 3 / (time.perf_counter() - start))
    fast, slow = statistics.median(together), statistics.median(alone)
    print(f"all cores: {fast:.0f} faces/s   one: {slow:.0f} faces/s   gain: {fast / slow:.2f}")
    start = time.perf_counter()
    render(1, total)
    print(f"{total} faces: {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
