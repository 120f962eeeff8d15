"""Where a submission fails: its error on groups of held-out faces that share a cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.benchmark import Benchmark
from harness.datasets.faces import FaceSet, Split
from harness.datasets.opening import held_out_causes
from harness.datasets.rendered import Causes
from harness.estimates import Bootstrap, Estimate
from harness.grading.scoring import pixel_distances

FEWEST = 5
"""Faces of a group that is shown."""
_SOURCES = {"full": "every keypoint labelled", "partial": "few keypoints labelled, by another source"}


@dataclass(frozen=True)
class Group:
    """Held-out faces that are alike: what they share, how many they are, and the mean pixel error on them."""

    name: str
    faces: int
    error: Estimate


@dataclass(frozen=True)
class Cause:
    """A cause, how it is known, and the groups into which it divides the faces, the easiest first by expectation."""

    title: str
    known: str
    groups: tuple[Group, ...]

    @property
    def worst(self) -> Group:
        """The group with the largest error."""
        return max(self.groups, key=lambda group: group.error.value)

    @property
    def ratio(self) -> float:
        """The largest error of a group over the smallest."""
        return self.worst.error.value / max(min(group.error.value for group in self.groups), 1e-9)


def where_it_fails(predictions: NDArray[np.float32], split: Split, benchmark: Benchmark) -> list[Cause]:
    """Causes with the error of each group, those that make the largest difference first.

    Pose, glasses and what is before a rendered face are known from its seed. On photographs the pose is judged by the
    keypoints. Darkness and blur are measured on the picture. All but the label's source are of the headline's faces.
    """
    rows = next(iter(split.strata.values()))
    faces = split.held_out.take(rows)
    distances = pixel_distances(predictions[rows], faces.keypoints)
    known = held_out_causes(benchmark)
    if len(known) == len(split.held_out):
        divisions = _known([known[row] for row in np.flatnonzero(rows)])
    else:
        divisions = _judged(faces)
    divisions += _measured(faces.images)
    causes = [_cause(division, distances, faces) for division in divisions]
    causes.append(_sources(predictions, split))
    return sorted((cause for cause in causes if len(cause.groups) > 1), key=lambda cause: -cause.ratio)


@dataclass(frozen=True)
class _Division:
    """Faces divided by a cause: the groups' names, the easiest first, and of which each face is; -1 is none."""

    title: str
    known: str
    names: tuple[str, ...]
    of: NDArray[np.intp]


def _known(causes: Sequence[Causes]) -> list[_Division]:
    renderer = "known from the renderer"
    things = [2 if each.occluder else int(each.glasses) for each in causes]
    before = ("nothing before the face", "glasses", "hand, microphone or caption")
    return [
        _by_angle("Pose, turned to a side", renderer, [each.yaw for each in causes], (10, 25)),
        _by_angle("Pose, nodding", renderer, [each.pitch for each in causes], (8, 16)),
        _by_angle("Pose, tilted", renderer, [each.roll for each in causes], (8, 16)),
        _Division("Occlusion", renderer, before, np.array(things, np.intp)),
    ]


def _judged(faces: FaceSet) -> list[_Division]:
    """The pose of faces by their keypoints: the slope of the eyes, and how far the nose is from the middle of them.

    The eyes are the two keypoints of the nme; where it divides by a box or the image, the pose is not judged.
    """
    layout = faces.layout
    if not isinstance(layout.nme_by, tuple):
        return []
    left, right = (faces.keypoints[:, layout.index(name)].astype(np.float64) for name in layout.nme_by)
    across = left - right
    slopes = np.degrees(np.arctan2(across[:, 1], np.abs(across[:, 0])))
    found = [_by_angle("Pose, tilted", "by the slope of the eyes", slopes, (5, 10))]
    if "nose" in layout.groups:
        nose = faces.keypoints[:, list(layout.indices("nose"))].mean(axis=1) - (left + right) / 2
        turn = np.abs((nose * across).sum(axis=1)) / np.maximum((across**2).sum(axis=1), 1e-6)
        how = "by how far the nose is from the middle of the eyes"
        found.append(_by_third("Pose, turned to a side", how, turn, ("most frontal", "middle", "most turned")))
    return found


def _measured(images: NDArray[np.uint8]) -> list[_Division]:
    light = images.mean(axis=(1, 2))
    sharp = np.array([cv2.Laplacian(image, cv2.CV_64F).var() for image in images])
    return [
        _by_third("Darkness", "by the mean grey value", -light, ("brightest", "middle", "darkest")),
        _by_third("Blur", "by the variance of the Laplacian", -sharp, ("sharpest", "middle", "most blurred")),
    ]


def _by_angle(title: str, known: str, degrees: ArrayLike, edges: tuple[int, int]) -> _Division:
    small, large = edges
    names = (f"up to {small}°", f"{small}° to {large}°", f"over {large}°")
    return _Division(title, known, names, _place(np.abs(np.asarray(degrees, np.float64)), edges))


def _by_third(title: str, known: str, values: NDArray[np.float64], names: tuple[str, str, str]) -> _Division:
    """Thirds of the faces by a value, the lowest first."""
    edges = np.nanquantile(values, [1 / 3, 2 / 3]) if np.isfinite(values).any() else np.zeros(2)
    return _Division(title, known, tuple(f"{name} third" for name in names), _place(values, edges))


def _place(values: NDArray[np.float64], edges: ArrayLike) -> NDArray[np.intp]:
    return np.where(np.isfinite(values), np.searchsorted(np.asarray(edges), values), -1)


def _cause(division: _Division, distances: NDArray[np.float64], faces: FaceSet) -> Cause:
    """The cause with those of its groups that are large enough."""
    groups = []
    for index, name in enumerate(division.names):
        rows = division.of == index
        if rows.sum() >= FEWEST and not np.isnan(distances[rows]).all():
            groups.append(Group(name, int(rows.sum()), Bootstrap(faces.subjects[rows]).mean(distances[rows])))
    return Cause(division.title, division.known, tuple(groups))


def _sources(predictions: NDArray[np.float32], split: Split) -> Cause:
    groups = []
    for name, rows in split.strata.items():
        if name in _SOURCES and rows.sum() >= FEWEST:
            faces = split.held_out.take(rows)
            error = Bootstrap(faces.subjects).mean(pixel_distances(predictions[rows], faces.keypoints))
            groups.append(Group(_SOURCES[name], int(rows.sum()), error))
    return Cause("Label source", "which keypoints a face has", tuple(groups))
