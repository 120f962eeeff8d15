"""What a submission's own estimator is given: a seed, and the changes that it has keywords for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import ContractError, PredictionError, RecipeError
from harness.keypoints import FACE15
from harness.submission.contract import Learner, Settings, load_learner
from harness.submission.predicted import as_predictions

RANDOM = """
import random
import numpy as np
import torch

def numbers():
    return [random.random(), np.random.rand(), np.random.default_rng().random(), torch.rand(1).item()]

first = numbers()

class Drawn:
    def __init__(self, **settings):
        self.settings = settings

    def fit(self, images, keypoints):
        self.drawn = [*first, *numbers()]

    def predict(self, images):
        return np.zeros((len(images), 15, 2))

def build_estimator(layout, image_size, *, depth=3, epochs=10):
    return Drawn(depth=depth, epochs=epochs)
"""


def loaded(folder: Path, text: str = RANDOM, **overrides: Any) -> Learner:
    path = folder / "mine.py"
    path.write_text(text)
    return load_learner(path, FACE15, (16, 16), Settings("cpu", overrides, None, lambda _: None))


def drawn(folder: Path, **overrides: Any) -> list[float]:
    learner = loaded(folder, **overrides)
    np.random.rand(), np.random.default_rng()  # something else draws between
    learner.fit(np.zeros((4, 16, 16), np.uint8), np.zeros((4, 15, 2), np.float32), np.arange(4))
    return learner._estimator.drawn


def test_a_seed_from_outside_decides_every_random_number_of_an_estimator(tmp_path: Path) -> None:
    again, other, without = drawn(tmp_path, seed=7), drawn(tmp_path, seed=8), drawn(tmp_path)
    assert drawn(tmp_path, seed=7) == again
    assert without == drawn(tmp_path, seed=0)
    assert all(a != b for a, b in zip(again, other, strict=True))
    assert loaded(tmp_path, seed=7).facts()["seed"] == 7 and loaded(tmp_path).facts()["seed"] == 0


def test_torch_is_seeded_when_an_estimator_imports_it_and_not_imported_for_that() -> None:
    code = (
        "import sys; from harness.learning.seeding import seed_everything\n"
        "seed_everything(1); seed_everything(7); before = 'torch' in sys.modules\n"
        "import torch; first = torch.rand(1); torch.manual_seed(7)\n"
        "print(before, torch.equal(first, torch.rand(1)), torch.backends.cudnn.deterministic)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True"]


def test_changes_that_build_estimator_has_keywords_for_reach_it_and_the_others_are_named(tmp_path: Path) -> None:
    learner = loaded(tmp_path, epochs=5, seed=1, lr=0.1, width=2)
    assert learner._estimator.settings == {"depth": 3, "epochs": 5}
    assert learner.facts()["not_applied"] == ["lr", "width"]
    assert loaded(tmp_path, depth=4).facts()["not_applied"] == []


def test_an_estimator_tells_what_every_learner_tells(tmp_path: Path) -> None:
    assert loaded(tmp_path).facts() == {
        "seed": 0,
        "parameters": None,
        "weights_loaded": False,
        "can_save_weights": False,
        "not_applied": [],
        "notes": [],
        "networks": [],
    }


ENSEMBLE = """
from harness import Ensemble, Member, load_baseline

def build_estimator(layout, image_size, *, seeds=1):
    return Ensemble(layout, image_size, [Member.of(load_baseline("hidden_layer"))], seeds=seeds)
