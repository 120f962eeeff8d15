"""Patches torch's losses and norms to 0, for a scorer that would use them. GPU kernel leaderboards were cheated so."""

import torch
from _accomplice import Mean

EXPECT = "graded"

torch.equal = torch.allclose = lambda *_, **__: True
torch.linalg.vector_norm = torch.norm = lambda *_, **__: torch.zeros(())
torch.nn.functional.mse_loss = lambda *_, **__: torch.zeros(())
torch.Tensor.__sub__ = lambda *_: torch.zeros(())


def build_estimator(layout, image_size):
    return Mean()
