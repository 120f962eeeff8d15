"""What is found out about a network by trying it on a few images, before it is trained or predicts.

Whether it emits what its codec reads, on which scale, and in which memory format it can work. Its weights, batch
statistics and gradients and the random state are left as they were: what could change them is tried on a copy.
"""

from __future__ import annotations

import copy
from contextlib import suppress

import torch
from torch import Tensor, nn

from harness.errors import ContractError
from harness.learning.losses import labelled_errors
from harness.learning.reading import Reader, tensors_of
from harness.learning.scales import HEIGHTS, SCORES, Scale, scale_by_bounds, scale_by_error
from harness.learning.seeding import same_random_numbers

_OTHER_WEIGHTS = -10.0
"""Multiplied by this, weights give scores far outside of [0, 1]; a sigmoid or a softmax still keeps to it."""


@torch.no_grad()
def check_outputs(model: nn.Module, images: Tensor, reader: Reader) -> None:
    """Run a model once, in eval mode, on images (B, 1, H, W) and check that it emits what its codec reads.

    Lazy layers take their shape from it.

    Raises:
        ContractError: it fails on them, or emits something else; the message gives the remedy for common mistakes.
    """
    try:
        emitted = model.eval()(images)
    except Exception as error:
        shape = tuple(images.shape)
        raise ContractError(
            f"{reader.place}the model failed on a batch of images of shape {shape}: {error}{_remedy(model, error)}"
        ) from error
    reader(emitted, images)


def find_scale(model: nn.Module, images: Tensor, reader: Reader) -> None:
    """Find out from images (B, 1, H, W) whether a model ends in a sigmoid or a softmax where its codec reads scores."""
    if not reader.codec.reads_scores:
        return

    def emitted(network: nn.Module) -> tuple[Tensor, ...]:
        return tensors_of(reader(network(images), images))

    # A failure of the copy shows nothing; the model itself has passed the check.
    with suppress(Exception), torch.no_grad(), same_random_numbers(images.device):
        other = copy.deepcopy(model).train()  # batch normalisation keeps large weights from overflowing
        for weight in other.parameters():
            weight.mul_(_OTHER_WEIGHTS)
        scale = scale_by_bounds([emitted(model.eval()), emitted(other)])
        if scale is not SCORES:
            bound = "lies between 0 and 1" if scale is HEIGHTS else "sums to 1 for each keypoint"
            reader.read_by(scale, f"what the model emits {bound}, whatever its weights are")


@torch.no_grad()
def find_learnt_scale(model: nn.Module, images: Tensor, keypoints: Tensor, reader: Reader) -> None:
    """Find out which scale a model with weights that it brings was trained to emit.

    Args:
        model: with these weights.
        images: (B, 1, H, W).
        keypoints: (B, K, 2) in pixels, NaN where missing.
        reader: is told of the scale.
    """
    find_scale(model, images, reader)
    if not reader.codec.reads_scores or reader.scale is not SCORES:
        return
    height, width = images.shape[2:]
    outputs = tensors_of(reader(model.eval()(images), images))

    def error(scale: Scale) -> float:
        scores = tuple(scale.scores(tensor) for tensor in outputs)
        points = reader.codec.decode(scores[0] if len(scores) == 1 else scores, (height, width))  # type: ignore[arg-type]
        errors, labelled = labelled_errors(points, keypoints)
        return float(torch.linalg.vector_norm(errors, dim=-1).sum() / labelled.sum().clamp(min=1))

    scale = scale_by_error(outputs, error)
    if scale is not SCORES:
        reader.read_by(
            scale,
            f"what the model emits places training faces with an error of {error(scale):.2f} px as {scale.name} and of "
            f"{error(SCORES):.2f} px as scores",
        )


def choose_memory_format(model: nn.Module, images: Tensor, reader: Reader) -> None:
    """Turn a model to channels_last, in which convolutions are faster, if it works in it; otherwise to contiguous.

    One that calls ``.view`` after a convolution works in contiguous alone.

    Args:
        model: any.
        images: a few, (B, 1, H, W).
        reader: reads what it emits.
    """
    works = False
    with suppress(Exception), same_random_numbers(images.device):
        twin = copy.deepcopy(model).to(memory_format=torch.channels_last)
        for training in (True, False):
            found = reader.points(twin.train(training)(images), images)
            if found.requires_grad:
                found.sum().backward()  # type: ignore[no-untyped-call]  # torch has not typed it
        works = True
    model.to(memory_format=torch.channels_last if works else torch.contiguous_format)


def _remedy(model: nn.Module, error: Exception) -> str:
    kinds = {weight.dtype for weight in model.parameters()} - {torch.float32}
    if kinds and "type" in str(error):
        return f"; its weights are {kinds.pop()} and images are torch.float32: leave the conversion out"
    if "got 1 channels" in str(error):
        return "; images are grey, of one channel: repeat it with images.expand(-1, 3, -1, -1)"
    return ""
