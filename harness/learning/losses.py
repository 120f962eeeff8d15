"""Losses: one value for each keypoint, and a reducer that averages over those that are labelled.

A loss takes errors (B, K, 2), prediction minus target in units of half the image size, so that coordinates span
[-1, 1] and learning rates mean the same at every size. It returns (B, K). Its function's name is its name in a recipe.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from harness.errors import RecipeError
from harness.keypoints import KeypointLayout

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


def mean_of_labelled(values: Tensor, labelled: Tensor, weights: Tensor | None = None) -> Tensor:
    """Average (B, K) values over the labelled ones; 0, with a gradient of 0, if none is labelled.

    Args:
        values: (B, K).
        labelled: bool (B, K).
        weights: (K,) of the keypoints; alike if None.
    """
    values = torch.where(labelled, values, 0.0)
    if weights is None:
        return values.sum() / labelled.sum().clamp(min=1)
    total = (labelled * weights).sum()
    return (values * weights).sum() / torch.where(total > 0, total, 1.0)


def weights_of(named: Mapping[str, float], layout: KeypointLayout) -> list[float] | None:
    """The weight of each of the K keypoints; None where nothing is named.

    Args:
        named: weights by the names of keypoints and groups; a keypoint's own name counts before its group's.
        layout: the K keypoints and their groups.

    Raises:
        RecipeError: a name is neither, or every keypoint weighs 0.
    """
    if not named:
        return None
    known = [*layout.groups, *layout.keypoints]
    for name in named:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the groups are {', '.join(layout.groups)}"
            raise RecipeError(
                f"recipe field keypoint_weights: {name!r} is not a keypoint or group of the layout; {hint}"
            )
    weights = {name: float(named.get(group, 1)) for group, names in layout.groups.items() for name in names}
    weights |= {name: float(weight) for name, weight in named.items() if name in layout.keypoints}
    if not any(weights.values()):
        raise RecipeError("recipe field keypoint_weights gives every keypoint 0; leave at least one above 0")
    return [weights[name] for name in layout.keypoints]
