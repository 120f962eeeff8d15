"""Learning curves: what is kept of the progress that a worker reports."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from harness.runs.curves import curves_of
from harness.runs.worker_log import WorkerLog


def test_each_network_has_its_own_points() -> None:
    told = [{"epoch": 1, "error_px": 9.0}, {"epoch": 2, "error_px": 8.0, "validation_px": 7.00004, "network": 1.0}]

    first, second, third = curves_of(told, 3)

    assert first == {"epoch": [1], "error_px": [9.0], "validation_px": [None]}
    assert second == {"epoch": [2], "error_px": [8.0], "validation_px": [7.0]}
    assert third == {}


@pytest.mark.parametrize(("networks", "most"), [(1, 100), (50, 20)])
def test_of_a_long_training_evenly_spaced_points_are_kept_with_the_first_and_the_last(networks: int, most: int) -> None:
    curve, *_ = curves_of([{"epoch": float(epoch), "error_px": 1.0} for epoch in range(1, 5001)], networks)

    epochs = curve["epoch"]
    assert len(epochs) == most and (epochs[0], epochs[-1]) == (1, 5000)
    steps = [after - before for before, after in itertools.pairwise(epochs)]
    assert max(steps) - min(steps) <= 1


@pytest.mark.parametrize(
    "message",
    [
        {"error_px": 1.0},
        {"epoch": "1", "error_px": 1.0},
        {"epoch": 1, "network": 7},
        {"epoch": 1, "network": -1},
        {"epoch": 1, "network": 0.5},
    ],
)
def test_what_belongs_to_no_network_is_left_out(message: dict[str, Any]) -> None:
    log = WorkerLog(lambda _: False)
    log.hear({"kind": "progress", **message})

    assert curves_of(log.progress, 1) == [{}]


def test_a_worker_that_reports_without_end_fills_no_memory() -> None:
    log = WorkerLog(lambda _: False)
    for epoch in range(21_000):
        log.hear({"kind": "progress", "epoch": epoch})

    assert len(log.progress) == 20_000
