"""Losses: one value for each keypoint, and a reducer that averages over those that are labelled.

A loss takes errors (B, K, 2), prediction minus target in units of half the image size, so that coordinates span
[-1, 1] and learning rates mean the same at every size. It returns (B, K). Its function's name is its name in a recipe.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

ElementLoss = Callable[[Tensor, float], Tensor]

WING_WIDTH = 10.0
"""Pixels below which the wing loss is logarithmic; Feng and others, arXiv 1711.06753, section 6."""
WING_CURVATURE = 2.0
"""Pixels over which the wing loss bends at zero; same source."""
SMOOTH_L1_KNEE = 1.0
"""Pixels below which the smooth L1 loss is quadratic."""


def l1(errors: Tensor, half_size: float) -> Tensor:
    """Mean absolute coordinate error."""
    return errors.abs().mean(dim=-1)


def mse(errors: Tensor, half_size: float) -> Tensor:
    """Mean squared coordinate error."""
    return errors.square().mean(dim=-1)


def smooth_l1(errors: Tensor, half_size: float) -> Tensor:
    """Absolute error, quadratic within one pixel."""
    knee = SMOOTH_L1_KNEE / half_size
    return functional.smooth_l1_loss(errors, torch.zeros_like(errors), reduction="none", beta=knee).mean(dim=-1)


def wing(errors: Tensor, half_size: float) -> Tensor:
    """Wing loss, steep for small errors (Feng and others, arXiv 1711.06753, equation 5)."""
    width, curvature = WING_WIDTH / half_size, WING_CURVATURE / half_size
    size = errors.abs()
    offset = width - width * math.log1p(width / curvature)
    return torch.where(size < width, width * torch.log1p(size / curvature), size - offset).mean(dim=-1)


def euclidean(errors: Tensor, half_size: float) -> Tensor:
    """Distance, which is what the mean pixel error averages."""
    distances: Tensor = torch.linalg.vector_norm(errors, dim=-1)
    return distances


LOSSES: dict[str, ElementLoss] = {loss.__name__: loss for loss in (l1, mse, smooth_l1, wing, euclidean)}


def labelled_errors(predictions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Errors (B, K, 2) in pixels, exactly 0 where the target is NaN, and bool (B, K): what is labelled.

    The NaN is replaced before anything is computed from it: 0 x NaN would be NaN, in the gradient too.
    """
    labelled = ~targets.isnan().any(dim=-1)
    targets = torch.where(labelled.unsqueeze(-1), targets, predictions.detach())
    return predictions - targets, labelled


def mean_of_labelled(values: Tensor, labelled: Tensor) -> Tensor:
    """Average (B, K) values over the labelled ones; 0, with a gradient of 0, if none is labelled."""
    return torch.where(labelled, values, 0.0).sum() / labelled.sum().clamp(min=1)
