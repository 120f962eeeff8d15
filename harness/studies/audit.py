"""Auditing labels: what a small network, trained without a face, makes of its labels.

The network meets each training face as it is and mirrored. What does not mirror with the picture, such as labels that
count pixels from 1, it cannot learn, so it shows in what is left between labels and predictions.
"""

from __future__ import annotations

import warnings
from contextlib import closing
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.datasets.opening import Rows
from harness.datasets.split import near_duplicate_groups
from harness.errors import DataError, SubmissionError
from harness.estimates import Bootstrap, Estimate
from harness.runs.conditions import Conditions
from harness.runs.executors import Executor, JobListener
from harness.runs.job import Job, Material
from harness.subjects import folds_by_subject
from harness.submission.source import Source

FOLDS = 3
_SIDE = 48
"""Pixels; with as much time a network does better on many small pictures than on few large ones."""
_MEETINGS, _EPOCHS = 114_000, (20, 200)
"""How many times a network meets a training row, all rows together, within so many epochs."""
_OFFSET = 0.4
"""Pixels: a constant offset below it may come from how eyes are clicked on rather than from how pixels are counted."""
_SWAPPED, _APART = 0.5, 0.06
"""A row counts as swapped if swapping left and right leaves less than this share of its error, and if that error is
more than this share of the picture's side."""
_FAR, _TIMES = 0.1, 6.25
"""A label is suspicious if it is off by this share of the picture's side, and by so many standard deviations, given the
other labels of its row."""
_USUAL, _MOST, _LEAST = 1.4826, 4.0, 0.3
"""Standard deviations of a normal distribution to its median deviation; how many count; the least of all, in pixels."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Suspect:
    """A label that is far from where the network expects it.

    Attributes:
        row: position of the face.
        keypoint: position in the layout.
        distance: pixels from where the row's other labels and the network's errors would have it.
        times: how many standard deviations that is, given the row's other labels.
    """

    row: int
    keypoint: int
    distance: float
    times: float


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        faces: what was audited.
        predictions: float32 (N, K, 2) in pixels, each by a network that had not met its subject.
        error: mean distance between labels and predictions in pixels.
        offset: how far labels lie to the right of where mirroring puts them, in pixels, where that is worth a look.
        swapped: rows whose left and right keypoints are exchanged.
        suspects: labels that are likely wrong, the most suspicious first; none in swapped rows.
        copies: pairs of rows, one of training and one held out, that show nearly the same picture.
    """

    faces: FaceSet
    predictions: NDArray[np.float32]
    error: float
    offset: Estimate | None
    swapped: list[int]
    suspects: list[Suspect]
    copies: list[tuple[int, int]]


def epochs_for(rows: int) -> int:
    """How many epochs the network needs on so many rows, a share of which it learns from."""
    return int(np.clip(_MEETINGS // (rows * (FOLDS - 1) // FOLDS + 1), *_EPOCHS))


def audit(
    rows: Rows,
    source: Source,
    conditions: Conditions,
    executor: Executor,
    listen: JobListener = lambda _, __: False,
) -> Audit:
    """Have a network predict every face without having met its subject, and compare with the labels.

    Args:
        rows: all of a benchmark.
        source: the network to train, with flips.
        conditions: how it is trained; its epochs decide how long the audit takes.
        executor: makes the runs.
        listen: called with each event of a run.

    Raises:
        DataError: there are too few subjects.
        SubmissionError: the network failed.
    """
    faces = _shrunk(rows.faces)
    if len(np.unique(faces.subjects)) < FOLDS:
        raise DataError(f"an audit needs faces of at least {FOLDS} subjects; add some")
    predictions = _out_of_fold(faces, source, conditions, executor, listen)
    back = _scale(rows.faces) / _scale(faces)
    return compare(rows.faces, rows.held_out, ((predictions + 0.5) * back - 0.5).astype(np.float32))


def _shrunk(faces: FaceSet) -> FaceSet:
    """Faces in pictures of at most ``_SIDE`` pixels a side, on which a network learns in a fraction of the time."""
    height, width = faces.images.shape[1:]
    shrink = min(1.0, _SIDE / max(height, width))
    if shrink == 1:
        return faces
    size = round(width * shrink), round(height * shrink)
    images = np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in faces.images])
    keypoints = (faces.keypoints + 0.5) * (np.array(size) / (width, height)) - 0.5
    return replace(faces, images=images, keypoints=keypoints.astype(np.float32))


def _scale(faces: FaceSet) -> NDArray[np.int64]:
    """Width and height of pictures."""
    return np.array(faces.images.shape[:0:-1])


def compare(faces: FaceSet, held_out: NDArray[np.bool_], predictions: NDArray[np.float32]) -> Audit:
    """What is left between labels and predictions (N, K, 2) of subjects that the network had not met."""
    residuals = faces.keypoints.astype(np.float64) - predictions.astype(np.float64)
    swapped = _swapped_rows(faces, predictions)
    clean = residuals.copy()
    clean[swapped] = np.nan
    return Audit(
        faces,
        predictions,
        float(np.nanmean(np.linalg.norm(residuals, axis=2))),
        _offset(clean, faces.subjects),
        swapped,
        _suspects(clean, _FAR * max(faces.images.shape[1:])),
        _copies(faces, held_out),
    )


