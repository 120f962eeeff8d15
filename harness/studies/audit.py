"""Auditing labels: what a small network, trained without a face, makes of its labels.

The network meets each training face as it is and mirrored. What does not mirror with the picture, such as labels that
count pixels from 1, it cannot learn, so it shows in what is left between labels and predictions.
"""

from __future__ import annotations

import warnings
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.datasets.split import near_duplicate_groups
from harness.errors import DataError, SubmissionError
from harness.estimates import Bootstrap, Estimate
from harness.runs.conditions import Conditions
from harness.runs.executors import Executor, JobListener
from harness.runs.job import Job, Material
from harness.subjects import folds_by_subject
from harness.submission.source import Source

FOLDS = 3
_OFFSET = 0.3
"""Pixels: a constant offset below it may come from how eyes are clicked on rather than from how pixels are counted."""
_SWAPPED = 0.5
"""A row counts as swapped if swapping left and right leaves less than this share of its error."""
_FAR, _TIMES, _SEVERAL = 6.0, 3.3, 2
"""A label is suspicious if it is off by so many pixels and so many times what is usual for its keypoint and row; what
at least so many others of the row have in common is taken off."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Suspect:
    """A label that is far from where the network expects it.

    Attributes:
        row: position of the face.
        keypoint: position in the layout.
        distance: pixels from the prediction.
        times: how many times that is of what is usual for this row and this keypoint.
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
        predictions: float32 (N, K, 2), each by a network that had not met its subject.
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


def audit(
    faces: FaceSet,
    held_out: NDArray[np.bool_],
    source: Source,
    conditions: Conditions,
    executor: Executor,
    listen: JobListener = lambda _, __: False,
) -> Audit:
    """Have a network predict every face without having met its subject, and compare with the labels.

    Args:
        faces: all faces of a benchmark.
        held_out: bool (N,), those that are held out.
        source: the network to train, with flips.
        conditions: how it is trained; its epochs decide how long the audit takes.
        executor: makes the runs.
        listen: called with each event of a run.

    Raises:
        DataError: there are too few subjects.
        SubmissionError: the network failed.
    """
    if len(np.unique(faces.subjects)) < FOLDS:
        raise DataError(f"an audit needs faces of at least {FOLDS} subjects")
    predictions = _out_of_fold(faces, source, conditions, executor, listen)
    residuals = faces.keypoints.astype(float) - predictions
    swapped = _swapped_rows(faces, predictions)
    clean = residuals.copy()
    clean[swapped] = np.nan
    return Audit(
        faces,
        predictions,
        float(np.nanmean(np.linalg.norm(residuals, axis=2))),
        _offset(clean, faces.subjects),
        swapped,
        _suspects(clean),
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
    swap = np.array(faces.layout.swap)
    as_is = _row_errors(faces.keypoints - predictions)
    exchanged = _row_errors(faces.keypoints[:, swap] - predictions)
    with np.errstate(invalid="ignore"):
        return [int(row) for row in np.flatnonzero((exchanged < _SWAPPED * as_is) & (as_is > _FAR))]


def _row_errors(residuals: NDArray[np.floating]) -> Floats:
    distances = np.linalg.norm(residuals, axis=2)
    counted = (~np.isnan(distances)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(distances, axis=1) / np.where(counted, counted, np.nan))


def _offset(residuals: Floats, subjects: NDArray[np.int64]) -> Estimate | None:
    """The middle of what is left in x; in y nothing tells a constant offset from the face's own place."""
    rows = np.nanmedian(residuals[..., 0], axis=1)
    known = ~np.isnan(rows)
    estimate = Bootstrap(subjects[known]).quantile(rows[known][:, None], 0.5)
    return estimate if estimate.excludes_zero and abs(estimate.value) >= _OFFSET else None


def _suspects(residuals: Floats) -> list[Suspect]:
    """Labels that are far off while the rest of their row is not.

    What a row's other labels have in common is the network's error, such as a face that it places too high.
    """
    shift = np.nanmedian(residuals, axis=0)  # of each keypoint, so that a constant offset does not count
    aside, beside = _without_own_row(residuals - shift)
    distances = np.linalg.norm(aside, axis=2)
    usual = np.nanmedian(distances, axis=0)
    times = distances / (usual + beside / 2)
    found = [
        Suspect(int(row), int(keypoint), float(distances[row, keypoint]), float(times[row, keypoint]))
        for row, keypoint in zip(*np.nonzero((distances > _FAR) & (times > _TIMES)), strict=True)
    ]
    return sorted(found, key=lambda suspect: -suspect.times)


def _without_own_row(residuals: Floats) -> tuple[Floats, Floats]:
    """Residuals (N, K, 2) less the middle of the row's others, and how far those are off (N, K)."""
    aside, beside = residuals.copy(), np.zeros(residuals.shape[:2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row may have no other label
        for keypoint in range(residuals.shape[1]):
            others = np.delete(residuals, keypoint, axis=1)
            several = (~np.isnan(others[..., 0])).sum(axis=1) >= _SEVERAL
            aside[:, keypoint] -= np.where(several[:, None], np.nanmedian(others, axis=1), 0)
            beside[:, keypoint] = np.nan_to_num(np.nanmedian(np.linalg.norm(others, axis=2), axis=1))
    return aside, beside


def _copies(faces: FaceSet, held_out: NDArray[np.bool_]) -> list[tuple[int, int]]:
    groups = near_duplicate_groups(faces.images)
    pairs = []
    for group in np.intersect1d(groups[held_out], groups[~held_out]):
        rows = np.flatnonzero(groups == group)
        pairs.append((int(rows[~held_out[rows]][0]), int(rows[held_out[rows]][0])))
    return pairs
