"""What a model emits is read by a stated convention, or refused with a remedy."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import pytest
import torch
from torch import Tensor

from harness.errors import ContractError
from harness.learning.codecs import CODECS
from harness.learning.reading import Reader

IMAGES = torch.zeros(2, 1, 24, 16)
POINTS = torch.arange(60.0).view(2, 15, 2)
MAPS, BINS = torch.rand(2, 15, 6, 4), (torch.rand(2, 15, 16), torch.rand(2, 15, 24))
Aux = namedtuple("Aux", "logits aux_logits2 aux_logits1")


def read(emitted: object, codec: str = "pixels") -> tuple[Tensor, list[str]]:
    """The points, and what is noted."""
    reader = Reader(CODECS[codec], 15)
    points = reader.points(emitted, IMAGES)
    return points, reader.notes


REST = "and the rest is neither read nor trained"


@pytest.mark.parametrize(
    ("emitted", "note"),
    [
        (POINTS, None),
        (POINTS.double(), None),
        (POINTS.flatten(1), "the model returns 30 numbers a face: read as x1, y1, x2, y2, ..."),
        ((POINTS, 0 * POINTS), f"the model returns a tuple of 2: the first counts, {REST}"),
        (Aux(POINTS, None, None), f"the model returns an Aux of 3: the first counts, {REST}"),
        ({"aux": 0 * POINTS, "out": POINTS}, f'the model returns a dict of 2: "out" counts, {REST}'),
        (OrderedDict(points=POINTS, aux=0), f'the model returns a dict of 2: "points" counts, {REST}'),
    ],
    ids=["points", "double", "flat", "tuple", "named tuple", "dict with out", "dict"],
)
def test_points_are_found_in_what_a_model_returns(emitted: object, note: str | None) -> None:
    points, notes = read(emitted)
    torch.testing.assert_close(points, POINTS)
    assert notes == ([note] if note else [])


@pytest.mark.parametrize(("codec", "form"), [("heatmaps", MAPS), ("coordinate_bins", BINS)])
def test_maps_and_bins_are_found_in_a_tuple_too(codec: str, form: object) -> None:
    torch.testing.assert_close(read((form, MAPS), codec)[0], read(form, codec)[0])


REFUSED = {
    "another layout": (torch.zeros(2, 136), "there are 15 keypoints, len(layout), so its last layer must give 30"),
    "another layout's points": (POINTS[:, :4], "returned shape (2, 4, 2) for images of (2, 1, 24, 16)"),
    "another layout's maps": (torch.zeros(2, 68, 6, 4), "so it must give as many maps"),
    "x and y first": (POINTS.mT, "; end forward with .transpose(1, 2)"),
    "maps": (MAPS, '; write codec = "heatmaps" in the submission if that is what it is'),
    "bins": (BINS, '; write codec = "coordinate_bins" in the submission'),
    "a stray axis": (POINTS[:, None], "returned shape (2, 1, 15, 2)"),
    "the mean of the batch": (POINTS.mean(dim=0), "keep the batch as the first axis"),
    "a number": (POINTS.mean(), "returned shape ()"),
    "whole numbers": (POINTS.long(), "returned torch.int64; it must return floating point numbers"),
    "a list": ([POINTS, POINTS], "a list of shape (2, 15, 2), shape (2, 15, 2)"),
    "a list's remedy": ([POINTS, POINTS], "; return the tensor of this shape alone, or first in a tuple"),
    "a dict that begins with another": ({"boxes": 0, "keypoints": POINTS}, "; return the tensor of this shape alone"),
    "nothing": (None, "returned nothing for images of"),
    "an empty tuple": ((), "returned a tuple of nothing"),
    "numpy": (POINTS.numpy(), "returned a ndarray"),
    "a tuple of the wrong kind": ((MAPS.sum(), POINTS), "returned a tuple of shape (), shape (2, 15, 2)"),
    "a dict of the wrong kind": ({"boxes": POINTS[:, :4]}, 'returned a dict of "boxes": shape (2, 4, 2)'),
}


@pytest.mark.parametrize(("emitted", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_described_with_its_remedy(emitted: object, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        read(emitted)
    assert message in str(caught.value)


def test_heatmaps_with_channels_last_are_answered_with_permute() -> None:
    with pytest.raises(ContractError, match=r"end forward with \.permute\(0, 3, 1, 2\)"):
        read(MAPS.permute(0, 2, 3, 1), "heatmaps")
