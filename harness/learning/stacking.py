"""Stacked networks: what they get wrong on people whom they have not met is learnt, and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ContractError
from harness.keypoints import KeypointLayout
from harness.learning.ensembles import Composite, Images, Member, Points, Subjects
from harness.subjects import folds_by_subject


class Stacked(Composite):
    """The mean of networks, corrected by what they get wrong on people whom they have not met.

    The people are cut into folds, and each member is trained once without each of them. On the people that a network
    has not met its errors are those that it will make on strangers. A ridge regression from all coordinates of a face
    to its errors learns what they have in common: labels that lie off to one side, brows that are placed too low in a
    face that is turned. At last each member is trained on everybody; the mean of these and the mean of those that have
    missed somebody count alike. Stacked generalization; Wolpert, 1992; Breiman, "Stacked regressions", 1996.

    Args:
        layout: the K keypoints.
        image_size: (height, width) in pixels.
        members: the networks.
        folds: how many parts the people are cut into; each member is trained as often and once more, with seeds that
            count up.
    """

    def __init__(
        self, layout: KeypointLayout, image_size: tuple[int, int], members: Sequence[Member], folds: int = 5
    ) -> None:
        super().__init__(layout, image_size)
        self.members, self.folds = members, folds

    def fit(self, images: Images, keypoints: Points, subjects: Subjects | None = None) -> Stacked:
        """Train every network on images (N, H, W) and keypoints (N, K, 2), NaN where not labelled, then the ridge.

        Raises:
            ContractError: there are fewer people than folds.
        """
        self.networks = []
        subjects = np.arange(len(images)) if subjects is None else subjects
        if len(np.unique(subjects)) < self.folds:
            raise ContractError(f"{self.folds} folds need as many people, and the training faces show fewer")
        fold = folds_by_subject(subjects, self.folds)
        out_of_fold = np.zeros_like(keypoints)
        to_come = [self._changed(member, seed) for seed in range(self.folds + 1) for member in self.members]
        for left_out in range(self.folds):
            kept = fold != left_out
            for _ in self.members:
                self._train(to_come, images[kept], keypoints[kept], subjects[kept])
                to_come.pop(0)
                out_of_fold[~kept] += self.networks[-1].predict(images[~kept]) / np.float32(len(self.members))
        for _ in self.members:
            self._train(to_come, images, keypoints, subjects)
            to_come.pop(0)
        self._ridge = _ridge(out_of_fold, keypoints, fold)
        return self

    def predict(self, images: Images) -> Points:
        """Keypoints float32 (N, K, 2) in pixels of images uint8 (N, H, W)."""
        each = np.stack([network.predict(images) for network in self.networks])
        missed_somebody, met_everybody = each[: -len(self.members)], each[-len(self.members) :]
        mean: Points = (missed_somebody.mean(axis=0) + met_everybody.mean(axis=0)) / 2
        if self._ridge is not None:
            mean -= self._ridge.predict(mean.reshape(len(mean), -1)).reshape(mean.shape).astype(np.float32)
        return mean


def _ridge(predictions: Points, keypoints: Points, fold: NDArray[np.int64]) -> Any:
    """A regression from predictions (N, 2 K) to their errors (N, 2 K), its strength chosen by folds.

    None where too few faces have all their labels.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import LeaveOneGroupOut

    complete = ~np.isnan(keypoints).any(axis=(1, 2))
    if len(np.unique(fold[complete])) < 2:
        return None
    seen = predictions[complete].reshape(complete.sum(), -1).astype(np.float64)
    errors = seen - keypoints[complete].reshape(complete.sum(), -1)
    cutting = LeaveOneGroupOut().split(seen, groups=fold[complete])
    return RidgeCV(np.logspace(0, 8, 17), cv=list(cutting)).fit(seen, errors)
