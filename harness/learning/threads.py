"""How many threads the CPU computes with: one for each core, or fewer if other processes use the cores too.

A step of a network has thousands of parallel regions, each of which waits for its slowest thread. If another process
uses one of two cores, one thread is late by a time slice again and again, and two threads train at a thirtieth of the
speed of one. So numbers of threads are compared on a copy of the network: before training; when the cores that the
process may use change, which is how a grader makes its workers share; when training becomes much slower; and from time
to time while fewer threads than cores are in use.

The number decides in which order sums are taken. A comparison does not affect the training, and the number in use is
kept unless another one is clearly faster, so on a machine without other load a seed always gives the same weights.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import groupby

import torch

from harness.learning.seeding import same_random_numbers

Step = Callable[[int], object]
"""Trains a copy of the network on this many rows."""

CLEARLY = 1.3
"""Another number of threads is taken only if it is faster by this factor."""
SLOW = 0.7
"""A rate below this share of what was usual is a reason to compare again."""
WINDOW = 0.5
"""Seconds of training over which the rate is measured."""
PAUSE, LONGEST_PAUSE = 20.0, 320.0
"""Seconds between comparisons while fewer threads than cores are in use; doubled each time that nothing changes."""
SHORT_PAUSE = 0.5
"""The same while all are in use and training is slow."""
_ONE_TIMING, _COMPARISON = 0.02, 0.6
"""Least seconds of one timing, and seconds after which a comparison ends with the current round."""


class Threads:
    """The number of threads that torch computes with, through one network's training and its predictions.

    Args:
        device: nothing is chosen on other devices than the CPU.
        fixed: always this many; None chooses.
        cores: says how many cores this process may use at the moment.
        clock: seconds.
    """

    def __init__(
        self,
        device: torch.device,
        fixed: int | None = None,
        *,
        cores: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._chooses = device.type == "cpu" and fixed is None
        self._fixed = fixed
        self._count_cores, self._clock = cores or usable_cores, clock
        self._cores = self._count_cores()
        self._copied: Callable[[], Step] | None = None
        self._rows = 0
        self._history: list[int] = []
        self._images, self._seconds, self._usual = 0, 0.0, 0.0
        self._pause = self._next = 0.0

    @property
    def history(self) -> tuple[int, ...]:
        """The numbers that training used, one after the other; before training, the one that it will begin with."""
        return tuple(self._history) or (self._fixed or torch.get_num_threads(),)

    def __str__(self) -> str:
        return in_words(self.history)

    def begin(self, copied: Callable[[], Step], rows: int) -> None:
        """Choose the number to begin training with.

        Args:
            copied: copies the network with all that trains it.
            rows: of one step of the training.
        """
        self._copied, self._rows = copied, rows
        if not self.follow() and self._chooses:
            self._compare(afresh=True)

    @contextmanager
    def step(self, images: int) -> Iterator[None]:
        """Around each step of the training: follow the cores before it, and watch its rate."""
        self.follow()
        number = torch.get_num_threads()
        if self._history[-1:] != [number]:
            self._history.append(number)
        began = self._clock()
        yield
        if self._chooses:
            self._watch(images, self._clock() - began)

    def end(self) -> None:
        """Drop the copy that was made for comparisons."""
        self._copied = None

    def follow(self) -> bool:
        """Use fewer threads if the process has lost cores, more if it has gained some; returns whether either is so."""
        if self._fixed is not None:
            self._use(self._fixed)
        if not self._chooses:
            return False
        cores, before = self._count_cores(), torch.get_num_threads()
        had_all, changed = before >= self._cores, cores != self._cores
        self._cores = cores
        self._use(cores if changed and had_all else min(before, cores))
        if changed:
            self._compare(afresh=True)
        return changed

    def _watch(self, images: int, seconds: float) -> None:
        self._images, self._seconds = self._images + images, self._seconds + seconds
        if self._seconds < WINDOW or self._cores < 2:
            return
        rate = self._images / self._seconds
        self._images, self._seconds, self._usual = 0, 0.0, max(self._usual, rate)
        has_fewer = torch.get_num_threads() < self._cores
        if (has_fewer or rate < SLOW * self._usual) and self._clock() >= self._next:
            self._compare(afresh=False)

    def _compare(self, *, afresh: bool) -> None:
        """Time a few steps with each number of threads, and take the fastest if it is clearly faster."""
        if afresh:
            self._images, self._seconds, self._usual = 0, 0.0, 0.0
        if self._copied is None or self._cores < 2:
            return
        before = torch.get_num_threads()
        numbers = {before, *(max(1, self._cores >> halvings) for halvings in range(self._cores.bit_length()))}
        rates = compare(self._copied, sorted(numbers), self._rows, self._clock)
        number = choose(rates, before) if rates else before
        if afresh or number != before:
            self._use(number)
            self._images, self._seconds, self._usual = 0, 0.0, rates.get(number, 0.0)
            self._pause = PAUSE if number < self._cores else SHORT_PAUSE
        else:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._next = self._clock() + self._pause

    def _use(self, number: int) -> None:
        if torch.get_num_threads() != number:
            torch.set_num_threads(number)


def in_words(numbers: Iterable[int]) -> str:
    """Numbers of threads, one after the other: "2", or "2, then 1" where they changed."""
    changes = [str(number) for number, _ in groupby(numbers)]
    return ", then ".join(changes[:4]) + (", and so on" if len(changes) > 4 else "")


def choose(rates: dict[int, float], before: int) -> int:
    """The number of threads to go on with: as before, or the highest of those that are about as fast as the fastest.

    Args:
        rates: images per second with each number.
        before: the number in use.
    """
    good = [number for number, rate in rates.items() if rate * CLEARLY >= max(rates.values())]
    return before if before in good else max(good)


def compare(
    copied: Callable[[], Step], numbers: Iterable[int], rows: int, clock: Callable[[], float]
) -> dict[int, float]:
    """Images per second with each number of threads; empty if the network cannot be copied.

    Takes about half a second in all, more for a very slow network. Restores the random state and the number of threads.
    """
    before = torch.get_num_threads()
    # A failure of a copy either concerns the comparison alone, or happens again in training and is reported there.
    with suppress(Exception), same_random_numbers(torch.device("cpu")):
        try:
            return _compared(copied(), numbers, rows, clock)
        finally:
            torch.set_num_threads(before)
    return {}


def _compared(step: Step, numbers: Iterable[int], rows: int, clock: Callable[[], float]) -> dict[int, float]:
    until = clock() + _COMPARISON
    torch.set_num_threads(1)  # the one number that no other process makes far slower
    rows = _enough(step, rows, clock)
    rates: dict[int, list[float]] = {number: [] for number in numbers}
    for turn in range(4):
        for number, measured in rates.items():
            torch.set_num_threads(number)
            measured.append(_rate(step, rows, clock))
        if turn and clock() > until:
            break
    # The first turn also sets kernels up.
    return {number: statistics.median(measured[1:]) for number, measured in rates.items()}


def _enough(step: Step, most: int, clock: Callable[[], float]) -> int:
    """How many rows to time: all of a step's, or as many of them as a large network trains in the time for it."""
    rows = min(2, most)
    step(rows)  # sets kernels up
    while rows < most and rows / _rate(step, rows, clock) < _ONE_TIMING:
        rows = min(4 * rows, most)
        step(rows)
    return rows


def _rate(step: Step, rows: int, clock: Callable[[], float]) -> float:
    began, images = clock(), 0
    while clock() - began < _ONE_TIMING or not images:
        step(rows)
        images += rows
    return images / max(clock() - began, 1e-9)


def usable_cores() -> int:
    """How many cores this process may use at the moment."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
