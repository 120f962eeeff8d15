"""Several networks that act as one: averaged, or each a specialist for one group of keypoints.

A submission's ``build_estimator`` returns one of these. The harness then gives it the device, the time and the subjects
that it gives a single network.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from harness.errors import ContractError
from harness.keypoints import KeypointLayout
from harness.learning.estimator import NetworkEstimator
from harness.learning.recipe import Recipe
from harness.learning.threads import in_words
from harness.learning.trainer import Progress

Images = NDArray[np.uint8]
Points = NDArray[np.float32]
Subjects = NDArray[np.int64]


@dataclass(frozen=True)
class Member:
    """A network and how it is trained, as a submission file says it.

    Attributes:
        build_model: ``build_model(layout, image_size)`` gives the network.
        recipe: how to train it.
        codec: what it emits.
    """

    build_model: Callable[[KeypointLayout, tuple[int, int]], nn.Module]
    recipe: Recipe = field(default_factory=Recipe)
    codec: str = "pixels"

    @classmethod
    def of(cls, submission: ModuleType, **changes: Any) -> Member:
        """The network of an imported submission, such as ``load_baseline("unet")``, with changes to its recipe."""
        recipe = getattr(submission, "recipe", Recipe())
        return cls(submission.build_model, recipe.with_changes(**changes), getattr(submission, "codec", "pixels"))


class Composite:
    """What `Ensemble` and `Specialists` share: networks trained one after the other, within one budget of time.

    Args:
        layout: the K keypoints.
        image_size: (height, width) in pixels.

    Attributes:
        networks: the fitted ones.
    """

    def __init__(self, layout: KeypointLayout, image_size: tuple[int, int]) -> None:
        self.layout = layout
        self.image_size = image_size
        self.networks: list[NetworkEstimator] = []
        self.configure(device="auto", changes={}, budget_seconds=None, progress=lambda _: None)

    def configure(
        self,
        *,
        device: str,
        changes: Mapping[str, Any],
        budget_seconds: float | None,
        progress: Callable[[Progress], None],
        threads: int | None = None,
    ) -> None:
        """Take what the harness decides: the device, changes to every recipe, wall time, whom to tell, threads."""
        self._device, self._changes, self._progress, self._threads = device, dict(changes), progress, threads
        self._deadline = None if budget_seconds is None else time.perf_counter() + budget_seconds

    def facts(self) -> dict[str, Any]:
        """What an entry tells: device, parameters of all networks together, each one's recipe and training."""
        each = [network.facts() for network in self.networks]
        if not each:
            return {}
        return {
            "device": each[0]["device"],
            "threads": in_words(number for network in self.networks for number in network.threads.history),
            "seed": each[0]["seed"],
            "parameters": sum(facts["parameters"] for facts in each),
            "training": {"networks": [{"recipe": facts["recipe"], **facts["training"]} for facts in each]},
        }

    def save_weights(self, path: Any) -> None:
        """Not offered: the contract loads the weights of one network."""
        raise ContractError(f"{path.name}: only a submission with build_model has weights to save")

    def _changed(self, member: Member, seed: int = 0) -> Member:
        recipe = member.recipe.with_changes(**self._changes)
        return replace(member, recipe=recipe.with_changes(seed=recipe.seed + seed))

    def _train(self, members: Sequence[Member], images: Images, keypoints: Points, subjects: Subjects | None) -> None:
        """Train the first of the members that are still to come; it may take its part of the time that is left."""
        member = members[0]
        epochs = [each.recipe.epochs for each in members]
        done = sum(network.recipe.epochs for network in self.networks)
        left = None if self._deadline is None else self._deadline - time.perf_counter()

        def tell(progress: Progress) -> None:
            later = sum(epochs[1:]) * len(images) / progress.images_per_second
            self._progress(
                replace(
                    progress,
                    epoch=done + progress.epoch,
                    epochs=done + progress.epochs + sum(epochs[1:]),
                    seconds_left=progress.seconds_left + later,
                )
            )

        network = NetworkEstimator(
            member.build_model,
            member.recipe,
            self.layout,
            self.image_size,
            codec=member.codec,
            device=self._device,
            budget_seconds=None if left is None else left * epochs[0] / sum(epochs),
            progress=tell,
            threads=self._threads,
        )
        self.networks.append(network.fit(images, keypoints, subjects))


