"""How networks that are trained one after the other share the time: in proportion to what each is forecast to take."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.errors import TrainingError
from harness.learning.estimator import NetworkEstimator

_STEPS = 4
"""Steps for which a network is timed; the first also sets up kernels and is left out."""


class Shares:
    """Forecasts how long each network trains, and gives each its share of the time.

    Networks of the same build train at the same pace. It is measured before training, and again on each that is
    trained.

    Args:
        networks: in the order in which they are trained.
        rows: how many each is to learn from.
    """

    def __init__(self, networks: Sequence[NetworkEstimator], rows: Sequence[int]) -> None:
        self._images = [each.epochs_planned * count for each, count in zip(networks, rows, strict=True)]
        self._kinds = [_kind(each) for each in networks]
        self._networks = networks
        self._paces: dict[object, float] = {}  # images a second

    def measure(self, images: NDArray[np.uint8], keypoints: NDArray[np.float32], seconds: float) -> None:
        """Time a few steps of each kind of network on a copy of it, if there are several kinds.

        Args:
            images: (N, H, W), some of which are used.
            keypoints: (N, K, 2).
            seconds: that all of it may take, not counting the first step of each.
        """
        kinds = {kind: index for index, kind in enumerate(self._kinds) if self._images[index]}
        for kind, index in kinds.items() if len(kinds) > 1 else ():
            pace = _pace(self._networks[index], images, keypoints, seconds / len(kinds))
            if pace is not None:
                self._paces[kind] = pace

    def note(self, index: int) -> None:
        """Use the pace of a network that has been trained as that of its kind."""
        trained = self._networks[index].trained
        if trained is not None:
            self._paces[self._kinds[index]] = trained.images_per_second

    def forecast(self, index: int, pace: float) -> float:
        """Seconds that a network will train, at ``pace`` if that of its kind is not known."""
        return self._images[index] / self._paces.get(self._kinds[index], pace)

    def of(self, index: int, left: float) -> float:
        """Seconds that a network may take of those that are left, so that the later ones get their share.

        If all of them fit, this one may also use the time that is left over, since its forecast may be too short.
        """
        usual = float(np.mean(list(self._paces.values()))) if self._paces else 1.0
        mine = self.forecast(index, usual)
        later = sum(self.forecast(each, usual) for each in range(index + 1, len(self._images)))
        if self._paces and mine + later <= left:
            return left - later
        return left * mine / (mine + later)


def _kind(network: NetworkEstimator) -> object:
    """What decides how fast a network trains."""
    recipe = network.recipe
    return id(network.build_model), id(network.augment), network.codec, recipe.batch_size, recipe.precision


def _pace(
    network: NetworkEstimator, images: NDArray[np.uint8], keypoints: NDArray[np.float32], seconds: float
) -> float | None:
    """Images per second over a few steps of a throw-away copy of a network; None if the steps fail."""
    size = network.recipe.batch_size
    few = slice(_STEPS * size)
    twin = copy.copy(network)
    twin.recipe = network.recipe.with_changes(
        epochs=math.ceil(_STEPS * size / len(images)),
        lr=0.0,  # it shall not diverge
        lr_end=0.0,
        partial_labels="separate" if network.separate else "mask",
        validation=0.0,
        early_stopping=0,
        recentre=False,
    )
    twin.budget_seconds, twin.progress = seconds, lambda _: None
    try:
        trained = twin.fit(images[few], keypoints[few]).trained
    except TrainingError:
        return None
    return trained.images_per_second if trained is not None else None
