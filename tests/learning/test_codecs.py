"""Codecs: three forms of output, each read as the same points, and a head of each form for any network."""

import math

import pytest
import torch
from torch import Tensor, nn

from harness import FACE15, Recipe, make_head
from harness.errors import ContractError
from harness.learning.codecs import CODECS, centres
from harness.learning.estimator import NetworkEstimator
from harness.learning.outputs import points_and_loss

SIZE = (96, 64)  # height and width differ, so that a mix-up shows
POINTS = torch.tensor([[[10.25, 80.5], [40.0, 20.75]]])


def emitted(codec: str, points: Tensor, width: float = 2.0) -> Tensor | tuple[Tensor, Tensor]:
    """What a perfect model emits for points (B, K, 2): scores whose softmax is a Gaussian about them."""
    if codec == "pixels":
        return points
    height, across = (-((centres(96, 96) - points[..., 1:]) ** 2), -((centres(64, 64) - points[..., :1]) ** 2))
    height, across = height / (2 * width**2), across / (2 * width**2)
    return (across, height) if codec == "coordinate_bins" else height.unsqueeze(3) + across.unsqueeze(2)


@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_reads_points_to_a_hundredth_of_a_pixel(codec: str) -> None:
    torch.testing.assert_close(CODECS[codec].decode(emitted(codec, POINTS), SIZE), POINTS, atol=0.01, rtol=0)


@pytest.mark.parametrize(("cells", "side", "first"), [(96, 96, 0.0), (48, 96, 0.5), (192, 96, -0.25), (3, 96, 15.5)])
def test_cells_cover_the_image_evenly(cells: int, side: int, first: float) -> None:
    places = centres(cells, side)
    assert places[0] == first
    assert places[0] + places[-1] == side - 1


@pytest.mark.parametrize("codec", ["heatmaps", "coordinate_bins"])
def test_the_regulariser_is_least_for_the_gaussian_that_it_asks_for(codec: str) -> None:
    def loss(points: Tensor, width: float) -> float:
        return CODECS[codec].shape_loss(emitted(codec, points, width), POINTS, SIZE, 2.0).sum().item()

    best = loss(POINTS, 2.0)
    assert best == pytest.approx(2 * math.log(2 * math.pi * math.e * 2.0**2), abs=1e-3)  # the Gaussian's own entropy
    assert loss(POINTS, 1.5) > best + 0.1  # too narrow
    assert loss(POINTS, 4.0) > best + 0.1  # too wide
    assert loss(POINTS + 1, 2.0) > best + 0.1  # beside it


@pytest.mark.parametrize("codec", CODECS)
def test_a_missing_or_distant_keypoint_costs_a_finite_amount(codec: str) -> None:
    points = torch.tensor([[[math.nan, math.nan], [-40.0, 200.0]]])
    outputs = emitted(codec, POINTS)
    loss = points_and_loss(CODECS[codec], outputs, points, Recipe(shape_loss=1.0), SIZE)[1]
    alone = tuple(each[:, 1:] for each in outputs) if isinstance(outputs, tuple) else outputs[:, 1:]
    assert loss.isfinite()
    assert loss == points_and_loss(CODECS[codec], alone, points[:, 1:], Recipe(shape_loss=1.0), SIZE)[1]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("cells", [(24, 16), (3, 2)])
def test_any_features_can_be_given_a_head_of_any_form(codec: str, cells: tuple[int, int]) -> None:
    torch.manual_seed(0)
    height, width = SIZE
    features = nn.AdaptiveAvgPool2d(cells)
    network = nn.Sequential(nn.Conv2d(1, 24, 1), features, make_head(codec, 24, cells, len(FACE15), SIZE))
    outputs = network(torch.rand(2, 1, height, width))
    assert CODECS[codec].fits(outputs, batch=2, keypoints=15)
    points = CODECS[codec].decode(outputs, SIZE)
    assert points.shape == (2, 15, 2)
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    assert ((points - middle).abs() < max(SIZE)).all()  # a fresh head points near the image
    points.sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


@pytest.mark.parametrize(
    ("name", "hint"), [("heatmap", "did you mean 'heatmaps'?"), ("xyz", "a model emits one of pixels, heatmaps")]
)
def test_an_unknown_codec_is_answered_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(ContractError) as from_head:
        make_head(name, 8, (6, 4), 15, SIZE)
    with pytest.raises(ContractError) as from_network:
        NetworkEstimator(lambda *_: nn.Identity(), Recipe(), FACE15, SIZE, codec=name)
    assert str(from_head.value) == str(from_network.value)
    assert f"there is no codec {name!r}; {hint}" in str(from_head.value)
