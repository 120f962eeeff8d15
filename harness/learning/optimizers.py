"""Optimizers by name: torch's common ones, and whatever timm knows."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from harness.errors import RecipeError
from harness.learning.recipe import Recipe

_OWN: dict[str, Callable[[list[dict[str, Any]], Recipe], Optimizer]] = {
    "adamw": lambda groups, recipe: AdamW(groups, lr=recipe.lr, betas=(recipe.momentum, 0.999)),
    "adam": lambda groups, recipe: Adam(groups, lr=recipe.lr, betas=(recipe.momentum, 0.999)),
    "sgd": lambda groups, recipe: SGD(groups, lr=recipe.lr, momentum=recipe.momentum),
    "nesterov": lambda groups, recipe: SGD(
        groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0
    ),
}


def make_optimizer(model: nn.Module, recipe: Recipe) -> Optimizer:
    """The recipe's optimizer over a model's weights; biases and norms (one dimension) do not decay.

    Raises:
        RecipeError: neither torch nor timm has an optimizer of this name.
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
    optimizer: Optimizer = optim.create_optimizer_v2(  # type: ignore[attr-defined]  # timm lists no exports
        groups, opt=recipe.optimizer, lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    return optimizer


def set_lr_and_momentum(optimizer: Optimizer, lr: float, momentum: float) -> None:
    """Give every group this learning rate, and this momentum as SGD's own or as Adam's beta1."""
    for group in optimizer.param_groups:
        group["lr"] = lr
        if "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        elif "momentum" in group:
            group["momentum"] = momentum
