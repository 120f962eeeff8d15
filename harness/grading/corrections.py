"""Corrections of predictions, tried one by one: what would their error be without a certain mistake?

Needs predictions and the truth of any people. A new one is a line in ``_REARRANGED``, or a function like those that
``_corrections`` calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from harness.datasets.faces import FaceSet
from harness.grading.normalisation import Floats, find_scale, mean_error, mean_face_error

_FEWEST = 8
"""Faces below which a mean offset could be chance."""
_ENOUGH = 0.5
"""A correction is believed if it lowers the error at least to this share."""
_AS_GOOD, _EXACT = 1.15, 0.004
"""The simplest correction is taken whose error is at most this many times the smallest, plus so many pixels."""


@dataclass(frozen=True)
class Correction:
    """Predictions without one mistake.

    Attributes:
        condition: ends the sentence "The error falls from 9.1 to 2.3 px if ...".
        remedy: what to change, as a sentence without its full stop.
        points: the corrected predictions (N, K, 2) in pixels.
    """

    condition: str
    remedy: str
    points: Floats

    def sentence(self, predictions: Floats, faces: FaceSet, where: str = "") -> str:
        """What the correction would do to the error of these predictions, and what to change.

        Args:
            predictions: before the correction (N, K, 2).
            faces: the N faces with their keypoints.
            where: which faces these are, such as " on training faces".
        """
        before, after = (mean_error(points, faces.keypoints) for points in (predictions, self.points))
        return f"The error{where} falls from {before:.2f} to {after:.2f} px if {self.condition}: {self.remedy}."


def best_correction(predictions: Floats, faces: FaceSet) -> Correction | None:
    """The simplest correction that takes away most of the error, if one does.

    Args:
        predictions: one point for each keypoint and face (N, K, 2).
        faces: the N faces with their keypoints.
    """
    error = mean_error(predictions, faces.keypoints)
    tried = [(mean_error(each.points, faces.keypoints), each) for each in _corrections(predictions, faces)]
    believed = [(after, each) for after, each in tried if after < _ENOUGH * error]
    least = min((after for after, _ in believed), default=0.0)
    return next((each for after, each in believed if after <= _AS_GOOD * least + _EXACT), None)


def offset_correction(predictions: Floats, faces: FaceSet) -> Correction | None:
    """The predictions without their mean offset, where that is larger than chance and matters."""
    labelled = faces.labelled.any(axis=1)
    if labelled.sum() < _FEWEST:
        return None
    by_image = np.nanmean((predictions - faces.keypoints)[labelled], axis=1)
    offset = by_image.mean(axis=0)
    chance = by_image.std(axis=0) / np.sqrt(len(by_image))
    # A network that is not trained to the end may have a smaller offset: two baselines have 0.3 of their error.
    least = max(0.4, 0.4 * mean_error(predictions, faces.keypoints))
    matters = (np.abs(offset) > least) & (np.abs(offset) > 4 * chance)
    if not matters.any():
        return None
    offset = np.where(matters, offset, 0)
    moves = [_undone(value) for value in offset]
    axes = [f"{move} {axis}" for move, axis, value in zip(moves, "xy", offset, strict=True) if value]
    condition = f"{moves[0]} x and y" if moves[0] == moves[1] else " and ".join(axes)
    # Where one group alone is far off, its offset shows in the mean of all, and moving all of them makes it worse.
    moved = predictions - offset
    if mean_error(moved, faces.keypoints) > mean_error(predictions, faces.keypoints):
        return None
    return Correction(condition, _cause(offset), moved)


def group_correction(predictions: Floats, faces: FaceSet) -> Correction | None:
    """The predictions with one group moved to where it belongs, where it is much further off than the others."""
    if len(faces) < _FEWEST or len(faces.layout.groups) < 2:
        return None
    differences = predictions - faces.keypoints
    offsets: dict[str, Floats] = {}
    for group in faces.layout.groups:
        by_image = differences[:, faces.layout.indices(group)]
        by_image = by_image[~np.isnan(by_image).all(axis=(1, 2))]
        if len(by_image) >= _FEWEST:
            offsets[group] = np.nanmean(by_image, axis=(0, 1))
    if not offsets:
        return None
    lengths = {name: float(np.hypot(*offset)) for name, offset in offsets.items()}
    group = max(lengths, key=lambda name: lengths[name])
    inside = list(faces.layout.indices(group))
    others = [keypoint for keypoint in range(len(faces.layout)) if keypoint not in inside]
    of_others = mean_error(predictions[:, others], faces.keypoints[:, others])
    aligned = all(length < lengths[group] / 3 for name, length in lengths.items() if name != group)
    learnt = of_others < 0.5 * mean_face_error(faces.keypoints[:, others])
    if not (aligned and learnt and lengths[group] > max(1.0, 1.5 * of_others)):
        return None
    moved = predictions.copy()
    moved[:, inside] -= offsets[group]
    moves = [
        f"{_undone(value)} {axis}"
        for value, axis in zip(offsets[group], "xy", strict=True)
        if abs(value) > 0.2 * lengths[group]
    ]
    return Correction(
        f"{' and '.join(moves)} of the {group}",
        "the other groups are in their places; look at what is done to this one alone",
        moved,
    )


def _corrections(predictions: Floats, faces: FaceSet) -> Iterator[Correction]:
    """Corrections, those that change least first."""
    moved = offset_correction(predictions, faces)
    if moved and mean_error(moved.points, faces.keypoints) < 0.8 * mean_face_error(faces.keypoints):
        far = 0.25 * max(faces.images.shape[1:])  # from there on it is another origin, which a scale names
        yield from [moved] if np.abs(moved.points - predictions).max() < far else []
    yield from _rescaled(predictions, faces)
    rearranged = [Correction(condition, remedy, move(predictions, faces)) for condition, move, remedy in _REARRANGED]
    yield from rearranged
    for first in rearranged:
        for second in _rescaled(first.points, faces):
            yield Correction(
                f"{first.condition} and {second.condition}", f"{first.remedy}; {second.remedy}", second.points
            )


def _rescaled(predictions: Floats, faces: FaceSet) -> Iterator[Correction]:
    height, width = faces.images.shape[1:]
    scale = find_scale(predictions, faces.keypoints, (height, width))
    if scale:
        points = scale.to_pixels(predictions)
        yield Correction(
            "the predictions are turned into pixels",
            f"p looks like {scale.title}; return y = {scale.inverse}",
            points,
        )


_Move = Callable[[Floats, FaceSet], Floats]

_REARRANGED: tuple[tuple[str, _Move, str], ...] = (
    (
        "x and y are exchanged",
        lambda points, _: points[..., ::-1],
        "return x (the column) first",
    ),
    (
        "left and right are exchanged",
        lambda points, faces: points[:, list(faces.layout.swap)],
        "they are the subject's, and a mirrored image needs its pairs swapped (layout.swap)",
    ),
    (
        "the points are mirrored and left and right exchanged",
        lambda points, faces: faces.layout.flip(points, faces.images.shape[2]),
        "they are those of the mirrored image; turn them back with layout.flip(points, width)",
    ),
    (
        "the first half of the numbers is read as x and the second as y",
        lambda points, _: points.reshape(len(points), 2, -1).swapaxes(1, 2),
        "return point after point, by numbers.reshape(-1, 2, K).transpose(0, 2, 1)",
    ),
)
"""What the predictions could be mistaken for: ends the sentence with "if", undoes it, says what to change."""


def _undone(offset: float) -> str:
    """How an offset is taken back, as the beginning of a condition."""
    return f"{abs(offset):.2f} px is {'subtracted from' if offset > 0 else 'added to'}"


def _cause(offset: Floats) -> str:
    if (np.abs(offset - [1, 0]) < 0.3).all():
        return "look for W - x where W - 1 - x is meant"
    if (np.abs(np.abs(offset) - 1) < 0.3).all():
        return "here, pixels are counted from 0"
    if (np.abs(np.abs(offset) - 0.5) < 0.2).all():
        return "here, pixel centres lie at whole numbers, so that resizing takes x to (x + 0.5) * scale - 0.5"
    return "look for a crop or a shift that the points did not follow"
