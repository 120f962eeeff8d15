"""Stacked networks: their typical errors on subjects that they have not seen are learnt, and subtracted."""

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
    """The mean of networks, corrected by their typical errors on subjects that they have not seen.

    The subjects are divided into folds, and each member is trained once without each of them. On the subjects that were
    left out, its errors are like those on new faces. A ridge regression from all coordinates of a face to its errors
    learns what these have in common: labels that lie off to one side, brows that are placed too low in a face that is
    turned. Last, each member is trained on all subjects. The mean of these networks and the mean of those trained
    without a fold have equal weight. Stacked generalization; Wolpert, 1992; Breiman, "Stacked regressions", 1996.

    Args:
        layout: the K keypoints.
        image_size: (height, width) in pixels.
        members: the networks.
        folds: how many parts the subjects are divided into; each member is trained once more than that, with seeds that
            count up.

    Raises:
        ContractError: a member loads weights.
    """

    def __init__(
        self, layout: KeypointLayout, image_size: tuple[int, int], members: Sequence[Member], folds: int = 5
    ) -> None:
        super().__init__(layout, image_size)
        for member in members:
            if member.weights is not None:
                raise ContractError(
                    f"a member of Stacked loads {member.weights.name}, and weights may know the subjects of every "
                    "fold; let it train, or put it into an Ensemble"
                )
        self.members, self.folds = members, folds

    def planned(self) -> list[Member]:
        """Every member without the first fold, then without the next, and last with all of them."""
        return [self._changed(member, seed) for seed in range(self.folds + 1) for member in self.members]

    def fit(self, images: Images, keypoints: Points, subjects: Subjects | None = None) -> Stacked:
        """Train every network on images (N, H, W) and keypoints (N, K, 2), NaN where not labelled, then the ridge.

        Raises:
            ContractError: there are fewer subjects than folds.
        """
        subjects = np.arange(len(images)) if subjects is None else subjects
        if len(np.unique(subjects)) < self.folds:
            raise ContractError(f"{self.folds} folds need as many subjects, and the training faces show fewer")
        fold = folds_by_subject(subjects, self.folds)
        kept = [fold != left_out for left_out in range(self.folds) for _ in self.members]
        self._begin(images, keypoints, [int(rows.sum()) for rows in kept] + [len(images)] * len(self.members))
        out_of_fold = np.zeros_like(keypoints)
        for index, rows in enumerate(kept):
            network = self._train(index, images[rows], keypoints[rows], subjects[rows])
            out_of_fold[~rows] += network.predict(images[~rows]) / np.float32(len(self.members))
        for index in range(len(kept), len(self.networks)):
            self._train(index, images, keypoints, subjects)
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
