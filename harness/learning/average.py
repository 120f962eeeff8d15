"""The moving average of a model's weights, which is what predicts."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Average:
    """An exponential moving average of a model's weights and of its batch statistics.

    The decay starts low, (1 + n) / (10 + n) after n updates as in TensorFlow's, so that the initial weights do not
    dominate a short training.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0
        mine, theirs = ((*each.parameters(), *each.buffers()) for each in (self.model, model))
        self._pairs = list(zip(mine, theirs, strict=True))

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the model's present weights; counters, such as batch normalisation's, are copied."""
        self.updates += 1
        weight = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        for mine, theirs in self._pairs:
            if mine.is_floating_point():
                mine.lerp_(theirs, weight)
            else:
                mine.copy_(theirs)
