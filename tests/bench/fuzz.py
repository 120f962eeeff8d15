"""How the readers of files meet what nobody wrote with good intent.

    PYTHONPATH=tests python tests/bench/fuzz.py 200000 [READER...]

prints for each reader: inputs, how many ended in a typed error and how many were taken, untyped errors (each with the
number of its input, which makes it again), the slowest, and by how much the process grew. The slower a reader, the
fewer inputs it gets. It exits with 1 where an error is untyped, or something took more than 5 s or 512 MiB.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from support.fuzzing import Reader
from support.readers import ALL

LONGEST, LARGEST = 5, 512
TRIED = 300
"""Inputs of each reader that show how fast it is; a reader gets them again as part of its share."""


@dataclass
class Met:
    """What came of a reader's inputs; untyped errors by the place where they arose, each with one input's number."""

    name: str
    inputs: int = 0
    typed: int = 0
    taken: int = 0
    untyped: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    grown: float = 0.0


def meet(make: Callable[[Path], Reader], numbers: range) -> Met:
    """Have a reader meet the inputs of these numbers."""
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, _too_long)
    with tempfile.TemporaryDirectory() as folder:
        reader = make(Path(folder))
        met = Met(reader.name)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in numbers:
            content = reader.input(number)
            began = time.perf_counter()
            signal.alarm(4 * LONGEST)
            try:
                taken = reader.meet(content)
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                kind = f"{type(error).__name__} at {place.filename}:{place.lineno}: {str(error)[:100]!r}"
                met.untyped[kind] += 1
                met.first.setdefault(kind, number)
            else:
                met.taken += taken
                met.typed += not taken
            finally:
                signal.alarm(0)
            met.inputs += 1
            met.slowest = max(met.slowest, time.perf_counter() - began)
        met.grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        return met


def _too_long(_: int, __: FrameType | None) -> None:
    raise TimeoutError("it took too long")


def _timed(make: Callable[[Path], Reader]) -> float:
    began = time.perf_counter()
    meet(make, range(TRIED))
    return (time.perf_counter() - began) / TRIED


def main(total: int, names: list[str]) -> int:
    """Share the inputs out, print the table."""
    chosen = [make for make in ALL if not names or make.__name__.strip("_") in names]
    # A process for each reader, so that none grows by what another has read.
    with multiprocessing.get_context("spawn").Pool(2, maxtasksperchild=1) as pool:
        paces = [1 / seconds**0.5 for seconds in pool.map(_timed, chosen, chunksize=1)]
        shares = [range(int(total * pace / sum(paces)) + 1) for pace in paces]
        headings = "".join(f"{each:>9}" for each in ("inputs", "typed", "taken", "untyped", "slowest", "grown"))
        print(f"{'reader':<18}{headings}", flush=True)
        everything = []
        for met in pool.imap(_meet, list(zip(chosen, shares, strict=True)), chunksize=1):
            everything.append(met)
            figures = f"{met.inputs:>9,}{met.typed:>9,}{met.taken:>9,}{met.untyped.total():>9,}"
            print(f"{met.name:<18}{figures}{met.slowest:>7.2f} s{met.grown:>5.0f} MiB", flush=True)
            for kind, times in met.untyped.most_common(20):
                print(f"    {times:>6} x  input {met.first[kind]}: {kind}", flush=True)
    inputs, untyped = sum(met.inputs for met in everything), sum(met.untyped.total() for met in everything)
    print(f"{inputs:,} inputs, {untyped:,} untyped errors")
    return int(any(met.untyped or met.slowest > LONGEST or met.grown > LARGEST for met in everything))


def _meet(share: tuple[Callable[[Path], Reader], range]) -> Met:
    return meet(*share)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2:]))
