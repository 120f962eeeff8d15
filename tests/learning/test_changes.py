"""Changes to a submission: what may be changed, what is measured, what is searched."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import ContractError, RecipeError
from harness.learning.changes import around, changed, check_variants, search, variants_of
from harness.learning.recipe import IMAGE_EDITS, Recipe

PLAIN = Recipe(
    lr_schedule="constant",
    warmup=0,
    momentum=0,
    weight_decay=0,
    loss="mse",
    partial_labels="drop",
    ema=0,
    flip_test=False,
    **dict.fromkeys(IMAGE_EDITS, 0),
)


def build_model(layout: object, image_size: object, *, width: int = 16) -> int:
    return width


def test_changes_go_to_the_recipe_and_to_build_model() -> None:
    recipe, build = changed(Recipe(), build_model, {"lr": 0.1, "width": 8})

    assert recipe == Recipe(lr=0.1)
    assert build(None, None) == 8
    assert changed(recipe, build, {"width": 4})[1](None, None) == 4


def test_an_unknown_change_is_named() -> None:
    with pytest.raises(ContractError, match="'widht' is to be changed, but it is neither a field of a recipe nor"):
        changed(Recipe(), build_model, {"widht": 8})
    with pytest.raises(RecipeError, match="recipe field lr is -1"):
        changed(Recipe(), build_model, {"lr": -1})


def test_without_variants_each_trick_that_is_on_is_switched_off() -> None:
    recipe = PLAIN.with_changes(flip=0.5, ema=0.99, loss="wing")

    assert PLAIN.tricks() == {}
    assert variants_of(None, recipe, image_edits=True) == {
        "loss=mse": {"loss": "mse"},
        "flip=0": {"flip": 0},
        "ema=0": {"ema": 0},
    }
    with_own = variants_of(None, recipe.with_changes(keypoint_weights={"mouth": 2}), image_edits=False)
    assert with_own == {
        "loss=mse": {"loss": "mse"},
        "keypoint_weights={}": {"keypoint_weights": {}},
        "ema=0": {"ema": 0},
        "own_augment=False": {"own_augment": False},
    }
    assert check_variants(with_own) == with_own


def test_every_trick_can_be_switched_off() -> None:
    recipe = Recipe()
    for off in recipe.tricks().values():
        recipe = recipe.with_changes(**off)
    assert recipe == PLAIN


def test_declared_variants_are_taken_as_they_are() -> None:
    declared = {"no flips": {"flip": 0}, "wide and long": {"width": 64, "epochs": 200}}
    assert variants_of(declared, Recipe(), image_edits=True) == declared


@pytest.mark.parametrize(
    "declared", [["flip"], {"no flips": "flip"}, {"wide": {"width": [1, 2]}}, {3: {"flip": 0}}, {}]
)
def test_variants_of_another_form_are_refused(declared: object) -> None:
    with pytest.raises(ContractError, match="variants"):
        variants_of(declared, Recipe(), image_edits=True)


def test_a_search_space_gets_the_values_that_were_chosen_and_tells_its_ranges() -> None:
    def space(trial: Any) -> dict[str, Any]:
        return {
            "width": 2 ** trial.suggest_int("log width", 3, 6),
            "lr": trial.suggest_float("lr", 1e-3, 1e-1, log=True),
        }

    searched = search(space, {"log width": 5, "lr": 0.02})

    assert searched.changes == {"width": 32, "lr": 0.02}
    assert searched.space["log width"]["attributes"] == {"low": 3, "high": 6, "step": 1, "log": False}
    assert searched.space["lr"]["name"] == "FloatDistribution"


def test_a_name_that_no_value_was_chosen_for_gets_one_in_its_range() -> None:
    def space(trial: Any) -> dict[str, Any]:
        kind = trial.suggest_categorical("optimizer", ["adamw", "sgd"])
        return {"momentum": trial.suggest_float("momentum", 0.5, 0.9)} if kind == "sgd" else {}

    assert search(space, {"optimizer": "adamw"}).space.keys() == {"optimizer"}
    searched = search(space, {"optimizer": "sgd"})
    assert 0.5 <= searched.changes["momentum"] <= 0.9
    assert searched.space.keys() == {"optimizer", "momentum"}


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (None, r"what search_space\(trial\) returned is None; changes are a dict"),
        ({"width": (1, 2)}, r"what search_space\(trial\) returned is .*; changes are a dict"),
        ({"validation": 0.1}, "changes validation, by which the tuner judges"),
    ],
)
def test_a_search_space_has_to_return_changes(returned: Any, sentence: str) -> None:
    with pytest.raises(ContractError, match=sentence):
        search(lambda trial: returned, {})


@pytest.mark.parametrize("recipe", [Recipe(), PLAIN, Recipe(lr=0, scale=0.8, brightness=1, ema=0.99999, batch_size=1)])
def test_the_space_around_a_recipe_holds_possible_recipes(recipe: Recipe) -> None:
    asked = search(around(recipe, image_edits=True), {}).space
    for end in ("low", "high"):
        values = {
            name: each["attributes"][end] if end in each["attributes"] else each["attributes"]["choices"][0]
            for name, each in asked.items()
        }
        recipe.with_changes(**search(around(recipe, image_edits=True), values).changes)
    assert {"batch_size", "rotation"} <= asked.keys()
    assert "rotation" not in search(around(recipe, image_edits=False), {}).space


def test_a_trick_that_is_off_is_searched_from_off_and_the_learning_rate_around_its_value() -> None:
    asked = search(around(PLAIN.with_changes(lr=0.01), image_edits=True), {}).space

    assert (asked["rotation"]["attributes"]["low"], asked["rotation"]["attributes"]["high"]) == (0, 20)
    assert asked["lr"]["attributes"] == {"low": 0.0025, "high": 0.04, "log": True, "step": None}
    assert "ema" not in asked and "weight_decay" not in asked


def test_weights_of_keypoints_can_be_searched() -> None:
    found = search(lambda trial: {"keypoint_weights": {"mouth": trial.suggest_float("mouth", 1, 4)}}, {"mouth": 2.5})
    assert changed(Recipe(), build_model, found.changes)[0].keypoint_weights == {"mouth": 2.5}
    with pytest.raises(ContractError, match="changes are a dict of recipe fields or keywords"):
        search(lambda trial: {"keypoint_weights": {"mouth": [1]}}, {})
