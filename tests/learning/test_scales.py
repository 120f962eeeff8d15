"""Heatmaps and bins may hold scores, probabilities or heights, and which of them is found out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from harness import FACE15, Recipe
from harness.learning.codecs import centres
from harness.learning.estimator import NetworkEstimator

SIZE = (96, 64)  # height and width differ, so that a mix-up shows
CELLS = (48, 32)
RECIPE = Recipe(epochs=1, batch_size=8, flip_test=False)
rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (40, *SIZE), np.uint8)
FACE = rng.uniform(12, 50, (15, 2)).astype(np.float32)


def fitted(build_model, codec: str = "heatmaps", **options: Path) -> NetworkEstimator:
    network = NetworkEstimator(build_model, RECIPE, FACE15, SIZE, codec=codec, threads=1, **options)
    return network.fit(IMAGES, np.tile(FACE, (len(IMAGES), 1, 1)))


class Softmax(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return maps.flatten(2).softmax(dim=2).view(maps.shape)


def zeroed(layer: nn.Conv2d, bias: float) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, bias)
    return layer


ENDS = {
    "none": (nn.Identity(), "scores"),
    "relu": (nn.ReLU(), "scores"),
    "softmax": (Softmax(), "probabilities"),
    "sigmoid": (nn.Sigmoid(), "heights"),
    "clamped": (nn.Hardtanh(0, 1), "heights"),
    "a layer that begins at 0": (zeroed(nn.Conv2d(15, 15, 1), 0.0), "scores"),
    "a layer that begins at 0.3": (zeroed(nn.Conv2d(15, 15, 1), 0.3), "scores"),
}


@pytest.mark.parametrize(("end", "scale"), ENDS.values(), ids=ENDS)
def test_the_end_of_a_network_that_is_to_be_trained_gives_its_scale(end: nn.Module, scale: str) -> None:
    def build_model(layout, image_size) -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, 8, 3, 4, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 15, 1), end)

    reader = fitted(build_model).reader

    assert reader.scale.name == scale
    assert [f"read as {scale}, not as scores" in note for note in reader.notes] == ([] if scale == "scores" else [True])


class Fixed(nn.Module):
    """Emits what it has learnt by heart, whatever the image."""

    def __init__(self, *shapes: tuple[int, ...]) -> None:
        super().__init__()
        self.learnt = nn.ParameterList(nn.Parameter(torch.zeros(15, *shape)) for shape in shapes)

    def forward(self, images: Tensor):
        emitted = tuple(each.expand(len(images), *each.shape) for each in self.learnt)
        return emitted[0] if len(emitted) == 1 else emitted


def gaussians(width: float = 3.0) -> tuple[Tensor, Tensor]:
    """Height-1 Gaussians of this width in pixels about each keypoint: along x (K, 32) and along y (K, 48)."""
    x, y = torch.tensor(FACE).split(1, dim=1)
    along = (centres(CELLS[1], SIZE[1]) - x, centres(CELLS[0], SIZE[0]) - y)
    return tuple(torch.exp(-0.5 * (each / width) ** 2) for each in along)


across, down = gaussians()
MAPS = down.unsqueeze(2) * across.unsqueeze(1)
NOISE = torch.randn(MAPS.shape, generator=torch.Generator().manual_seed(0))
LEARNT = {
    "scores": (MAPS.log(), "scores"),
    "scores far from 0": (MAPS.log() + 100, "scores"),
    "heights": (MAPS, "heights"),
    "heights above a noisy background": (0.7 * MAPS + 0.03 * NOISE, "heights"),
    "heights above a noise that is cut off": ((0.7 * MAPS + 0.03 * NOISE).clamp(min=0), "heights"),
    "probabilities": (MAPS / MAPS.sum(dim=(1, 2), keepdim=True), "heights"),
}


@pytest.mark.parametrize(("maps", "scale"), LEARNT.values(), ids=LEARNT)
def test_what_a_network_was_trained_to_emit_elsewhere_gives_its_scale(maps: Tensor, scale: str, tmp_path: Path) -> None:
    safetensors.torch.save_file({"learnt.0": maps}, tmp_path / "mine.safetensors")

    network = fitted(lambda *_: Fixed(CELLS), weights=tmp_path / "mine.safetensors")

    assert network.reader.scale.name == scale
    assert np.abs(network.predict(IMAGES[:2]) - FACE).max() < 0.3  # the noise alone makes 0.2
    noted = [note.endswith("px as scores, so it is read as heights, not as scores") for note in network.reader.notes]
    assert noted == ([] if scale == "scores" else [True])


@pytest.mark.parametrize(("bins", "scale"), [((across, down), "heights"), ((across.log(), down.log()), "scores")])
def test_bins_have_scales_too(bins: list[Tensor], scale: str, tmp_path: Path) -> None:
    content = {f"learnt.{axis}": each for axis, each in enumerate(bins)}
    safetensors.torch.save_file(content, tmp_path / "mine.safetensors")

    network = fitted(lambda *_: Fixed(CELLS[1:], CELLS[:1]), "coordinate_bins", weights=tmp_path / "mine.safetensors")

    assert network.reader.scale.name == scale
    assert np.abs(network.predict(IMAGES[:2]) - FACE).max() < 0.1


def test_weights_that_hardly_learnt_are_read_as_they_were_trained(tmp_path: Path) -> None:
    for end in (nn.Identity(), nn.Sigmoid()):

        def build_model(layout, image_size, end=end) -> nn.Module:
            return nn.Sequential(nn.Conv2d(1, 15, 3, 4, 1), end)

        trained = fitted(build_model)
        trained.save_weights(tmp_path / "mine.safetensors")
        loaded = fitted(build_model, weights=tmp_path / "mine.safetensors")
        np.testing.assert_array_equal(loaded.predict(IMAGES), trained.predict(IMAGES))
