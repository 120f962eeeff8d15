"""Losses: one value for each keypoint, and missing keypoints that cost nothing."""

import math

import pytest
import torch

from harness.learning.codecs import CODECS
from harness.learning.losses import LOSSES, labelled_errors, mean_of_labelled
from harness.learning.outputs import points_and_loss, summed_distance
from harness.learning.recipe import Recipe

HALF = 48.0


def loss_of(points: torch.Tensor, targets: torch.Tensor, name: str) -> torch.Tensor:
    """The loss of points (B, K, 2) by this name, on a square image of twice ``HALF``."""
    return points_and_loss(CODECS["pixels"], points, targets, Recipe(loss=name), (96, 96))[1]


def loss_in_pixels(name: str, dx: float, dy: float) -> float:
    """The loss of one keypoint that is this many pixels off."""
    value = LOSSES[name](torch.tensor([[[dx, dy]]], dtype=torch.float64) / HALF, HALF)
    assert value.shape == (1, 1)
    return value.item()


@pytest.mark.parametrize(
    ("name", "dx", "dy", "expected"),
    [
        ("l1", 3.0, -4.0, 3.5 / HALF),
        ("mse", 3.0, -4.0, 12.5 / HALF**2),
        ("euclidean", 3.0, -4.0, 5.0 / HALF),
        ("smooth_l1", 0.5, 0.5, 0.125 / HALF),  # within a pixel: half the square, in pixels
        ("smooth_l1", 3.0, 3.0, 2.5 / HALF),
        ("wing", 2.0, 2.0, 10 * math.log(2) / HALF),  # within ten pixels: 10 ln(1 + |e| / 2)
        ("wing", 30.0, 30.0, (30 - 10 + 10 * math.log(6)) / HALF),
    ],
)
def test_what_a_loss_says_of_an_error(name: str, dx: float, dy: float, expected: float) -> None:
    assert loss_in_pixels(name, dx, dy) == pytest.approx(expected)


@pytest.mark.parametrize("name", LOSSES)
def test_missing_targets_have_exactly_no_gradient(name: str) -> None:
    predictions = torch.full((2, 3, 2), 40.0, requires_grad=True)
    targets = torch.full((2, 3, 2), 50.0)
    targets[0, 1] = math.nan
    targets[1, 2, 0] = math.nan  # half a point is no point
    loss_of(predictions, targets, name).backward()
    missing = targets.isnan().any(dim=-1)
    assert (predictions.grad[missing] == 0).all()
    assert (predictions.grad[~missing].abs() > 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_missing_targets_change_nothing_for_the_others(name: str) -> None:
    predictions = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    targets = torch.tensor([[[2.0, 4.0], [math.nan, math.nan]]])
    assert loss_of(predictions, targets, name) == loss_of(predictions[:, :1], targets[:, :1], name)


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_without_labels_gives_zero_with_a_gradient_of_zero(name: str) -> None:
    predictions = torch.ones(2, 3, 2, requires_grad=True)
    loss = loss_of(predictions, torch.full((2, 3, 2), math.nan), name)
    loss.backward()
    assert loss.item() == 0
    assert (predictions.grad == 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_perfect_prediction_has_a_finite_gradient(name: str) -> None:
    predictions = torch.ones(1, 3, 2, requires_grad=True)
    loss_of(predictions, torch.ones(1, 3, 2), name).backward()
    assert predictions.grad.isfinite().all()


def test_the_mean_is_over_keypoints_not_over_images() -> None:
    values, labelled = torch.tensor([[1.0, 2.0], [6.0, 100.0]]), torch.tensor([[True, True], [True, False]])
    assert mean_of_labelled(values, labelled) == 3.0


def test_errors_of_missing_points_are_zero_and_marked() -> None:
    errors, labelled = labelled_errors(torch.tensor([[[5.0, 5.0]] * 2]), torch.tensor([[[2.0, 6.0], [math.nan, 1.0]]]))
    assert errors.tolist() == [[[3.0, -1.0], [0.0, 0.0]]]
    assert labelled.tolist() == [[True, False]]


def test_distances_are_summed_in_pixels() -> None:
    points, keypoints = torch.zeros(1, 3, 2), torch.tensor([[[3.0, 4.0], [6.0, 8.0], [math.nan, math.nan]]])
    assert summed_distance(points, keypoints).tolist() == [15.0, 2.0]
