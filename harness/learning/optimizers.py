"""Optimizers by name: torch's common ones, and all that timm knows."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from harness.errors import RecipeError
from harness.learning.recipe import Recipe

_LEAST = 1e-12
"""Replaces a momentum of 0 for optimizers that refuse 0, or that make no buffer at 0 and need it later."""

_OWN: dict[str, Callable[[list[dict[str, Any]], Recipe], Optimizer]] = {
    "adamw": lambda groups, recipe: AdamW(groups, lr=recipe.lr, betas=(float(recipe.momentum), 0.999)),
    "adam": lambda groups, recipe: Adam(groups, lr=recipe.lr, betas=(float(recipe.momentum), 0.999)),
    "sgd": lambda groups, recipe: SGD(groups, lr=recipe.lr, momentum=recipe.momentum),
    "nesterov": lambda groups, recipe: SGD(groups, lr=recipe.lr, momentum=max(recipe.momentum, _LEAST), nesterov=True),
}


def make_optimizer(model: nn.Module, recipe: Recipe) -> Optimizer:
    """The recipe's optimizer over a model's weights; biases and norms (one dimension) do not decay.

    Raises:
        RecipeError: neither torch nor timm has an optimizer of this name, or it cannot be made with this recipe.
    """
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [weight for weight in weights if weight.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer in _OWN:
        return _OWN[recipe.optimizer](groups, recipe)
    from timm import optim  # importing timm takes seconds

    known = [*_OWN, *map(str, optim.list_optimizers())]  # type: ignore[attr-defined]  # timm lists no exports
    if recipe.optimizer not in known:
        close = difflib.get_close_matches(recipe.optimizer, known, n=3) or list(_OWN)
        raise RecipeError(
            f"recipe field optimizer is {recipe.optimizer!r}, which neither torch nor timm knows; "
            f"choose one such as {', '.join(close)}"
        )
    try:
        optimizer: Optimizer = optim.create_optimizer_v2(  # type: ignore[attr-defined]  # timm lists no exports
            groups,
            opt=recipe.optimizer,
            lr=recipe.lr,
            momentum=max(recipe.momentum, _LEAST),
            weight_decay=recipe.weight_decay,
        )
    except Exception as error:  # timm's optimizers raise various errors for what they cannot do
        raise _failed(recipe, error) from error
    return optimizer


def take_step(optimizer: Optimizer, recipe: Recipe) -> None:
    """One step of the recipe's optimizer.

    Raises:
        RecipeError: the optimizer cannot work with the harness's trainer.
    """
    try:
        optimizer.step()
    except Exception as error:
        raise _failed(recipe, error) from error


def set_lr_and_momentum(optimizer: Optimizer, lr: float, momentum: float) -> None:
    """Give every group this learning rate, and this momentum as SGD's own or as Adam's beta1."""
    for group in optimizer.param_groups:
        group["lr"] = lr
        if "betas" in group:
            group["betas"] = (float(momentum), *group["betas"][1:])  # torch refuses a whole number here
        elif "momentum" in group:
            group["momentum"] = momentum if isinstance(optimizer, SGD) else max(momentum, _LEAST)


def _failed(recipe: Recipe, error: Exception) -> RecipeError:
    return RecipeError(
        f"recipe field optimizer is {recipe.optimizer!r}, which failed with this recipe: {error}; choose another, such "
        f"as {', '.join(_OWN)}"
    )
