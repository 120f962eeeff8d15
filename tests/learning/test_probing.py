"""A network is tried before it is trained, and left as it was."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness.errors import ContractError
from harness.learning.codecs import CODECS
from harness.learning.probing import check_outputs, choose_memory_format, find_scale
from harness.learning.reading import Reader

IMAGES = torch.rand(2, 1, 24, 16)


class Network(nn.Module):
    """A convolution with all that could be changed by trying it, then 30 numbers by a function of its own."""

    def __init__(self, flat, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.dense, self.flat = nn.Linear(4 * 24 * 16, 30), flat
        self.to(dtype)

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            random.random(), np.random.rand()
        return self.dense(self.flat(self.conv(images)))


class ViewedBackwards(torch.autograd.Function):
    """Works forward in any memory format, and backward in one alone."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.flatten(1)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        x.view(len(x), -1)
        return grad.view(x.shape)


@pytest.mark.parametrize(
    ("flat", "kept"),
    [
        (lambda x: x.flatten(1), False),
        (lambda x: x.view(len(x), -1), True),
        (ViewedBackwards.apply, True),
    ],
    ids=["flatten", "view", "view on the way back"],
)
def test_a_memory_format_is_taken_only_if_it_works_and_nothing_else_changes(flat, kept: bool) -> None:
    torch.manual_seed(0)
    model, reader = Network(flat), Reader(CODECS["pixels"], 15)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()

    check_outputs(model, IMAGES, reader)
    find_scale(model, IMAGES, reader)
    choose_memory_format(model, IMAGES, reader)

    assert model(IMAGES).shape == (2, 30)
    assert model.conv(IMAGES).is_contiguous() == kept
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states[:2]
    assert torch.equal(torch.get_rng_state(), states[2])


def test_a_network_that_came_in_another_format_is_turned_back_where_it_has_to_be() -> None:
    model = Network(lambda x: x.view(len(x), -1)).to(memory_format=torch.channels_last)
    choose_memory_format(model, IMAGES, Reader(CODECS["pixels"], 15))
    assert model(IMAGES).shape == (2, 30)


@pytest.mark.parametrize(
    ("model", "remedy"),
    [
        (Network(nn.Flatten(), torch.float64), "its weights are torch.float64 and images are torch.float32"),
        (nn.Conv2d(3, 8, 3), r"images are grey, of one channel: repeat it with images.expand\(-1, 3, -1, -1\)"),
    ],
    ids=["float64", "colours"],
)
def test_a_network_that_fails_on_images_gets_a_remedy(model: nn.Module, remedy: str) -> None:
    with pytest.raises(ContractError, match=rf"the model failed on a batch of images of shape .*; {remedy}"):
        check_outputs(model, IMAGES, Reader(CODECS["pixels"], 15))
