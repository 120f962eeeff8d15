"""What `harness check` forecasts from a few seconds of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.submissions import NETWORK
from support.tiny import Tiny

from harness import Recipe
from harness.cli import main
from harness.runs.facts import Facts, NetworkFacts
from harness.runs.job import Job
from harness.runs.run import Run

TRIED, ALL = 16, 36
"""Training faces of the tiny benchmark that a check learns from, and all that there are."""


def network(epochs: int, rate: float | None, rows: int = TRIED, **recipe: Any) -> NetworkFacts:
    """What a worker says of a network: so many epochs planned and, once it has trained, on what and how fast."""
    trained = {"rows": rows, "images_per_second": rate} if rate else {}
    return NetworkFacts(recipe=Recipe(**recipe).as_dict(), epochs_planned=epochs, **trained)


@pytest.fixture
def checked(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """What a check prints, where a worker says this of itself."""

    def checked(facts: Facts, options: tuple[str, ...] = ()) -> list[str]:
        def run_one(job: Job, *_: Any) -> Run:
            assert len(job.material.training) == TRIED
            points = np.zeros((len(job.material.asked), 15, 2), np.float32)
            return Run(points, None, facts, training_seconds=5, peak_memory=2**30)

        monkeypatch.setattr("harness.runs.executors.run_one", run_one)
        path = tiny.submission(NETWORK)
        assert main(["check", str(path), "--benchmark", str(tiny.card), "--data", str(tiny.data), *options]) == 0
        return capsys.readouterr().out.splitlines()

    return checked


@pytest.fixture
def forecast(checked):
    """The two lines of the forecast, where a worker says this of its networks."""

    def forecast(*networks: NetworkFacts, options: tuple[str, ...] = ()) -> str:
        return "\n".join(checked(Facts(networks=list(networks)), options)[-2:])

    return forecast


def test_the_forecast_of_one_network_is_its_epochs_over_its_rate(forecast) -> None:
    assert f"{ALL} s of training (100 epochs at 100 images/s); the limit is 1 min\n" in forecast(network(100, 100.0))


def test_the_forecast_of_an_ensemble_is_the_sum_over_its_networks(forecast) -> None:
    fast, slow, loaded = network(100, 1000.0), network(10, 10.0), network(0, None)
    shown = forecast(fast, slow, loaded)
    assert "40 s of training (3 networks, 110 epochs at 10 to 1,000 images/s)" in shown
    assert "raise --time-limit" not in shown


def test_a_network_learns_from_as_large_a_share_of_all_faces_as_of_those_tried(forecast) -> None:
    assert "18 s of training" in forecast(network(100, 100.0, rows=TRIED // 2))


def test_a_network_that_was_not_reached_has_the_rate_of_its_like(forecast) -> None:
    like, reached = network(10, None, lr=0.5, seed=1), network(10, float(ALL), lr=0.5)
    assert "20 s of training (3 networks, 20 epochs at 36 images/s)" in forecast(
        reached, like, network(0, None, loss="mse")
    )


def test_the_verdict_is_that_of_the_limits_that_were_asked_for(forecast) -> None:
    long = network(100, 100.0)
    shown = forecast(long, options=("--time-limit", "30s", "--memory-limit", "512m"))
    assert "the limit is 30 s; it will train for fewer epochs, or raise --time-limit" in shown
    assert "the limit is 512 MiB; use a smaller batch or network, or raise --memory-limit" in shown
    assert "raise" not in forecast(long, options=("--time-limit", "10m"))


def test_weights_that_are_loaded_take_no_training(forecast) -> None:
    assert "0 s of training (weights are loaded)" in forecast(network(0, None))


def test_an_estimator_of_ones_own_is_forecast_by_the_number_of_faces(forecast) -> None:
    shown = forecast(options=("--time-limit", "5s"))
    assert "11 s of training (if it grows with the number of faces)" in shown
    assert "it would be stopped; do less, or raise --time-limit" in shown


def test_what_was_noted_and_what_has_no_effect_are_shown(checked) -> None:
    shown = checked(Facts(notes=["warning: mine.py, line 2: old", "two\nlines"], not_applied=["epochs", "lr"]))
    assert [line for line in shown if line.startswith(("  noted", "  without"))] == [
        "  noted            warning: mine.py, line 2: old",
        "  noted            two lines",
        "  without effect   epochs, lr",
    ]
