"""Whether keypoints move as their picture does, measured: a blob is drawn at a keypoint and looked for afterwards."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]
Place = NDArray[np.float64]
Edit = Callable[[Picture, Points, int], tuple[Picture, Points]]
"""Image (H, W), keypoints (K, 2) and a seed -> picture of any size and keypoints (K, 2), their mirror pairs exchanged
where the picture is mirrored."""

_PROBES, _SECONDS = 24, 0.5
"""A slow edit is measured by fewer probes."""
_SIGMA, _WINDOW, _STEP = 1.5, 6, 4
"""Pixels: how wide a blob is, how far around its middle it is weighed, how far from it its neighbours lie."""
_FAINTEST = 20
"""Grey levels by which a blob has to differ from the background."""
_TRUSTED = 0.8
"""Where blobs may be covered, the share of the probes that counts: those nearest to their median."""


@dataclass(frozen=True)
class LabelShift:
    """Where keypoints lie, seen from where the picture shows them.

    Attributes:
        offset: the mean, x then y in pixels (2,).
        spread: root mean square distance from it in pixels.
        renamed: share of the keypoints in whose place another one came back.
        lost: share of the keypoints that are missing.
    """

    offset: Place
    spread: float
    renamed: float
    lost: float


def measure(
    edit: Edit, swap: Sequence[int], image_size: tuple[int, int], *, may_cover: bool = False
) -> LabelShift | None:
    """Measure an edit of images, by about a hundred calls; None if no blob could be found again.

    The picture says which name is right: two neighbours of each blob, drawn with the same seed, show whether it was
    mirrored there. The global random numbers go on afterwards as if nothing had been measured.

    Args:
        edit: what is measured.
        swap: where each keypoint's mirror image comes from, of length K.
        image_size: (height, width) in pixels.
        may_cover: whether the edit may cover a part of the picture, and blobs that look so are left out.
    """
    size, draw = np.array(image_size[::-1]), np.random.default_rng(0)
    probes: list[_Probe] = []
    began = time.monotonic()
    with random_numbers_kept():
        for seed in range(_PROBES):
            if seed > 2 and time.monotonic() - began > _SECONDS:
                break
            keypoints = (draw.uniform(0.3, 0.7, (len(swap), 2)) * (size - 1)).astype(np.float32)
            keypoint = int(draw.integers(len(swap)))
            probes += _probed(edit, keypoints, [keypoint, swap[keypoint]], seed, image_size)
    if not probes:
        return None
    if may_cover:  # a blob that is covered in part is small, and its middle is not its keypoint's
        usual = np.median([probe.area for probe in probes])
        probes = [probe for probe in probes if abs(probe.area - usual) <= 0.2 * usual]
    lost = sum(bool(np.isnan(probe.shift).any()) for probe in probes)
    renamed = sum(probe.renamed for probe in probes)
    shifts = [probe.shift for probe in probes if not probe.renamed and not np.isnan(probe.shift).any()]
    mean, spread = _mean_and_spread(shifts, _TRUSTED if may_cover else 1.0)
    return LabelShift(mean, spread, renamed / len(probes), lost / len(probes))


@dataclass(frozen=True)
class _Probe:
    """What became of one keypoint.

    Attributes:
        shift: (2,), from where the picture shows it to where it lies; NaN where it was lost.
        renamed: whether another keypoint lies where the picture shows it.
        area: the blob's in square pixels, as it would be without the edit's stretching.
    """

    shift: Place
    renamed: bool
    area: float


def _probed(edit: Edit, keypoints: Points, pair: list[int], seed: int, image_size: tuple[int, int]) -> list[_Probe]:
    """Follow the first keypoint of a mirror pair through an edit; nothing if its blob is hidden afterwards."""

    def edited(image: Picture) -> tuple[Picture, Points]:
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        return edit(image, keypoints, seed)

    background, _ = edited(np.zeros(image_size, np.uint8))
    steps = ((0, 0), (_STEP, 0), (0, _STEP))
    runs = [edited(_drawn(keypoints[pair[0]] + step, image_size)) for step in steps]
    blobs = [blob for picture, moved in runs if (blob := _found(picture, background, moved[pair]))]
    if len(blobs) < len(steps):
        return []
    (middle, area), (beside, _), (below, _) = blobs
    points = runs[0][1]
    distances = np.linalg.norm(points - middle, axis=1)
    if all(np.array_equal(moved, points, equal_nan=True) for _, moved in runs):
        stretching = np.linalg.det([beside - middle, below - middle]) / _STEP**2
        name, area = pair[int(stretching < 0)], area / max(abs(stretching), 0.05)
    else:  # it draws other numbers than it was seeded with, and each run moves the picture in its own way
        name = pair[int(distances[pair[1]] < distances[pair[0]])]
    is_renamed = distances[name] > 1.5 and np.nanmin(distances) < 0.5
    return [_Probe(points[name] - middle, bool(is_renamed), area)]


def _drawn(place: NDArray[np.floating], image_size: tuple[int, int]) -> Picture:
    """A black image with a white blob."""
    ys, xs = np.mgrid[: image_size[0], : image_size[1]]
    squares = (xs - place[0]) ** 2 + (ys - place[1]) ** 2
    blob: Picture = np.round(255 * np.exp(-squares / (2 * _SIGMA**2))).astype(np.uint8)
    return blob


def _found(picture: Picture, background: Picture, near: Points) -> tuple[Place, float] | None:
    """The middle (2,) and the area of the blob nearest to some points; None where it is hidden, or cut by the edge."""
    if not isinstance(picture, np.ndarray) or picture.ndim != 2 or picture.shape != background.shape:
        return None
    contrast = np.abs(picture.astype(np.float64) - background)
    if contrast.max() < _FAINTEST:
        return None
    ys, xs = np.mgrid[: picture.shape[0], : picture.shape[1]]
    bright = contrast > contrast.max() / 2
    away = [np.hypot(xs[bright] - x, ys[bright] - y) for x, y in near if not np.isnan(x)]
    nearest = np.min(away, axis=0).argmin() if away else contrast[bright].argmax()
    middle = np.array([xs[bright][nearest], ys[bright][nearest]], np.float64)
    reach = float(_WINDOW)
    for _ in range(4):
        weights = contrast * ((np.abs(xs - middle[0]) <= reach) & (np.abs(ys - middle[1]) <= reach))
        middle = np.array([(weights * xs).sum(), (weights * ys).sum()]) / weights.sum()
        area = weights.sum() / weights.max()
        reach = max(reach, 4 * np.sqrt(area / (2 * np.pi)))  # four standard deviations of a blob that was magnified
    is_inside = (middle >= reach).all() and (middle <= np.array(picture.shape[::-1]) - 1 - reach).all()
    return (middle, float(area)) if is_inside else None


def _mean_and_spread(shifts: list[Place], share: float) -> tuple[Place, float]:
    """Of a share of the shifts (2,), those nearest to their median."""
    if not shifts:
        return np.zeros(2), 0.0
    away = np.linalg.norm(np.array(shifts) - np.median(shifts, axis=0), axis=1)
    trusted = np.array(shifts)[np.argsort(away)[: max(1, round(share * len(away)))]]
    mean = trusted.mean(axis=0)
    return mean, float(np.sqrt(((trusted - mean) ** 2).sum(axis=1).mean()))


@contextmanager
def random_numbers_kept() -> Iterator[None]:
    """Give the global generators back as they were: an edit of a competitor's own may draw from them."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
