"""Markup: which points of a head a layout marks, and what follows for crops and labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.datasets.rendered.ibug68 import ibug68
from harness.datasets.rendered.raster import Points
from harness.datasets.rendered.shape import Head
from harness.keypoints import FACE15, IBUG68, KeypointLayout


@dataclass(frozen=True)
class Markup:
    """How faces are marked with the K keypoints of a layout.

    Attributes:
        points: from a head and the camera's rotation to the keypoints (K, 3) on its surface, hidden or not.
        drop: how far below the picture's middle a crop shows the face's middle on average, in 96ths of its side.
        always: the keypoints that the poorer of two label sources marks.
    """

    points: Callable[[Head, Points], Points]
    drop: float
    always: tuple[str, ...]


KAGGLE = Markup(
    points=lambda head, _: head.keypoints,
    drop=6.5,
    always=("left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip"),
)

_MARKUPS = {
    FACE15.keypoints: KAGGLE,
    # The chin is a keypoint, so the crop leaves room below it.
    IBUG68.keypoints: Markup(
        points=ibug68,
        drop=2.0,
        always=(
            "right_eye_outer_corner",
            "left_eye_outer_corner",
            "nose_tip",
            "mouth_right_corner",
            "mouth_left_corner",
        ),
    ),
}


def markup_of(layout: KeypointLayout) -> Markup:
    """The markup of a layout that can be drawn, whatever a card calls it; another is a KeyError."""
    return _MARKUPS[layout.keypoints]