def _out_of_fold(
    faces: FaceSet, source: Source, conditions: Conditions, executor: Executor, listen: JobListener
) -> NDArray[np.float32]:
    of = folds_by_subject(faces.subjects, FOLDS)
    predictions = np.empty(faces.keypoints.shape, np.float32)
    jobs = [
        Job(
            f"{source.label}, fold {fold + 1} of {FOLDS}",
            source.pack(),
            Material(faces.take(of != fold), faces.images[of == fold]),
            conditions,
        )
        for fold in range(FOLDS)
    ]
    with closing(executor.run(iter(jobs), listen)) as finishing:
        for finished in finishing:
            fold = [job.name for job in jobs].index(finished.job.name)
            run = finished.run()
            if run.predictions is None:
                raise SubmissionError(f"{finished.job.name}: {run.reason}")
            predictions[of == fold] = run.predictions
    return predictions


def _swapped_rows(faces: FaceSet, predictions: NDArray[np.float32]) -> list[int]:
    """Rows that fit far better once mirror pairs are exchanged."""
    swap, least = np.array(faces.layout.swap), _APART * max(faces.images.shape[1:])
    as_is = _row_errors(faces.keypoints - predictions)
    exchanged = _row_errors(faces.keypoints[:, swap] - predictions)
    with np.errstate(invalid="ignore"):
        return [int(row) for row in np.flatnonzero((exchanged < _SWAPPED * as_is) & (as_is > least))]


def _row_errors(residuals: NDArray[np.floating]) -> Floats:
    distances = np.linalg.norm(residuals, axis=2)
    counted = (~np.isnan(distances)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(distances, axis=1) / np.where(counted, counted, np.nan))


def _offset(residuals: Floats, subjects: NDArray[np.int64]) -> Estimate | None:
    """The middle of what is left in x; in y nothing tells a constant offset from the face's own place."""
    rows = _middle(residuals[..., 0], axis=1)
    known = ~np.isnan(rows)
    if not known.any():
        return None
    estimate = Bootstrap(subjects[known]).quantile(rows[known][:, None], 0.5)
    return estimate if estimate.excludes_zero and abs(estimate.value) >= _OFFSET else None


def _suspects(residuals: Floats, least: float) -> list[Suspect]:
    """Labels that are ``least`` pixels from where the other labels of their row and the network's errors have them.

    Of a row with several, one is found at a time and then left out, so that it does not cast suspicion on the others.
    """
    left = residuals - _middle(residuals, axis=0)  # of each keypoint, so that a constant offset does not count
    spread = _spread(left)
    found: list[Suspect] = []
    while True:
        distances, times = _left_out(left, spread)
        times[distances < least] = 0
        worst = times.argmax(axis=1)
        rows = np.flatnonzero(times.max(axis=1) > _TIMES)
        if not len(rows):
            return sorted(found, key=lambda suspect: -suspect.times)
        for row, keypoint in zip(rows, worst[rows], strict=True):
            distance, many = distances[row, keypoint], times[row, keypoint]
            found.append(Suspect(int(row), int(keypoint), float(distance), float(many)))
        left[rows, worst[rows]] = np.nan


def _spread(residuals: Floats) -> Floats:
    """The covariance (2K, 2K) of residuals (N, K, 2), of which those that are far off count as less."""
    flat = residuals.reshape(len(residuals), -1)
    usual = _USUAL * _middle(np.abs(flat), axis=0)
    known = ~np.isnan(flat)
    held = np.where(known, np.clip(flat, -_MOST * usual, _MOST * usual), 0)
    together = known.T.astype(float) @ known
    # Rows do not all have the same labels, so that eigenvalues can be below 0, which no covariance has.
    values, vectors = np.linalg.eigh(held.T @ held / np.maximum(together, 1))
    return np.asarray((vectors * np.maximum(values, _LEAST**2)) @ vectors.T)


def _left_out(residuals: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """For each label (N, K) how many pixels it is from where its row's others would have it, and how many times usual.

    Residuals of a row are taken for normally distributed, together. The precision of those that are known then gives
    for each its mean and spread given the others.
    """
    distances, times = np.zeros(residuals.shape[:2]), np.zeros(residuals.shape[:2])
    flat, known = residuals.reshape(len(residuals), -1), ~np.isnan(residuals[..., 0])
    for pattern in np.unique(known, axis=0):
        rows, keypoints = np.flatnonzero((known == pattern).all(axis=1)), np.flatnonzero(pattern)
        columns = np.stack([2 * keypoints, 2 * keypoints + 1], axis=1).ravel()
        precision = np.linalg.inv(spread[np.ix_(columns, columns)])
        weighted = flat[np.ix_(rows, columns)] @ precision
        for position, keypoint in enumerate(keypoints):
            own = slice(2 * position, 2 * position + 2)
            off = np.linalg.solve(precision[own, own], weighted[:, own].T).T
            distances[rows, keypoint] = np.linalg.norm(off, axis=1)
            times[rows, keypoint] = np.sqrt(np.maximum((off * weighted[:, own]).sum(axis=1), 0))
    return distances, times


def _middle(values: Floats, axis: int) -> Floats:
    """The median of what is known; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(values, axis=axis))


def _copies(faces: FaceSet, held_out: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Each held-out row of a group that has training rows, too, with the first of these."""
    groups = near_duplicate_groups(faces.images)
    training, first = np.unique(groups[~held_out], return_index=True)
    row_of = dict(zip(training.tolist(), np.flatnonzero(~held_out)[first].tolist(), strict=True))
    return [
        (row_of[group], int(row))
        for row, group in zip(np.flatnonzero(held_out), groups[held_out].tolist(), strict=True)
        if group in row_of
    ]
