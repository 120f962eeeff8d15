"""FaceSet: images of faces with their keypoints, the one form in which data moves through the harness."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.keypoints import KeypointLayout


@dataclass(frozen=True)
class FaceSet:
    """N grey images and their keypoints.

    Attributes:
        images: uint8 (N, H, W), 0 is black.
        keypoints: float32 (N, K, 2), x then y in pixels, pixel centres at whole numbers; NaN where not labelled.
        subjects: int64 (N,), who is shown: images of one person, or near-duplicates where persons are unknown,
            share a number. No number may stand on both sides of a split.
        layout: the names of axis 1 of ``keypoints``.
    """

    images: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    subjects: NDArray[np.int64]
    layout: KeypointLayout

    def __post_init__(self) -> None:
        n, k = len(self.images), len(self.layout)
        assert self.images.ndim == 3 and self.images.dtype == np.uint8, (self.images.shape, self.images.dtype)
        assert self.keypoints.shape == (n, k, 2), (self.keypoints.shape, (n, k, 2))
        assert self.keypoints.dtype == np.float32, self.keypoints.dtype
        assert self.subjects.shape == (n,) and self.subjects.dtype == np.int64, self.subjects.shape

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """bool (N, K): which keypoints are known."""
        return np.asarray(~np.isnan(self.keypoints).any(axis=2))

    @property
    def complete(self) -> NDArray[np.bool_]:
        """bool (N,): which rows have every keypoint."""
        return np.asarray(self.labelled.all(axis=1))

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> FaceSet:
        """The faces at these rows (positions, or a bool mask), in this order."""
        return replace(self, images=self.images[rows], keypoints=self.keypoints[rows], subjects=self.subjects[rows])

    def followed_by(self, others: FaceSet) -> FaceSet:
        """These faces, then the others, as one set."""
        return replace(
            self,
            images=np.concatenate([self.images, others.images]),
            keypoints=np.concatenate([self.keypoints, others.keypoints]),
            subjects=np.concatenate([self.subjects, others.subjects]),
        )


@dataclass(frozen=True)
class Split:
    """Training faces and held-out faces that share no subject.

    Attributes:
        training: what submissions may learn from.
        held_out: what they are scored on; its keypoints are the answer key and stay with the grader.
        strata: name -> bool (N,) over the held-out rows; the first is the headline, the others are scored beside it.
        fingerprint: sha256 of the data and of how it was split; entries of different ones are never ranked together.
        origin: where the held-out faces come from: ``files``; ``practice``, rendered from a public seed, so that anyone
            can draw them; ``secret``, rendered from a seed that only the grader knows.
    """

    training: FaceSet
    held_out: FaceSet
    strata: dict[str, NDArray[np.bool_]]
    fingerprint: str
    origin: Literal["files", "practice", "secret"] = "files"

    def together(self) -> FaceSet:
        """Training and held-out faces as one set, to predict others from."""
        return self.training.followed_by(self.held_out)
