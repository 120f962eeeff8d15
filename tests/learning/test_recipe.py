"""Recipes: plain values, checked when they are made."""

import json
import pickle
import subprocess
import sys

import pytest

from harness.errors import RecipeError
from harness.learning import losses
from harness.learning.recipe import LOSSES, Recipe


def test_a_recipe_survives_json_and_pickle() -> None:
    recipe = Recipe(epochs=3, loss="wing", flip_test=False, keypoint_weights={"mouth": 2})
    assert Recipe.from_mapping(json.loads(json.dumps(recipe.as_dict()))) == recipe
    assert pickle.loads(pickle.dumps(recipe)) == recipe


def test_with_changes_leaves_the_rest() -> None:
    assert Recipe(lr=0.5).with_changes(epochs=7) == Recipe(lr=0.5, epochs=7)


@pytest.mark.parametrize(
    "make",
    [lambda: Recipe(epoch=3), lambda: Recipe.from_mapping({"epoch": 3}), lambda: Recipe().with_changes(epoch=3)],
    ids=["call", "mapping", "change"],
)
def test_an_unknown_field_is_answered_with_the_nearest(make) -> None:
    with pytest.raises(RecipeError, match=r"no field 'epoch'; did you mean 'epochs'\?"):
        make()


def test_a_field_unlike_any_other_is_answered_with_all() -> None:
    with pytest.raises(RecipeError, match=r"no field 'zzz'; the fields are epochs, batch_size, "):
        Recipe(zzz=1)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("epochs", 0, "a whole number of at least 1"),
        ("epochs", 2.5, "a whole number of at least 1"),
        ("epochs", True, "a whole number of at least 1"),
        ("lr", float("nan"), "a number of at least 0"),
        ("lr", float("inf"), "a number of at least 0"),
        ("lr", "0.1", "a number of at least 0"),
        ("flip", 1.5, "a number from 0 to 1"),
        ("flip_test", 1, "true or false"),
        ("optimizer", "", "a name"),
        ("lr_schedule", "cosin", 'one of "constant", "linear", "cosine", "flat-cosine", "one-cycle", "plateau"'),
        ("loss", ["l1"], 'one of "l1", "mse", "smooth_l1", "wing", "euclidean", "own"'),
        ("partial_labels", None, 'one of "mask", "drop", "separate"'),
        ("keypoint_weights", {"mouth": -1}, "a mapping of keypoint or group names to numbers from 0 to 1000"),
        ("keypoint_weights", ["mouth"], "a mapping of keypoint or group names to numbers from 0 to 1000"),
    ],
)
def test_an_impossible_value_names_the_field_the_value_and_what_is_allowed(field, value, allowed) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe(**{field: value})
    assert str(caught.value) == f"recipe field {field} is {value!r}; it must be {allowed}"


def test_early_stopping_needs_a_validation_part() -> None:
    with pytest.raises(RecipeError, match=r"early_stopping is 5 but validation is 0; .*validation=0\.1"):
        Recipe(early_stopping=5)


def test_a_recipe_is_made_of_a_mapping_only() -> None:
    with pytest.raises(RecipeError, match="must be a mapping of field to value, not list"):
        Recipe.from_mapping([("epochs", 3)])


def test_the_losses_it_allows_are_those_that_exist() -> None:
    assert tuple(losses.LOSSES) == LOSSES


def test_importing_it_imports_neither_torch_nor_numpy() -> None:
    code = "import sys, harness.learning.recipe; print({'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_weights_that_change_later_change_no_recipe() -> None:
    weights = {"mouth": 2.0}
    recipe = Recipe(keypoint_weights=weights)
    weights["mouth"] = 3.0
    assert recipe.keypoint_weights == {"mouth": 2.0} and hash(recipe) == hash(Recipe())