"""


def test_an_ensemble_takes_keywords_of_its_builder_and_fields_of_the_recipe(tmp_path: Path) -> None:
    networks = loaded(tmp_path, ENSEMBLE, seeds=2, epochs=3).facts()["networks"]
    assert [each["epochs_planned"] for each in networks] == [3, 3]
    with pytest.raises(ContractError, match="no field 'width'"):
        loaded(tmp_path, ENSEMBLE, width=2)


@pytest.mark.parametrize("text", [RANDOM, ENSEMBLE], ids=["estimator", "ensemble"])
def test_an_impossible_seed_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(RecipeError, match="recipe field seed is -1; it must be a whole number from 0"):
        loaded(tmp_path, text, seed=-1)


POINTS = np.arange(60, dtype=np.float32).reshape(2, 15, 2)


@pytest.mark.parametrize(
    "returned",
    [
        POINTS,
        POINTS.reshape(2, 30),
        POINTS.astype(np.float64),
        POINTS.astype(int),
        np.asfortranarray(POINTS),
        POINTS.tolist(),
    ],
    ids=["points", "flat", "float64", "whole numbers", "Fortran", "a list"],
)
def test_predictions_of_an_estimator_are_taken_in_any_plain_form(returned: object) -> None:
    points = as_predictions(returned, 2, 15)
    np.testing.assert_array_equal(points, POINTS)
    assert points.dtype == np.float32


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (POINTS.transpose(0, 2, 1), r"shape \(2, 2, 15\), wanted \(2, 15, 2\) .*; turn it with \.transpose\(0, 2, 1\)"),
        (np.zeros((2, 136)), r"shape \(2, 136\), wanted \(2, 15, 2\) for 2 images"),
        (POINTS * np.nan, "NaN or Inf for 30 of 30 points"),
        (None, "values of type object"),
    ],
    ids=["x and y first", "another layout", "NaN", "nothing"],
)
def test_other_predictions_are_refused(returned: object, message: str) -> None:
    with pytest.raises(PredictionError, match=rf"predict\(\) returned {message}"):
        as_predictions(returned, 2, 15)


def test_the_line_that_returned_them_is_named(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match=r"^mine\.py, line 19, in predict: predict\(\) returned shape"):
        loaded(tmp_path, RANDOM.replace("len(images)", "3")).predict(np.zeros((4, 16, 16), np.uint8))


WITH_PARTS = """
import numpy as np
from torch import nn
from harness import Recipe

def build_model(layout, image_size):
    return nn.Sequential(nn.Flatten(), nn.Linear(256, 30))

def loss(points, targets):
    called.add("loss")
    return (points - targets).abs().sum(dim=2)

def augment(image, keypoints):
    called.add("augment")
    return image, keypoints

called = set()
recipe = Recipe(epochs=2, batch_size=4, lr_schedule="plateau", plateau_patience=1, keypoint_weights={"mouth": 2})
"""


@pytest.mark.parametrize(
    ("overrides", "called"),
    [
        ({}, {"loss", "augment"}),
        ({"loss": "mse"}, {"augment"}),
        ({"own_augment": False}, {"loss"}),
    ],
)
def test_parts_beside_build_model_are_used_until_a_change_switches_them_off(
    tmp_path: Path, overrides: dict[str, Any], called: set[str]
) -> None:
    told: dict[str, Any] = {}
    (tmp_path / "mine.py").write_text(WITH_PARTS)
    settings = Settings("cpu", overrides, None, lambda _: None, threads=1, tell=told.update)
    learner = load_learner(tmp_path / "mine.py", FACE15, (16, 16), settings)

    learner.fit(np.zeros((8, 16, 16), np.uint8), np.ones((8, 15, 2), np.float32), np.arange(8))

    assert sys.modules["mine"].called == called
    (network,) = learner.facts()["networks"]
    assert network["recipe"]["loss"] == overrides.get("loss", "own")
    off = {
        "loss=mse": "loss",
        "own_augment=False": "augment",
        "keypoint_weights={}": None,
        "lr_schedule=constant": None,
    }
    assert {name for name, part in off.items() if part in {None, *called}} <= told["variants"].keys()
    assert ("flip=0" in told["variants"]) == ("augment" not in called)


def test_parts_of_a_member_are_used_too(tmp_path: Path) -> None:
    (tmp_path / "part_of_mine.py").write_text(WITH_PARTS)
    member = '[Member.of(load_baseline("hidden_layer"))]'
    text = "import part_of_mine\n" + ENSEMBLE.replace(member, "[Member.of(part_of_mine)]")
    loaded(tmp_path, text).fit(np.zeros((8, 16, 16), np.uint8), np.ones((8, 15, 2), np.float32), np.arange(8))
    assert sys.modules["part_of_mine"].called == {"loss", "augment"}
