"""What a model emits: checked once, then turned into points and a loss. Coordinates in pixels are the only form yet.

A codec for heatmaps or coordinate bins takes the place of ``decode`` and ``points_and_loss``; nothing else looks at
a model's outputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.errors import ContractError
from harness.keypoints import KeypointLayout
from harness.learning.losses import LOSSES, labelled_errors, mean_of_labelled


def decode(outputs: Tensor) -> Tensor:
    """Points float32 (B, K, 2) in pixels."""
    return outputs.float()


def points_and_loss(outputs: Tensor, keypoints: Tensor, loss: str, half_size: float) -> tuple[Tensor, Tensor]:
    """Points (B, K, 2) in pixels, and the loss over the labelled ones.

    Args:
        outputs: what the model emitted for B images.
        keypoints: (B, K, 2) in pixels, NaN where missing.
        loss: a name in ``LOSSES``.
        half_size: half the image's longer side in pixels, the unit in which losses take errors.
    """
    points = decode(outputs)
    errors, labelled = labelled_errors(points, keypoints)
    return points, mean_of_labelled(LOSSES[loss](errors / half_size, half_size), labelled)


def summed_distance(points: Tensor, keypoints: Tensor) -> Tensor:
    """(2,): sum of the distances in pixels over the labelled keypoints, and how many there are."""
    errors, labelled = labelled_errors(points, keypoints)
    return torch.stack([torch.linalg.vector_norm(errors, dim=-1).sum(), labelled.sum().float()])


@torch.no_grad()
def check_outputs(model: nn.Module, images: Tensor, layout: KeypointLayout) -> None:
    """Run a model once, in eval mode, on images (B, 1, H, W) and check that it emits (B, K, 2) floats.

    Raises:
        ContractError: it fails on them, or emits something else; the message says how to mend the frequent mistakes.
    """
    shape = tuple(images.shape)
    try:
        outputs = model.eval()(images)
    except Exception as error:
        raise ContractError(f"the model failed on a batch of images of shape {shape}: {error}") from error
    wanted = (len(images), len(layout), 2)
    if not isinstance(outputs, Tensor):
        raise ContractError(f"the model returned a {type(outputs).__name__}; it must return one tensor of {wanted}")
    got = tuple(outputs.shape)
    if got != wanted:
        raise ContractError(
            f"the model returned shape {got} for images of {shape}; it must return {wanted}, "
            f"x and y in pixels for each keypoint{_remedy(got, wanted)}"
        )
    if not outputs.is_floating_point():
        raise ContractError(f"the model returned {outputs.dtype}; it must return floating point numbers")


def _remedy(got: tuple[int, ...], wanted: tuple[int, int, int]) -> str:
    batch, keypoints, _ = wanted
    if got == (batch, 2 * keypoints):
        return f"; end forward with .view(-1, {keypoints}, 2)"
    if got == (batch, 2, keypoints):
        return "; end forward with .transpose(1, 2)"
    if len(got) == 4 and got[:2] == (batch, keypoints):
        return "; these look like heatmaps, so take the mean position under each one's softmax (soft-argmax)"
    if got[-2:] == (keypoints, 2):
        return "; keep the batch as the first axis"
    return ""
