"""What a model emits, turned into points and a loss."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.learning.codecs import Codec, Outputs
from harness.learning.losses import LOSSES, labelled_errors, mean_of_labelled
from harness.learning.own_loss import OwnLoss
from harness.learning.recipe import Recipe


def points_and_loss(
    codec: Codec,
    outputs: Outputs,
    keypoints: Tensor,
    recipe: Recipe,
    image_size: tuple[int, int],
    *,
    own_loss: OwnLoss | None = None,
    weights: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Points (B, K, 2) in pixels, and the recipe's loss over the labelled ones.

    Args:
        codec: how to read the outputs.
        outputs: what the model emitted for B images.
        keypoints: (B, K, 2) in pixels, NaN where missing.
        recipe: names the loss, and the weight of the outputs' shape in it.
        image_size: (height, width) in pixels; losses take errors in units of half the longer side.
        own_loss: stands in for the recipe's.
        weights: (K,) of the keypoints; alike if None.
    """
    points = codec.decode(outputs, image_size)
    errors, labelled = labelled_errors(points, keypoints)
    half_size = max(image_size) / 2
    if own_loss is None:
        losses = LOSSES[recipe.loss](errors / half_size, half_size)
    else:
        losses = own_loss(points, keypoints, labelled)
    if recipe.shape_loss:
        targets = torch.where(labelled.unsqueeze(-1), keypoints, 0.0)
        losses = losses + recipe.shape_loss * codec.shape_loss(outputs, targets, image_size, recipe.shape_width)
    return points, mean_of_labelled(losses, labelled, weights)


def summed_distance(points: Tensor, keypoints: Tensor) -> Tensor:
    """(2,): sum of the distances in pixels over the labelled keypoints, and how many there are."""
    errors, labelled = labelled_errors(points, keypoints)
    return torch.stack([torch.linalg.vector_norm(errors, dim=-1).sum(), labelled.sum().float()])
