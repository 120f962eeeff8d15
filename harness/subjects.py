"""The order and the folds of whole subjects, so that no subject is on both sides of a split."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def number_of(name: str) -> int:
    """A number from 0 up that depends on the subject's name alone, so that new subjects do not reshuffle a split."""
    return int.from_bytes(hashlib.sha256(name.encode(errors="surrogatepass")).digest()[:8], "big") >> 1


def order_by_hash(subjects: NDArray[np.int64], *seed: int) -> NDArray[np.int64]:
    """The indices that put subjects (N,) in an order that looks shuffled and is the same on every machine.

    Another seed gives another order. The hash of a subject depends on its number and the seed alone, so rows of other
    subjects that are added later do not reorder those that were there.
    """

    def key(index: int) -> bytes:
        return hashlib.sha256(" ".join(map(str, (*seed, int(subjects[index])))).encode()).digest()

    return np.array(sorted(range(len(subjects)), key=key), dtype=np.int64)


def first_subjects(subjects: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """bool (N,): the rows of whole subjects, in the order of their hash, until they hold this share of all rows.

    At least one subject is among them, and one is not.
    """
    distinct = np.unique(subjects)
    taken = np.zeros(len(subjects), dtype=bool)
    for subject in distinct[order_by_hash(distinct)][:-1]:
        taken |= subjects == subject
        if taken.mean() >= share:
            break
    return taken


def folds_by_subject(subjects: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """The fold of each row (N,): whole subjects, in the order of their hash, each to the fold with the fewest rows.

    The same on every machine. scikit-learn's GroupKFold is not, where several subjects have the same number of rows.
    """
    distinct, subject, rows = np.unique(subjects, return_inverse=True, return_counts=True)
    fold = np.empty(len(distinct), np.int64)
    filled = np.zeros(folds, np.int64)
    for each in order_by_hash(distinct):
        fold[each] = filled.argmin()
        filled[fold[each]] += rows[each]
    return np.asarray(fold[subject])
