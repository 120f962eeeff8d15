"""The number of threads: all that there are cores for while nobody else wants them, and never the slow one for long."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from harness.learning.seeding import seed_everything
from harness.learning.threads import PAUSE, Step, Threads, choose, compare

CPU = torch.device("cpu")
SPEEDS = {1: 1000.0, 2: 1700.0, 4: 2600.0}
"""Images per second that a network trains with so many threads on four cores that nobody else uses."""
BATCH = 64


@pytest.fixture(autouse=True)
def number_of_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


class Machine:
    """A machine of four cores whose clock goes on as it trains. Threads that share a core are 30 times slower."""

    def __init__(self) -> None:
        self.now, self.cores, self.busy, self.speeds = 0.0, 4, 0, SPEEDS
        self.trained = 0
        self.threads = Threads(CPU, cores=lambda: self.cores, clock=lambda: self.now)

    def compute(self, rows: int) -> None:
        number = torch.get_num_threads()
        shares = number > self.cores - self.busy
        self.now += rows / (self.speeds[number] / (30 if shares and number > 1 else 1))

    def copied(self) -> Step:
        return self.compute

    def begin(self) -> Machine:
        self.threads.begin(self.copied, BATCH)
        return self

    def train(self, seconds: float) -> set[int]:
        """Train so long; the numbers of threads that steps were made with."""
        end, seen = self.now + seconds, set()
        while self.now < end:
            with self.threads.step(BATCH):
                seen.add(torch.get_num_threads())
                self.compute(BATCH)
            self.trained += BATCH
        return seen


def test_on_a_quiet_machine_all_threads_are_used_from_beginning_to_end() -> None:
    machine = Machine().begin()

    assert machine.train(600) == {4}
    assert str(machine.threads) == "4"


def test_fewer_threads_are_not_taken_for_a_little_more_speed() -> None:
    machine = Machine()
    machine.speeds = {1: 1150.0, 2: 1200.0, 4: 1000.0}

    assert machine.begin().train(600) == {4}


@pytest.mark.parametrize(("busy", "number"), [(1, 2), (3, 1), (4, 1)])
def test_beside_busy_processes_training_begins_with_fewer(busy: int, number: int) -> None:
    machine = Machine()
    machine.busy = busy

    assert machine.begin().train(60) == {number}
    assert str(machine.threads) == str(number)


def test_a_rate_that_collapses_is_mended_within_seconds_and_all_return_once_they_can() -> None:
    machine = Machine().begin()
    machine.train(30)

    machine.busy = 1
    machine.train(5)
    assert machine.train(60) == {2}

    machine.busy = 0
    machine.train(5 * PAUSE)
    assert machine.train(60) == {4}
    assert str(machine.threads) == "4, then 2, then 4"


def test_looking_for_more_costs_little_on_a_machine_that_stays_busy() -> None:
    machine = Machine()
    machine.busy = 3
    machine.begin().train(600)

    assert machine.trained > 0.95 * 600 * SPEEDS[1]


def test_a_slow_second_that_other_numbers_share_changes_nothing() -> None:
    machine = Machine().begin()
    machine.train(10)
    machine.speeds = {number: speed / 10 for number, speed in SPEEDS.items()}
    machine.train(1)
    machine.speeds = SPEEDS

    assert machine.train(60) == {4}
    assert str(machine.threads) == "4"


def test_cores_that_are_taken_away_are_left_at_the_next_step_and_used_again_when_they_return() -> None:
    machine = Machine().begin()
    machine.train(10)
    seen = []
    for cores in (1, 4, 2, 4):
        machine.cores = cores
        seen.append(machine.train(10))

    assert seen == [{1}, {4}, {2}, {4}]
    assert str(machine.threads) == "4, then 1, then 4, then 2, and so on"


def test_predictions_follow_the_cores_after_training() -> None:
    machine = Machine().begin()
    machine.train(1)
    machine.threads.end()
    machine.cores = 1
    machine.threads.follow()

    assert torch.get_num_threads() == 1


def no_copy() -> Step:
    raise AssertionError("nothing is to be compared")


@pytest.mark.parametrize("number", [1, 3])
def test_a_fixed_number_is_kept_whatever_happens(number: int) -> None:
    machine = Machine()
    machine.threads = Threads(CPU, number, cores=lambda: machine.cores, clock=lambda: machine.now)
    machine.speeds = {number: 1000.0}
    assert str(machine.threads) == str(number)

    machine.threads.begin(no_copy, BATCH)
    assert machine.train(60) == {number}
    machine.busy = machine.cores = 1
    assert machine.train(60) == {number}


def test_one_core_leaves_nothing_to_compare() -> None:
    machine = Machine()
    machine.cores = 1
    threads = Threads(CPU, cores=lambda: 1, clock=lambda: machine.now)
    threads.begin(no_copy, BATCH)

    assert torch.get_num_threads() == 1


def test_a_network_that_cannot_be_copied_is_trained_with_all_threads() -> None:
    def fails() -> Step:
        raise RuntimeError("only leaf tensors support deepcopy")

    machine = Machine()
    machine.threads.begin(fails, BATCH)

    assert machine.train(30) == {4}


def test_other_devices_keep_the_number_that_they_have() -> None:
    threads = Threads(torch.device("meta"), cores=lambda: 1)
    threads.begin(no_copy, BATCH)

    assert torch.get_num_threads() == 4


@pytest.mark.parametrize(
    ("rates", "before", "number"),
    [
        ({1: 100.0, 2: 150.0}, 2, 2),
        ({1: 100.0, 2: 90.0}, 2, 2),
        ({1: 100.0, 2: 50.0}, 2, 1),
        ({1: 100.0, 2: 150.0}, 1, 2),
        ({1: 100.0, 2: 120.0}, 1, 1),
        ({1: 50.0, 2: 100.0, 4: 95.0, 8: 20.0}, 8, 4),
    ],
)
def test_the_number_is_changed_for_a_clear_gain_only(rates: dict[int, float], before: int, number: int) -> None:
    assert choose(rates, before) == number


@pytest.mark.parametrize("draw", [lambda: torch.rand(3).tolist(), random.random, np.random.random])
def test_a_comparison_leaves_random_numbers_and_threads_as_they_were(draw: Callable[[], object]) -> None:
    seed_everything(1)
    expected = draw()
    seed_everything(1)

    times = iter(range(10_000))
    rates = compare(lambda: lambda rows: draw(), (1, 2), BATCH, lambda: float(next(times)))

    assert set(rates) == {1, 2}
    assert draw() == expected
    assert torch.get_num_threads() == 4
