"""The 68 points of iBUG's markup (300-W): on the lines that are drawn, and the jaw on the outline that is seen.

Numbers in comments are iBUG's, which count from 1 and from the picture's left.
"""

from __future__ import annotations

import numpy as np

from harness.datasets.rendered.features import LIP_SOFTNESS, Features, down
from harness.datasets.rendered.raster import Points
from harness.datasets.rendered.shape import Head

_EDGE = 1.42
"""Angle at which a cheek ends, before the ear."""
_JAW = np.array(
    [
        # Angle; height (NaN: on the jaw's edge); in degrees below the horizontal, where its path on the cheek comes
        # from and where outward is.
        [_EDGE, 0.05, 0.0, 0.0],
        [_EDGE, 0.35, 0.0, 2.0],
        [_EDGE, 0.63, 0.0, 5.0],
        [_EDGE, 0.9, 0.0, 10.0],
        [_EDGE, 1.14, 5.0, 20.0],
        [1.08, np.nan, 30.0, 40.0],
        [0.76, np.nan, 50.0, 55.0],
        [0.41, np.nan, 72.0, 72.0],
        [0.0, np.nan, 90.0, 90.0],
    ]
)
"""The jaw's points at the subject's left, from the ear to the chin."""
_HALO = 0.035
"""How far from the skin of a cheek its outline is drawn: 0.07 before a wall, 0 before hair or the neck."""
_INWARD = np.linspace(0.0, 1.0, 65)[:, None]
"""Places along the path from a point of the jaw inwards: 1.1 radians over the cheek, 0.4 eye distances up the chin."""


def ibug68(head: Head, rotation: Points) -> Points:
    """The keypoints (68, 3) on the surface of a head that a camera sees under ``rotation``, hidden or not."""
    return np.concatenate([_jaw(head, rotation), head.on_surface(_inner_points(head.features))])


def _jaw(head: Head, rotation: Points) -> Points:
    """Points 1 to 17 (17, 3).

    As people label photographs, a point lies on the outline: where a cheek turned away hides the jaw's edge, it moves
    inwards to what stands out furthest (Zhu et al. 2015 call it landmark marching).
    """
    turn, height, origin, slant = np.concatenate([_JAW * (-1, 1, 1, 1), _JAW[-2::-1]]).T
    above = np.where(np.isnan(height), 0.0, _HALO)[:, None]
    height = np.where(np.isnan(height), head.jaw_edge(turn), height)
    length = 1.1 - 0.7 * np.sin(np.radians(origin))
    paths = np.stack([turn, height], axis=1)[:, None] - _INWARD * (length[:, None] * _direction(turn, origin))[:, None]
    places = head.at(paths[..., 0], paths[..., 1], above)
    upright = rotation[:2, 1] / np.linalg.norm(rotation[:2, 1])  # the picture's direction down the face
    sideways = np.array([upright[1], -upright[0]])
    seen = places @ rotation[:2].T
    outward = _direction(turn, slant)
    reach = (seen @ sideways) * outward[:, :1] + (seen @ upright) * outward[:, 1:]
    return np.asarray(places[np.arange(17), reach.argmax(axis=1)])


def _direction(turn: Points, degrees: Points) -> Points:
    """Unit vectors (N, 2) away from the middle of the face and so many degrees downwards."""
    return np.stack([np.sign(turn) * np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


def _inner_points(features: Features) -> Points:
    """Points 18 to 68 (51, 2) on the frontal view."""
    return np.concatenate([_brows(features), _nose(features), _eyes(features), _mouth(features)])


def _brows(features: Features) -> Points:
    """Points 18 to 27, along the middle of the hairs."""
    upper, lower = features.brows
    left, right = ((upper + lower) / 2)[:, ::3]
    return np.concatenate([right[::-1], left])


def _nose(features: Features) -> Points:
    """Points 28 to 31 down the ridge to the tip, 32 to 36 around the nostrils from foot to foot of the wings."""
    p = features.proportions
    wide, low = p.nose_width, p.nose_length
    ridge = [[0.0, low * share] for share in (0.0, 1 / 3, 2 / 3, 1.0)]
    half = [[wide - 0.02, low + 0.085], [0.55 * wide, low + 0.115]]
    base = [[-x, y] for x, y in half] + [[0.0, low + 0.125]] + half[::-1]
    return np.add([*ridge, *base], (p.skew, 0.0))


def _eyes(features: Features) -> Points:
    """Points 37 to 48, on the rims of the lids: each eye from its corner at the picture's left, clockwise."""
    upper, lower = features.lids
    left, right = 0, 1
    return np.concatenate(
        [
            upper[right, [16, 11, 5, 0]],
            lower[right, [5, 11]],
            upper[left, [0, 5, 11, 16]],
            lower[left, [11, 5]],
        ]
    )


def _mouth(features: Features) -> Points:
    """Points 49 to 60 around the lips, 61 to 68 around the opening: from the picture's left, clockwise."""
    curves = features.mouth
    inner_corners = ((curves["upper_inner"] + curves["lower_inner"]) / 2)[[1, -2]]
    return np.concatenate(
        [
            curves["upper_edge"][[0, 4, 8, 10, 12, 16, 20]],
            down(curves["lower_edge"], LIP_SOFTNESS)[[16, 13, 10, 7, 4]],
            inner_corners[:1],
            curves["upper_inner"][[6, 10, 14]],
            inner_corners[1:],
            curves["lower_inner"][[14, 10, 6]],
        ]
    )
