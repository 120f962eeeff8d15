"""Training on CUDA: the same pictures as on the CPU, the same result every time, and bfloat16 as good as float32."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from support.gpu import needs_gpu
from support.tiny import SIDE, draw_faces
from torch import nn

from harness.keypoints import FACE15
from harness.learning.augment import Augmenter
from harness.learning.estimator import NetworkEstimator
from harness.learning.recipe import Recipe

pytestmark = needs_gpu

Record = Callable[[str, object], None]
CUDA = "cuda"
RECIPE = Recipe(epochs=12, batch_size=64, shift=2, rotation=10, flip=0.5)


def coordinates(layout, image_size) -> nn.Module:
    """Convolutions and a dense layer, which ends in pixels."""
    height, width = image_size

    class Pixels(nn.Module):
        def forward(self, found):
            return (found.view(-1, len(layout), 2) + 1) * 16

    return nn.Sequential(*_convolutions(), nn.Flatten(), nn.Linear(32 * (height // 4) * (width // 4), 30), Pixels())


def heatmaps(layout, image_size) -> nn.Module:
    """Convolutions alone, which end in a map of cells for each keypoint."""
    return nn.Sequential(*_convolutions(), nn.Conv2d(32, len(layout), 1))


def _convolutions() -> list[nn.Module]:
    return [
        *(nn.Conv2d(1, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU()),
    ]


def fitted(build_model, codec: str, precision: str = "float32", device: str = CUDA) -> tuple[np.ndarray, float, float]:
    """Predictions for faces that it has not seen, their error in pixels, and images per second."""
    images, keypoints = draw_faces(1024)
    asked, truth = draw_faces(128, seed=1)
    recipe = RECIPE.with_changes(precision=precision)
    rates: list[float] = []
    estimator = NetworkEstimator(
        build_model,
        recipe,
        FACE15,
        (SIDE, SIDE),
        codec=codec,
        device=device,
        progress=lambda progress: rates.append(progress.images_per_second),
    )
    predictions = estimator.fit(images, keypoints).predict(asked)
    error = float(np.linalg.norm(predictions - truth, axis=-1).mean())
    return predictions, error, float(np.median(rates))


def smooth_images(count: int, side: int = 96) -> np.ndarray:
    """Grey levels that vary over a few pixels, as photographs do."""
    coarse = np.random.default_rng(0).integers(0, 256, (count, side // 6, side // 6), dtype=np.uint8)
    return np.stack([cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC) for image in coarse])


def test_the_device_warps_as_opencv_does(record_property: Record) -> None:
    images = torch.from_numpy(smooth_images(64))
    keypoints = torch.rand(64, 15, 2) * 96
    recipe = Recipe(flip=0.5, rotation=20, scale=0.2, shift=6, brightness=0.2, contrast=0.2)

    def augmented(device: str) -> tuple[torch.Tensor, torch.Tensor]:
        augment = Augmenter(recipe, FACE15, (96, 96), torch.device(device))
        pictures, points = augment(images.to(device), keypoints.to(device), torch.Generator().manual_seed(0))
        return pictures.cpu(), points.cpu()

    (pictures, points), (wanted, wanted_points) = augmented(CUDA), augmented("cpu")

    difference = (pictures - wanted).abs() * 255
    record_property("figure", f"mean {difference.mean():.2f}, most {difference.max():.1f} grey levels of 255")
    assert difference.mean() < 0.5
    assert difference.max() < 1.5
    torch.testing.assert_close(points, wanted_points, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("build_model", "codec"), [(coordinates, "pixels"), (heatmaps, "heatmaps")])
def test_the_same_seed_gives_the_same_predictions(build_model, codec: str, record_property: Record) -> None:
    first, error, rate = fitted(build_model, codec)
    second, _, _ = fitted(build_model, codec)

    record_property("figure", f"{error:.2f} px, {rate:,.0f} images/s")
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("build_model", "codec"), [(coordinates, "pixels"), (heatmaps, "heatmaps")])
def test_bfloat16_is_near_float32(build_model, codec: str, record_property: Record) -> None:
    _, wide, wide_rate = fitted(build_model, codec, "float32")
    _, narrow, narrow_rate = fitted(build_model, codec, "bfloat16")

    record_property(
        "figure", f"{narrow:.2f} against {wide:.2f} px; {narrow_rate:,.0f} against {wide_rate:,.0f} images/s"
    )
    assert narrow < 1.25 * wide + 0.05


def test_the_device_learns_as_well_as_the_cpu(record_property: Record) -> None:
    _, on_card, _ = fitted(coordinates, "pixels")
    _, on_cpu, _ = fitted(coordinates, "pixels", device="cpu")

    record_property("figure", f"{on_card:.2f} against {on_cpu:.2f} px")
    assert on_card < 1.25 * on_cpu + 0.05