class Ensemble(Composite):
    """The mean of what several networks predict.

    Args:
        layout: the K keypoints.
        image_size: (height, width) in pixels.
        members: the networks; of different architectures, or the same again.
        seeds: how often each is trained, with seeds that count up from its recipe's.
    """

    def __init__(
        self, layout: KeypointLayout, image_size: tuple[int, int], members: Sequence[Member], seeds: int = 1
    ) -> None:
        super().__init__(layout, image_size)
        self.members, self.seeds = members, seeds

    def fit(self, images: Images, keypoints: Points, subjects: Subjects | None = None) -> Ensemble:
        """Train every network on images (N, H, W) and keypoints (N, K, 2), NaN where not labelled."""
        self.networks = []
        to_come = [self._changed(member, seed) for seed in range(self.seeds) for member in self.members]
        while to_come:
            self._train(to_come, images, keypoints, subjects)
            to_come.pop(0)
        return self

    def predict(self, images: Images) -> Points:
        """Keypoints float32 (N, K, 2) in pixels of images uint8 (N, H, W)."""
        mean: Points = np.stack([network.predict(images) for network in self.networks]).mean(axis=0)
        return mean


class Specialists(Composite):
    """A generalist, and from it a specialist for each group of keypoints of the layout.

    A specialist starts as a copy of the generalist and is trained on with the keypoints of its own group only, on every
    row that has one of them. Together they predict each keypoint once.

    Args:
        layout: the K keypoints, and their groups.
        image_size: (height, width) in pixels.
        generalist: the network, and how it is trained first.
        recipe: how each specialist is trained on.
    """

    def __init__(self, layout: KeypointLayout, image_size: tuple[int, int], generalist: Member, recipe: Recipe) -> None:
        super().__init__(layout, image_size)
        self.generalist, self.recipe = generalist, recipe

    def fit(self, images: Images, keypoints: Points, subjects: Subjects | None = None) -> Specialists:
        """Train the generalist, then the specialists, on images (N, H, W) and keypoints (N, K, 2), NaN where missing.

        Raises:
            ContractError: a group is labelled in no row.
        """
        self.networks = []

        def copy_of_generalist(*_: object) -> nn.Module:
            return copy.deepcopy(self.networks[0].model).requires_grad_(True)  # type: ignore[union-attr]  # it is fitted

        specialist = replace(self.generalist, build_model=copy_of_generalist, recipe=self.recipe)
        to_come = [self._changed(self.generalist), *(self._changed(specialist) for _ in self.layout.groups)]
        self._train(to_come, images, keypoints, subjects)
        for group in self.layout.groups:
            to_come.pop(0)
            others = np.ones(len(self.layout), dtype=bool)
            others[list(self.layout.indices(group))] = False
            own = np.where(others[:, None], np.float32(np.nan), keypoints)
            rows = (~np.isnan(own)).any(axis=(1, 2))
            if not rows.any():
                raise ContractError(f"no training row labels a keypoint of the group {group!r}")
            self._train(to_come, images[rows], own[rows], None if subjects is None else subjects[rows])
        return self

    def predict(self, images: Images) -> Points:
        """Keypoints float32 (N, K, 2) in pixels of images uint8 (N, H, W), each from its group's specialist."""
        merged = np.empty((len(images), len(self.layout), 2), dtype=np.float32)
        for group, specialist in zip(self.layout.groups, self.networks[1:], strict=True):
            members = list(self.layout.indices(group))
            merged[:, members] = specialist.predict(images)[:, members]
        return merged
