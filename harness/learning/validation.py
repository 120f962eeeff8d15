"""The validation part of the training rows: which subjects are in it, the error on it, and the best weights by it."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.errors import ContractError
from harness.learning.augment import as_pictures
from harness.learning.outputs import summed_distance
from harness.learning.reading import Reader
from harness.subjects import first_subjects

BATCH = 256


@dataclass(frozen=True)
class Rows:
    """Images uint8 (N, H, W) and keypoints float32 (N, K, 2), on the device."""

    images: Tensor
    keypoints: Tensor

    @classmethod
    def on(cls, device: torch.device, images: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> Rows:
        """Copy arrays to a device."""
        return cls(torch.tensor(images, device=device), torch.tensor(keypoints, device=device))

    def __len__(self) -> int:
        return len(self.images)


def validation_rows(subjects: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """bool (N,): whole subjects, in the order of their hash, until they hold this share of the rows.

    Raises:
        ContractError: a share is asked of fewer than two subjects.
    """
    if share == 0:
        return np.zeros(len(subjects), dtype=bool)
    if len(np.unique(subjects)) < 2:
        raise ContractError(f"validation={share:g} needs at least two subjects, and the training rows show one")
    return first_subjects(subjects, share)


@torch.inference_mode()
def mean_error(model: nn.Module, rows: Rows, reader: Reader) -> float:
    """Mean pixel error in eval mode; the model is left in the mode it was in."""
    was_training = model.training
    model.eval()
    total = torch.zeros(2, device=rows.images.device)
    for first in range(0, len(rows), BATCH):
        batch = slice(first, first + BATCH)
        pictures = as_pictures(rows.images[batch])
        total += summed_distance(reader.points(model(pictures), pictures), rows.keypoints[batch])
    model.train(was_training)
    distance, count = total.tolist()
    return float(distance / count) if count else math.nan


class BestWeights:
    """Keeps the weights with the lowest validation error, and says when to stop waiting for lower ones.

    Args:
        patience: epochs without a lower error before training ends; with 0 no weights are kept and it never does.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.error_px = math.inf
        self.weights: dict[str, Tensor] | None = None
        self._waited = 0

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return 0 < self.patience <= self._waited

    def offer(self, error_px: float, model: nn.Module) -> None:
        """Take note of an epoch's validation error."""
        self._waited += 1
        if self.patience and error_px < self.error_px:
            self.error_px, self._waited = error_px, 0
            self.weights = copy.deepcopy(model.state_dict())
