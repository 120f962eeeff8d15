"""Changes to a submission: fields of its recipe and keywords of its ``build_model``, each with a plain value.

A submission may say which of them to measure (``variants``) and to search (``search_space``); otherwise they follow
from its recipe.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from harness.errors import ContractError
from harness.learning.recipe import IMAGE_EDITS, OWN_LOSS, Recipe

if TYPE_CHECKING:
    import optuna

Changes = dict[str, Any]
SearchSpace = Callable[["optuna.Trial"], Changes]

_FACTORS = {"lr": 4.0, "weight_decay": 10.0}
"""Fields that are searched from their present value divided by this factor to their value multiplied by it."""
_EDITS = {
    "rotation": (10.0, 180.0),
    "scale": (0.1, 0.9),
    "shift": (4.0, math.inf),
    "brightness": (0.1, 1.0),
    "contrast": (0.2, 1.0),
}
"""Image edits that are searched up to twice their present strength. The first number stands for that strength where an
edit is off; the second is the upper limit."""


@dataclass(frozen=True)
class Searched:
    """What a search space made of the values that it was given.

    Attributes:
        changes: what it returned.
        space: every name that it asked for, with the distribution as Optuna writes it in JSON.
    """

    changes: Changes
    space: dict[str, Any]


def changed(
    recipe: Recipe, build_model: Callable[..., Any], changes: Mapping[str, Any]
) -> tuple[Recipe, Callable[..., Any]]:
    """A recipe and a ``build_model``, each with its part of the changes.

    Raises:
        RecipeError: a value is impossible.
        ContractError: a name is neither a field of a recipe nor a keyword of ``build_model``.
    """
    in_recipe = {field.name for field in fields(Recipe)}
    to_recipe = {name: value for name, value in changes.items() if name in in_recipe}
    to_model = {name: value for name, value in changes.items() if name not in in_recipe}
    for name in to_model:
        if not takes(build_model, name):
            raise ContractError(
                f"{name!r} is to be changed, but it is neither a field of a recipe nor a keyword of build_model; give "
                "build_model such a keyword, or correct the name"
            )
    return recipe.with_changes(**to_recipe), partial(build_model, **to_model)


def takes(builder: Callable[..., Any], name: str) -> bool:
    """Whether a ``build_model`` or ``build_estimator`` has a keyword of this name."""
    try:
        inspect.signature(builder).bind(None, None, **{name: None})
    except TypeError:
        return False
    return True


def takes_two(function: Callable[..., Any]) -> bool:
    """Whether a function can be called with two arguments."""
    try:
        inspect.signature(function).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True


def recipe_of(submission: ModuleType) -> Recipe:
    """The recipe of an imported submission; it names the loss "own" where one is written beside it.

    Raises:
        ContractError: its ``recipe`` is not a recipe.
    """
    recipe = getattr(submission, "recipe", Recipe())
    if not isinstance(recipe, Recipe):
        raise ContractError(
            f"recipe is {'None' if recipe is None else f'an object of type {type(recipe).__name__}'}; write "
            "recipe = Recipe(epochs=60, ...)"
        )
    return recipe if getattr(submission, "loss", None) is None else recipe.with_changes(loss=OWN_LOSS)


def variants_of(declared: object, recipe: Recipe, *, image_edits: bool) -> dict[str, Changes]:
    """The tricks to measure one by one: those that a submission declares, or all that its recipe can do without.

    Args:
        declared: its ``variants``; None where it has none.
        recipe: as it stands.
        image_edits: whether those of the recipe apply; not where the submission's own ``augment`` replaces them.

    Raises:
        ContractError: what is declared is not a dict of trick to changes.
    """
    if declared is not None:
        return check_variants(declared)
    tricks = recipe.tricks()
    if image_edits:
        return tricks
    own = {"own_augment=False": {"own_augment": False}}
    return {name: off for name, off in tricks.items() if not off.keys() & set(IMAGE_EDITS)} | own


def check_variants(declared: object) -> dict[str, Changes]:
    """Variants, once they are known to be a dict of trick to changes.

    Raises:
        ContractError: they are not.
    """
    if not isinstance(declared, dict) or not declared or not all(isinstance(trick, str) for trick in declared):
        raise ContractError(f'variants is {declared!r}; write variants = {{"no flips": {{"flip": 0}}, ...}}')
    return {trick: check_changes(changes, f"variants[{trick!r}]") for trick, changes in declared.items()}


def check_changes(value: object, what: str) -> Changes:
    """Changes, once they are known to be a dict of names to plain values.

    Raises:
        ContractError: they are not; the message begins with ``what``.
    """
    plain = isinstance(value, dict) and all(
        isinstance(name, str) and (each is None or isinstance(each, str | int | float) or _are_weights(each))
        for name, each in value.items()
    )
    if not plain:
        raise ContractError(
            f"{what} is {value!r}; changes are a dict of recipe fields or keywords of build_model to numbers, strings, "
            'true or false, such as {"lr": 0.01}'
        )
    assert isinstance(value, dict)
    return value


def _are_weights(value: object) -> bool:
    """Whether a value is of the form of ``keypoint_weights``."""
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(each, int | float) for name, each in value.items()
    )


def search(space: SearchSpace, values: Mapping[str, Any]) -> Searched:
    """Call a search space with these values; a name that is not among them gets a random one.

    The function is the competitor's, so it is called in the worker, on an Optuna trial of its own. The tuner sends the
    values that it chose, and gets the names that were asked for.

    Raises:
        ContractError: it does not return changes.
    """
    # Takes half a second to import, and only tuning needs it.
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.enqueue_trial(dict(values))
    trial = study.ask()
    changes = check_changes(space(trial), "what search_space(trial) returned")
    if "validation" in changes:
        raise ContractError("search_space(trial) changes validation, by which the tuner judges; leave it out")
    asked = {name: optuna.distributions.distribution_to_json(each) for name, each in trial.distributions.items()}
    return Searched(changes, {name: json.loads(text) for name, text in asked.items()})


def around(recipe: Recipe, *, image_edits: bool) -> SearchSpace:
    """The search space of a submission that has none: the fields that matter most, around their present values.

    Args:
        recipe: as it stands.
        image_edits: whether to search those of the recipe; not where a pipeline of the submission's own replaces them.
    """

    def space(trial: optuna.Trial) -> Changes:
        size = recipe.batch_size
        sizes = sorted({max(1, size // 2), size, 2 * size})
        changes: Changes = {"batch_size": trial.suggest_categorical("batch_size", sizes)}
        for name, factor in _FACTORS.items():
            if value := getattr(recipe, name):
                changes[name] = _short(trial.suggest_float(name, value / factor, value * factor, log=True))
        if recipe.ema:
            # Searched by the share of itself that the average forgets at each step, since that is what matters.
            share = 1 - recipe.ema
            share = trial.suggest_float("1 - ema", max(1e-5, share / 4), min(1, share * 4), log=True)
            changes["ema"] = round(1 - _short(share), 7)
        for name, (usual, most) in _EDITS.items() if image_edits else ():
            changes[name] = _short(trial.suggest_float(name, 0, min(2 * (getattr(recipe, name) or usual), most)))
        return changes

    return space


def _short(value: float) -> float:
    """Rounded to three digits, as a person would write it."""
    return float(f"{value:.3g}")
