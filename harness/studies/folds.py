"""Out-of-fold runs: submissions predict training faces of subjects that they have not seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import Split
from harness.runs.conditions import Conditions
from harness.runs.job import Job, Material
from harness.submission.source import Source


@dataclass(frozen=True, eq=False)
class Folds:
    """Training faces divided into folds of whole subjects; a run learns from all folds but one.

    Attributes:
        split: the faces.
        of: int (N,), the fold of each training face.
        conditions: how submissions are run.
    """

    split: Split
    of: NDArray[np.int64]
    conditions: Conditions

    @property
    def count(self) -> int:
        """How many folds there are."""
        return int(self.of.max()) + 1

    def faces(self, fold: int) -> NDArray[np.bool_]:
        """bool (N,): the fold's complete faces, like those of the headline stratum."""
        return np.asarray((self.of == fold) & self.split.training.complete)

    def job(self, source: Source, fold: int) -> Job:
        """The run of a submission on a fold: it predicts the fold's complete faces, then the held-out images.

        Raises:
            LoadError: the submission's files cannot be read.
        """
        name = f"{source.label}, fold {fold + 1} of {self.count}"
        return Job(name, source.pack(), _material(self, fold), self.conditions)


@cache
def _material(folds: Folds, fold: int) -> Material:
    training = folds.split.training
    asked = np.concatenate([training.images[folds.faces(fold)], folds.split.held_out.images])
    return Material(training.take(folds.of != fold), asked)
