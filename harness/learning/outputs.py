"""What a model emits: checked once, then turned into points and a loss by its codec."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.errors import ContractError
from harness.keypoints import KeypointLayout
from harness.learning.codecs import CODECS, Codec, Outputs
from harness.learning.losses import LOSSES, labelled_errors, mean_of_labelled
from harness.learning.recipe import Recipe


def points_and_loss(
    codec: Codec, outputs: Outputs, keypoints: Tensor, recipe: Recipe, image_size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Points (B, K, 2) in pixels, and the recipe's loss over the labelled ones.

    Args:
        codec: how to read the outputs.
        outputs: what the model emitted for B images.
        keypoints: (B, K, 2) in pixels, NaN where missing.
        recipe: names the loss, and the weight of the outputs' shape in it.
        image_size: (height, width) in pixels; losses take errors in units of half the longer side.
    """
    points = codec.decode(outputs, image_size)
    errors, labelled = labelled_errors(points, keypoints)
    half_size = max(image_size) / 2
    losses = LOSSES[recipe.loss](errors / half_size, half_size)
    if recipe.shape_loss:
        targets = torch.where(labelled.unsqueeze(-1), keypoints, 0.0)
        losses = losses + recipe.shape_loss * codec.shape_loss(outputs, targets, image_size, recipe.shape_width)
    return points, mean_of_labelled(losses, labelled)


def summed_distance(points: Tensor, keypoints: Tensor) -> Tensor:
    """(2,): sum of the distances in pixels over the labelled keypoints, and how many there are."""
    errors, labelled = labelled_errors(points, keypoints)
    return torch.stack([torch.linalg.vector_norm(errors, dim=-1).sum(), labelled.sum().float()])


@torch.no_grad()
def check_outputs(model: nn.Module, images: Tensor, layout: KeypointLayout, codec: Codec) -> None:
    """Run a model once, in eval mode, on images (B, 1, H, W) and check that it emits what its codec reads.

    Raises:
        ContractError: it fails on them, or emits something else; the message gives the remedy for common mistakes.
    """
    shape = tuple(images.shape)
    try:
        outputs = model.eval()(images)
    except Exception as error:
        raise ContractError(f"the model failed on a batch of images of shape {shape}: {error}") from error
    batch, keypoints = len(images), len(layout)
    if not codec.fits(outputs, batch, keypoints):
        wanted = codec.wanted.format(batch=batch, keypoints=keypoints)
        raise ContractError(
            f"the model returned {_described(outputs)} for images of {shape}; it must return {wanted}"
            f"{_remedy(outputs, batch, keypoints)}"
        )
    tensors = [outputs] if isinstance(outputs, Tensor) else outputs
    for tensor in tensors:
        if not tensor.is_floating_point():
            raise ContractError(f"the model returned {tensor.dtype}; it must return floating point numbers")


def _described(outputs: object) -> str:
    if isinstance(outputs, Tensor):
        return f"shape {tuple(outputs.shape)}"
    if isinstance(outputs, (tuple, list)):
        return f"a {type(outputs).__name__} of {', '.join(map(_described, outputs)) or 'nothing'}"
    return f"a {type(outputs).__name__}"


def _remedy(outputs: object, batch: int, keypoints: int) -> str:
    for name, other in CODECS.items():
        if other.fits(outputs, batch, keypoints):
            return f'; write codec = "{name}" in the submission if that is what it is'
    got = tuple(outputs.shape) if isinstance(outputs, Tensor) else ()
    if got == (batch, 2 * keypoints):
        return f"; end forward with .view(-1, {keypoints}, 2)"
    if got == (batch, 2, keypoints):
        return "; end forward with .transpose(1, 2)"
    if got[-2:] == (keypoints, 2):
        return "; keep the batch as the first axis"
    return ""
