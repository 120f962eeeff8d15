"""What an author should know of how a model trained: what did nothing, and what was lost."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

_FEWEST = 8
"""Images of a batch whose mean and deviation say enough of all images."""


_MUCH = 0.2


def training_notes(model: nn.Module, batch: int, lost: float) -> list[str]:
    """A sentence for each thing that is unusual.

    Args:
        model: in the mode in which it trained.
        batch: how many images it saw at a time.
        lost: share of the labels that augmentation took away.
    """
    layers = [(name, each) for name, each in model.named_modules() if isinstance(each, (_BatchNorm, _DropoutNd))]
    in_eval = [name for name, each in layers if not each.training]
    notes = []
    if in_eval:
        notes.append(
            f"{len(in_eval)} of {len(layers)} layers of batch normalisation or dropout, {in_eval[0]!r} first, were in "
            "eval mode while the model trained, so they did nothing; unless that is meant, leave model.eval() to the "
            "harness"
        )
    if batch < _FEWEST and any(isinstance(each, _BatchNorm) and each.training for _, each in layers):
        notes.append(
            f"batch normalisation over {batch} images at a time is noise, and predicting uses other figures than "
            "training did; raise batch_size, or take group normalisation"
        )
    if lost > _MUCH:
        notes.append(
            f"augmentation took away {lost:.0%} of the labels, and what it takes away is not learnt; return every "
            "keypoint, also one outside the picture"
        )
    return notes
