"""Baselines that are more than their score: networks without a fixed size, and the detector built on one."""

from __future__ import annotations

from types import ModuleType

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from harness import FACE15, load_baseline
from harness.datasets.rendered import render
from harness.datasets.rendered.face import render_face
from harness.learning.codecs import CODECS
from harness.learning.estimator import NetworkEstimator

SIZE = (96, 96)


def fresh(name: str) -> nn.Module:
    """A baseline's network as it is before training, with the same random weights every time."""
    torch.manual_seed(0)
    return load_baseline(name).build_model(FACE15, SIZE).eval()


def picture(height: int, width: int) -> torch.Tensor:
    return torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("name", "cells"), [("fully_convolutional", 24), ("multiscale", 24), ("segmentation", 96)])
def test_the_same_weights_draw_heatmaps_of_a_picture_twice_as_large(name: str, cells: int) -> None:
    model = fresh(name)

    for times in (1, 2):
        heatmaps = model(picture(96 * times, 96 * times))
        assert heatmaps.shape == (1, 15, cells * times, cells * times)
        points = CODECS["heatmaps"].decode(heatmaps, (96 * times, 96 * times))
        assert points.mean().item() == pytest.approx(96 * times / 2, rel=0.2)  # the scores are still alike everywhere


def test_fully_convolutional_scores_what_it_sees_wherever_it_lies() -> None:
    model, large = fresh("fully_convolutional"), picture(192, 196)

    scores, moved = model(large[..., :192]), model(large[..., 4:])

    inner = slice(18, 30)  # cells that see no edge of the picture
    torch.testing.assert_close(moved[..., inner, inner], scores[..., inner, 19:31])


def as_convolution(dense: nn.Linear, channels: int, cells: tuple[int, int]) -> nn.Conv2d:
    """A dense layer over features (channels, *cells) as the convolution that gives the same for them."""
    convolution = nn.Conv2d(channels, dense.out_features, cells)
    convolution.load_state_dict({"weight": dense.weight.view_as(convolution.weight), "bias": dense.bias})
    return convolution


def test_dense_layers_turned_into_convolutions_give_the_same_for_every_window_of_a_larger_picture() -> None:
    layers, large = fresh("lenet").layers, picture(104, 108)
    flatten = [type(layer) for layer in layers].index(nn.Flatten)
    _, channels, *cells = layers[:flatten](large[..., :96, :96]).shape
    sliding = [*layers[:flatten]]
    for layer in layers[flatten + 1 :]:
        if isinstance(layer, nn.Linear):
            sliding.append(as_convolution(layer, channels, cells))
            channels, cells = layer.out_features, (1, 1)
        else:
            sliding.append(layer)

    grid = nn.Sequential(*sliding)(large)

    assert grid.shape == (1, 30, 3, 4)  # two poolings: a window every 4 pixels
    for row, column in [(0, 0), (1, 3), (2, 1)]:
        window = large[..., 4 * row : 4 * row + 96, 4 * column : 4 * column + 96]
        torch.testing.assert_close(grid[..., row, column], layers(window))


def test_segmentation_begins_by_interpolating_between_its_cells() -> None:
    scores = torch.rand(1, 15, 4, 4, generator=torch.Generator().manual_seed(0))

    drawn = fresh("segmentation").draw(scores)

    between = functional.interpolate(scores, scale_factor=32, mode="bilinear")
    inner = slice(16, -16)  # beyond the outer cells' centres one repeats the edge, the other fades
    torch.testing.assert_close(drawn[..., inner, inner], between[..., inner, inner])


@pytest.mark.parametrize("axis", [0, 1])
def test_a_coordinate_bin_is_scored_by_the_pixels_about_it(axis: int) -> None:
    large = picture(384, 384).requires_grad_()

    scores = fresh("coordinate_bins")(large)[axis]
    (seen,) = torch.autograd.grad(scores[0, 0, 400], large)

    assert scores.shape == (1, 15, 768)
    along, across = (seen.abs().sum(dim=(0, 1, 2 + each)).nonzero() for each in (axis, 1 - axis))
    assert (along - 200).abs().max() < 60
    assert across.min() == 0 and across.max() == 383


def test_the_detector_says_the_same_of_a_window_alone_and_of_one_in_a_larger_picture() -> None:
    model, large = fresh("detector"), picture(96, 128)

    votes = model.votes(large)

    assert votes.shape == (1, 15, 2, 3, 5)
    for row, column in [(0, 0), (1, 4), (2, 3)]:
        corner = torch.tensor([16.0 * column, 16.0 * row])
        alone = model(large[..., 16 * row : 16 * row + 64, 16 * column : 16 * column + 64])
        torch.testing.assert_close(votes[..., row, column], alone + corner)


def test_the_detector_answers_with_the_mean_of_its_windows_and_learns_from_one_at_random() -> None:
    model, faces = fresh("detector"), picture(96, 96).repeat(64, 1, 1, 1)

    torch.testing.assert_close(model(faces), model.votes(faces).mean(dim=(3, 4)))
    model.train()
    votes = model.votes(faces)[0].flatten(2)
    drawn = {int((votes - points[..., None]).abs().sum(dim=(0, 1)).argmin()) for points in model(faces)}
    assert drawn == set(range(9))


def cluttered(rng: np.random.Generator, side: int) -> np.ndarray:
    """Discs and boxes of any grey, uint8 (side, side)."""
    picture = np.full((side, side), rng.integers(256), np.uint8)
    for x, y, radius, grey in rng.integers(0, [side, side, 40, 256], size=(30, 4)).tolist():
        if grey % 2:
            cv2.circle(picture, (x, y), radius, grey, -1)
        else:
            cv2.rectangle(picture, (x, y), (x + radius, y + 2 * radius), grey, -1)
    return picture


def overlap(box: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Intersection over union of two square boxes (x, y, side)."""
    width, height = (max(0, min(a + box[2], b + other[2]) - max(a, b)) for a, b in zip(box[:2], other[:2], strict=True))
    return width * height / (box[2] ** 2 + other[2] ** 2 - width * height)


@pytest.mark.slow
def test_the_detector_finds_faces_in_larger_pictures() -> None:
    baseline: ModuleType = load_baseline("detector")
    recipe = baseline.recipe.with_changes(epochs=40, batch_size=16, ema=0.98)
    model = NetworkEstimator(baseline.build_model, recipe, FACE15, SIZE).fit(*render(3, 200)).model
    rng = np.random.default_rng(0)
    overlaps, errors = [], []
    for index in range(12):
        side = int(rng.integers(90, 180))
        x, y = (int(each) for each in rng.integers(0, 257 - side, size=2))
        scene = cluttered(rng, 256)
        scene[y : y + side, x : x + side], keypoints = render_face(9, index, (side, side))

        box, points = baseline.detect(model, scene)

        overlaps.append(overlap(box, (x, y, side)))
        errors.append(np.linalg.norm(points - keypoints - (x, y), axis=1).mean() / side)
    assert np.mean(np.array(overlaps) > 0.5) > 0.6  # after seconds of training
    assert np.median(errors) < 0.1
