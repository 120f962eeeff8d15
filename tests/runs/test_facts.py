"""Facts: what a worker says is taken in as far as it has the right form, and no further."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from harness.learning.recipe import Recipe
from harness.runs.facts import Facts
from harness.runs.worker_log import Event, WorkerLog


def told(**message: Any) -> Facts:
    """Facts after a message that came as JSON."""
    return Facts().updated(json.loads(json.dumps(message)))


def test_a_network_and_an_ensemble_have_the_same_form() -> None:
    network = {"recipe": Recipe().as_dict(), "rows": 2400, "epochs": 30, "images_per_second": 800.0}

    one, three = told(networks=[network]), told(networks=[network] * 3)

    assert one.recipe == Recipe().as_dict() and three.recipe is None
    assert [each.rows for each in three.networks] == [2400] * 3
    assert one.networks[0].trained


@pytest.mark.parametrize(
    "message",
    [
        {"parameters": -1},
        {"parameters": "many"},
        {"parameters": 10**18},
        {"device": "x" * 1000},
        {"device": ["cpu"]},
        {"networks": [{}] * 1000},
        {"networks": [{"recipe": {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}}]},
        {"networks": [{"epochs": "\x1b[31m::error::"}]},
        {"networks": {"recipe": 1}},
        {"variants": {"trick": {"lr": "x" * 1000}}},
        {"space": [1, 2]},
        {"anything": "else"},
    ],
)
def test_what_is_not_of_the_right_form_is_passed_over(message: dict[str, Any]) -> None:
    assert told(**message, seed=3) == Facts(seed=3)


def test_time_in_training_counts_although_the_worker_was_killed_in_it() -> None:
    log = WorkerLog(lambda _: False)
    log.hear({"kind": "stage", "stage": "loading"})
    log.hear({"kind": "stage", "stage": "training"})
    time.sleep(0.02)

    log.close()

    assert log.training_seconds >= 0.02


def test_a_listener_hears_the_facts_when_training_begins_then_progress() -> None:
    heard: list[Event] = []
    log = WorkerLog(lambda event: bool(heard.append(event)))

    log.hear({"kind": "facts", "parameters": 7, "device": "cpu"})
    log.hear({"kind": "stage", "stage": "training"})
    log.hear({"kind": "progress", "epoch": 1, "error_px": 2.5, "message": "::error::", "nan": None})

    assert [event.facts.parameters for event in heard] == [7, 7]
    assert [event.progress for event in heard] == [None, {"epoch": 1.0, "error_px": 2.5}]
    assert not log.is_over


def test_nothing_that_it_says_once_it_has_the_images_to_predict_is_heard_and_there_is_no_way_back() -> None:
    heard: list[Event] = []
    log = WorkerLog(lambda event: bool(heard.append(event)))

    for stage in ("training", "predicting", "training"):
        log.hear({"kind": "stage", "stage": stage})
    log.hear({"kind": "facts", "device": "a held-out face in 200 letters"})
    log.hear({"kind": "progress", "epoch": 3.14})

    assert (log.stage, log.facts.device, len(heard)) == ("predicting", "", 1)


@pytest.mark.parametrize("reason", [None, "", " \n ", []])
def test_a_worker_that_gives_no_reason_is_given_one(reason: Any) -> None:
    log = WorkerLog(lambda _: False)

    log.hear({"kind": "failed", "reason": reason})

    assert log.failure == "it gave up without a reason; give the error that it raises a message"


@pytest.mark.parametrize(
    ("message", "most"),
    [
        ({"kind": "progress", "epoch": 1, "epochs": 1}, 1),
        ({"kind": "stage", "stage": "training"}, 1),
        ({"kind": "progress", "epochs": 10**9}, 20_000),
    ],
)
def test_repeated_reports_are_heard_only_so_often(message: dict[str, Any], most: int) -> None:
    heard: list[Event] = []
    log = WorkerLog(lambda event: bool(heard.append(event)))

    for number in range(30_000):
        log.hear(message if most == 1 else message | {"epoch": number})

    assert len(heard) == most


def test_a_stage_that_is_over_does_not_come_again() -> None:
    log = WorkerLog(lambda _: False)

    for stage in ("training", "done", "loading", "training"):
        log.hear({"kind": "stage", "stage": stage})

    assert log.stage == "done"
