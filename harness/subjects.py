"""Whole people go to one side of a split or to the other: in which order, and how folds are cut."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def place(*key: int) -> bytes:
    """What to sort a queue of subjects by: it looks shuffled, and is the same on every machine.

    ``key`` is a subject's number, with a seed before it for another queue. A place depends on nobody else, so rows that
    are added move no one from one side of a split to the other.
    """
    return hashlib.sha256(" ".join(map(str, key)).encode()).digest()


def cut(subjects: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """The fold of each row (N,): whole subjects, in the order of their place, each to the fold with the fewest rows.

    The same on every machine, which scikit-learn's GroupKFold is not where subjects have equally many rows.
    """
    people, person, rows = np.unique(subjects, return_inverse=True, return_counts=True)
    fold = np.empty(len(people), np.int64)
    filled = np.zeros(folds, np.int64)
    for each in sorted(range(len(people)), key=lambda i: place(int(people[i]))):
        fold[each] = filled.argmin()
        filled[fold[each]] += rows[each]
    return np.asarray(fold[person])
