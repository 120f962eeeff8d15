"""A loss beside ``build_model``: it sees pixels and no missing point, and its mistakes name its line."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from harness import FACE15, Recipe
from harness.errors import ContractError, RecipeError
from harness.learning.codecs import CODECS
from harness.learning.losses import weights_of
from harness.learning.outputs import points_and_loss
from harness.learning.own_loss import OwnLoss

OWN = Recipe(loss="own")
SIZE = (96, 96)
TARGETS = torch.tensor([[[10.0, 20.0], [math.nan, math.nan]], [[30.0, 40.0], [50.0, 60.0]]])
POINTS = torch.tensor([[[13.0, 24.0], [7.0, 7.0]], [[30.0, 46.0], [50.0, 60.0]]], requires_grad=True)


def by_hand(points: Tensor, targets: Tensor) -> Tensor:
    """A distance with its usual trap: its gradient at 0 is NaN."""
    assert not targets.isnan().any()
    return (points - targets).square().sum(dim=2).sqrt()


def loss_of(function, **options) -> Tensor:
    return points_and_loss(CODECS["pixels"], POINTS, TARGETS, OWN, SIZE, own_loss=OwnLoss(function), **options)[1]


def test_it_is_averaged_over_the_labelled_keypoints_in_pixels() -> None:
    assert loss_of(by_hand).item() == pytest.approx((5 + 6 + 0) / 3)


def test_a_missing_keypoint_has_no_gradient_not_even_nan() -> None:
    targets = TARGETS.clone()
    targets[1, 1] = math.nan  # or the distance there is 0, where the gradient is NaN by the loss's own fault
    loss = points_and_loss(CODECS["pixels"], POINTS, targets, OWN, SIZE, own_loss=OwnLoss(by_hand))[1]
    (gradient,) = torch.autograd.grad(loss, POINTS)
    assert gradient[:, 1].eq(0).all()
    torch.testing.assert_close(gradient[:, 0], torch.tensor([[0.3, 0.4], [0.0, 0.5]]))


def test_weights_of_keypoints_count_in_any_loss() -> None:
    assert loss_of(by_hand, weights=torch.tensor([1.0, 3.0])).item() == pytest.approx((5 + 6 + 3 * 0) / 5)
    assert loss_of(by_hand, weights=torch.tensor([2.0, 0.0])).item() == pytest.approx((5 + 6) / 2)
    plain = points_and_loss(CODECS["pixels"], POINTS, TARGETS, Recipe(loss="l1"), SIZE)[1]
    alike = points_and_loss(CODECS["pixels"], POINTS, TARGETS, Recipe(loss="l1"), SIZE, weights=torch.full((2,), 7.0))[
        1
    ]
    assert alike.item() == pytest.approx(plain.item())


def test_a_batch_without_a_point_that_weighs_anything_costs_nothing() -> None:
    targets = torch.full((2, 2, 2), math.nan)
    for weights in (torch.ones(2), torch.zeros(2)):
        loss = points_and_loss(CODECS["pixels"], POINTS, targets, Recipe(), SIZE, weights=weights)[1]
        assert loss.item() == 0


def test_a_group_gives_its_weight_to_its_keypoints_and_a_keypoint_its_own() -> None:
    weights = weights_of({"mouth": 2, "mouth_left_corner": 0.5}, FACE15)
    expected = (
        dict.fromkeys(FACE15.keypoints, 1.0) | dict.fromkeys(FACE15.groups["mouth"], 2.0) | {"mouth_left_corner": 0.5}
    )
    assert dict(zip(FACE15.keypoints, weights, strict=True)) == expected
    assert weights_of({}, FACE15) is None


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"mouths": 2}, "'mouths' is not a keypoint or group of the layout; did you mean 'mouth'?"),
        ({"zzz": 2}, "the groups are eyes, brows, nose, mouth"),
        (dict.fromkeys(FACE15.groups, 0), "gives every keypoint 0"),
    ],
)
def test_weights_of_unknown_names_are_answered_with_known_ones(named: dict[str, float], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        weights_of(named, FACE15)
    assert message in str(caught.value)


def averaged(points: Tensor, targets: Tensor) -> Tensor:
    return (points - targets).abs().mean()


def each_coordinate(points: Tensor, targets: Tensor) -> Tensor:
    return (points - targets).abs()


def detached(points: Tensor, targets: Tensor) -> Tensor:
    return by_hand(points.detach(), targets)


def a_number(points: Tensor, targets: Tensor) -> float:
    return 0.5


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (averaged, r"shape \(\); it must return one value for each keypoint, \(2, 2\)"),
        (each_coordinate, r"shape \(2, 2, 2\)"),
        (a_number, r"a float; .* such as \(points - targets\)\.abs\(\)\.mean\(dim=2\)"),
        (detached, "values that do not depend on the points"),
    ],
)
def test_another_result_is_refused_with_the_line_that_returned_it(function, message: str) -> None:
    place = rf"^test_own_loss\.py, line \d+, in {function.__name__}"
    with pytest.raises(ContractError, match=f"{place}: loss returned {message}"):
        loss_of(function)


@pytest.mark.parametrize("loss", ["wing", 3, lambda points: points])
def test_a_loss_must_be_a_function_of_points_and_targets(loss: object) -> None:
    with pytest.raises(ContractError, match=r"must be a function loss\(points, targets\) .*Recipe\(loss=\"wing\"\)"):
        OwnLoss(loss)
