"""Every value that a recipe's field allows trains, the lowest and the highest too."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from torch import nn

from harness import FACE15, Recipe
from harness.errors import ContractError, RecipeError, TrainingError
from harness.learning.estimator import NetworkEstimator
from harness.learning.recipe import OWN_LOSS

SIZE = (16, 16)
LARGE = {
    "epochs": 3,
    "batch_size": 10**6,
    "lr": 1e9,
    "lr_end": 1e9,
    "weight_decay": 100,
    "shift": 1e6,
    "shape_loss": 1e6,
    "shape_width": 1e6,
    "early_stopping": 10**6,
    "plateau_patience": 10**6,
}
"""For the fields without a highest value."""


def ends() -> list[Any]:
    """Each field with each of its words, or with the ends of what it may hold; whole numbers where they are whole."""
    found = []
    for field in fields(Recipe):
        allowed = field.metadata["allowed"]
        if hasattr(allowed, "words"):
            values = [word for word in allowed.words if word != OWN_LOSS]  # which needs a function
        elif hasattr(allowed, "low"):
            highest = allowed.high if allowed.high < math.inf else LARGE[field.name]
            values = [int(each) if float(each).is_integer() else each for each in (allowed.low, highest)]
        elif field.name == "keypoint_weights":
            values = [{}, {"mouth": 0}, {"nose_tip": 1000, "eyes": 0.5}]
        elif field.name == "optimizer":
            values = ["adamw", "adam", "sgd", "nesterov", "rmsprop", "lion"]
        else:
            values = [True, False]
        found += [pytest.param(field.name, value, id=f"{field.name}={value}") for value in values]
    return found


def convolution(layout, image_size) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, len(layout), 3, padding=1)
    )


def faces(count: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Some of them lack most of their keypoints."""
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(0, 16, (count, 15, 2)).astype(np.float32)
    keypoints[-6:, 4:] = np.nan
    return rng.integers(0, 256, (count, *SIZE), dtype=np.uint8), keypoints


def train(build_model=convolution, codec: str = "heatmaps", count: int = 20, **values: Any) -> NetworkEstimator:
    recipe = Recipe(**{"epochs": 2, "batch_size": 8, **values})
    return NetworkEstimator(build_model, recipe, FACE15, SIZE, codec=codec).fit(*faces(count))


@pytest.mark.parametrize(("name", "value"), ends())
def test_a_network_trains_at_both_ends_of_every_field(name: str, value: Any) -> None:
    values = {"validation": 0.25} if name == "early_stopping" else {}
    try:
        fitted = train(**values, **{name: value})
    except TrainingError as error:
        assert name in ("lr", "lr_end") and value == LARGE[name]
        assert "lower lr" in str(error)
    else:
        assert np.isfinite(fitted.predict(faces()[0])).all()


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", "nesterov", "rmsprop", "madgrad", "sgdw"])
@pytest.mark.parametrize("schedule", ["constant", "linear"])
def test_every_optimizer_trains_without_momentum_and_with_one_that_begins_at_none(optimizer, schedule) -> None:
    fitted = train(optimizer=optimizer, momentum=0, momentum_schedule=schedule, lr=1e-4)
    assert np.isfinite(fitted.predict(faces()[0])).all()


@pytest.mark.parametrize(("optimizer", "lr"), [("adahessian", 0.01), ("adamc", 0)])
def test_an_optimizer_that_cannot_work_here_is_named_with_others(optimizer: str, lr: float) -> None:
    with pytest.raises(RecipeError, match=rf"optimizer is '{optimizer}', which failed .*choose another, such as adamw"):
        train(optimizer=optimizer, lr=lr)


def normalised(layout, image_size) -> nn.Module:
    """A network that cannot train on a single image: its batch normalisation sees one value a channel."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(256, 8), nn.BatchNorm1d(8), nn.Linear(8, 30), nn.Unflatten(1, (len(layout), 2))
    )


def test_a_network_that_needs_two_images_a_step_gets_them_or_a_sentence() -> None:
    assert train(normalised, "pixels", count=21, batch_size=2).trained.epochs == 2
    with pytest.raises(ContractError, match=r"cannot train on a batch of one image .*raise batch_size"):
        train(normalised, "pixels", batch_size=1)


def test_a_number_that_nothing_can_compute_with_is_refused() -> None:
    with pytest.raises(RecipeError, match="recipe field lr is 1000"):
        Recipe(lr=10**400)
