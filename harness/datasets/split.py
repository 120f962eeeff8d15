"""Splits that keep every subject on one side: a person or, where persons are unknown, a group of near-duplicates."""

from __future__ import annotations

import hashlib
import json

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from harness.datasets.faces import FaceSet, Split
from harness.errors import DataError
from harness.subjects import order_by_hash

SPLIT_VERSION = 1  # raise it whenever the same parameters would give another split
HASH_CELLS = 12  # 12 x 12 horizontal and as many vertical differences: 288 bits
HASH_DISTANCE = 48  # of 288 bits; tests/bench/near_duplicates.py prints what it catches and what it confuses
CHUNK_ROWS = 1000  # rows whose distances to all later ones are in memory at once


def difference_hashes(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """bool (N, 288): of 12 x 12 cells, which are brighter than their left, then which than their upper neighbour.

    The rows of dHash (Krawetz, "Kind of Like That", 2013) and its columns.
    """
    size = HASH_CELLS + 1
    hashes = np.empty((len(images), 2, HASH_CELLS, HASH_CELLS), np.bool_)
    for i, image in enumerate(images):
        cells = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        hashes[i, 0] = cells[1:, 1:] > cells[1:, :-1]
        hashes[i, 1] = cells[1:, 1:] > cells[:-1, 1:]
    return hashes.reshape(len(images), -1)


def near_duplicate_groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Group images that are copies of each other but for noise, brightness, compression or a shift by a pixel.

    Two images are near-duplicates if their difference hashes differ in at most ``HASH_DISTANCE`` bits; a group is
    everything that a chain of near-duplicates connects. It finds copies, not subjects: another photograph of the
    same person is rarely this close.

    Args:
        images: uint8 (N, H, W).

    Returns:
        int64 (N,): the position of the first image of each image's group.
    """
    count = len(images)
    signs = difference_hashes(images).astype(np.float32) * 2 - 1
    closest = signs.shape[1] - 2 * HASH_DISTANCE  # a dot product of signs is agreements less disagreements
    groups = np.arange(count)
    for start in range(0, count, CHUNK_ROWS):
        rows, columns = np.nonzero(signs[start : start + CHUNK_ROWS] @ signs[start:].T >= closest)
        # Only the groups found so far are carried over, not their pairs: N images have up to N^2 of those.
        first = np.concatenate([rows + start, np.arange(count)])
        second = np.concatenate([columns + start, groups])
        graph = coo_array((np.ones(len(first), np.bool_), (first, second)), shape=(count, count))
        _, labels = connected_components(graph, directed=False)
        groups = np.unique(labels, return_index=True)[1][labels]
    return groups.astype(np.int64)


def split_by_subject(faces: FaceSet, held_out: float, seed: int, data_fingerprint: str) -> Split:
    """Hold out whole subjects until they bring at least the share ``held_out`` of the fully labelled rows.

    A subject's place in the queue follows from the seed and its own number, so more rows of one person do not send
    another across, unless the share asks for it. Of the subjects held out, the fully labelled rows are the stratum
    "full" and the partly labelled ones, if any, the stratum "partial"; rows without a label are left out.

    Args:
        faces: what to split.
        held_out: share of the fully labelled rows, above 0 and below 1.
        seed: another seed holds out other subjects.
        data_fingerprint: of the data set, for the split's own fingerprint.

    Raises:
        DataError: the data cannot be split so that both sides have labels.
    """
    leaves = held_out_rows(faces, held_out, seed)
    recipe = json.dumps([SPLIT_VERSION, data_fingerprint, held_out, seed])
    return _scored_on(faces.take(leaves), faces.take(~leaves), recipe)


def held_out_rows(faces: FaceSet, held_out: float, seed: int) -> NDArray[np.bool_]:
    """bool (N,): the rows of the subjects that `split_by_subject` holds out.

    Raises:
        DataError: the data cannot be split so that both sides have labels.
    """
    if not 0 < held_out < 1:
        raise DataError(f"held_out = {held_out} leaves one side of the split empty; choose a share between 0 and 1")
    subjects, inverse = np.unique(faces.subjects, return_inverse=True)
    if len(subjects) < 2:
        raise DataError("every row shows the same subject, so none can be held out; add faces of other subjects")
    complete = faces.complete
    if not complete.any():
        raise DataError("no row has all its keypoints, so there is nothing to score on; add fully labelled rows")

    queue = order_by_hash(subjects, seed)
    rows_so_far = np.cumsum(np.bincount(inverse[complete], minlength=len(subjects))[queue])
    taken = 1 + int(np.searchsorted(rows_so_far, held_out * complete.sum()))
    leaves = np.isin(inverse, queue[:taken])

    labelled = faces.labelled.any(axis=1)
    if not (labelled & ~leaves).any():
        raise DataError(
            f"held_out = {held_out} takes {taken} of {len(subjects)} subjects and leaves no labelled face to learn "
            "from; choose a smaller share or add subjects"
        )
    return leaves


def split_as_given(training: FaceSet, held_out: FaceSet, training_fingerprint: str, held_out_fingerprint: str) -> Split:
    """Learn from all training faces and hold out others, which share no subject with them.

    Strata are those of `split_by_subject`; held-out rows without a label are left out.

    Args:
        training_fingerprint, held_out_fingerprint: of the two data sets, for the split's own fingerprint.
    """
    assert not np.isin(held_out.subjects, training.subjects).any()
    recipe = json.dumps([SPLIT_VERSION, training_fingerprint, held_out_fingerprint])
    return _scored_on(held_out, training, recipe)


def _scored_on(held_out: FaceSet, training: FaceSet, recipe: str) -> Split:
    scored = held_out.take(np.flatnonzero(held_out.labelled.any(axis=1)))
    strata = {"full": scored.complete}
    if not scored.complete.all():
        strata["partial"] = ~scored.complete
    return Split(training, scored, strata, hashlib.sha256(recipe.encode()).hexdigest())
