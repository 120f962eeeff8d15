"""What it takes to record one entry on a large board, to show it, and to verify it without predictions.

    PYTHONPATH=tests python tests/bench/recording.py [ENTRIES]

The entries are as large as those of real gradings. Figures are medians, the slowest in brackets, and the time of a
core, which a busy machine lengthens less; the first reading, which makes the index, happens once.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from support.tiny import REPOSITORY

from harness.benchmark import load_benchmark
from harness.board.leaderboard import Leaderboard
from harness.board.links import linked
from harness.board.rescore import check_sources
from harness.board.statistics import statistics_of
from harness.board.verify import verify
from harness.estimates import Estimate
from harness.grading.entry import Entry
from harness.metrics import METRICS
from harness.reporting.board_words import in_figures, on_chance
from harness.reporting.console import board_table

SHIPPED = next((REPOSITORY / "leaderboard" / "entries" / "rendered").glob("*-unet-*.json"))
RECORDS = 15


def entries() -> Iterator[Entry]:
    """Entries without end: a shipped one under other names, with other scores."""
    like, chance, number = Entry.read(SHIPPED), random.Random(0), 0
    while True:
        error = chance.uniform(0.6, 4)
        scores = {
            name: Estimate(error * each.value, error * each.low, error * each.high)
            for name, each in like.scores.items()
        }
        names = {"author": f"author{number % 997}", "submission": f"model{number % 7}", "id": f"entry-{number:07}"}
        yield like.model_copy(update={**names, "scores": scores})
        number += 1


def seconds(do: Callable[[], object]) -> tuple[float, float]:
    """How long it takes, and how much of a core it takes meanwhile."""
    started, used = time.perf_counter(), time.process_time()
    do()
    return time.perf_counter() - started, time.process_time() - used


def looked_at(board: Leaderboard) -> None:
    """Verify a board on which nothing was changed."""
    verdict = verify(board)
    assert not [*verdict.problems, *check_sources(board, verdict.nodes)]


def shown(board: Leaderboard) -> str:
    """What `harness leaderboard show` prints, tie groups and statistics included."""
    reading = board.read(every=False)
    words = on_chance(reading.best, reading.more_faces)
    words += in_figures(statistics_of(reading.best, reading.reasons, board.ranked_by), METRICS[board.ranked_by])
    return board_table(board.name, reading.best, board.ranked_by, every=True) + "\n".join(words)


def said(*times: tuple[float, float]) -> str:
    """Median and slowest of some durations, and the median of the core's time."""
    walls, used = zip(*times, strict=True)
    return f"{statistics.median(walls):.3f} s ({max(walls):.3f} s), {statistics.median(used):.3f} s of a core"


def main(count: int) -> None:
    """Fill a board, then record and show."""
    with tempfile.TemporaryDirectory(prefix="recording-") as folder:
        board, new = Leaderboard(Path(folder), "rendered", load_benchmark("rendered")), entries()
        last = board.record(next(new)).entry
        assert last is not None
        for _ in range(count - 1):
            last = linked(next(new), {last.id: last.hash})
            board.file(last).write_text(last.to_json())
        print(f"{count:,} entries of {board.file(last).stat().st_size / 1024:.0f} KiB each")
        print(f"first reading      {said(seconds(board.read))}")
        print(f"recording one      {said(*(seconds(lambda: board.record(next(new))) for _ in range(RECORDS)))}")
        print(f"show               {said(*(seconds(lambda: shown(board)) for _ in range(5)))}")
        print(f"verify             {said(seconds(lambda: looked_at(board)))}")
        reading = board.read()
        assert len(reading.rows) == count + RECORDS and not reading.problems


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
