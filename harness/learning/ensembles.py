"""Several networks that act as one: averaged, or each a specialist for one group of keypoints.

A submission's ``build_estimator`` returns one of these. The harness then gives it the device, the time and the
subjects, as it gives them to a single network.
"""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from harness.errors import ContractError
from harness.keypoints import KeypointLayout
from harness.learning.changes import recipe_of
from harness.learning.estimator import NetworkEstimator
from harness.learning.recipe import Recipe
from harness.learning.results import Progress
from harness.learning.shares import Shares
from harness.learning.threads import in_words
from harness.learning.weights import weights_beside

Images = NDArray[np.uint8]
Points = NDArray[np.float32]
Subjects = NDArray[np.int64]

_MEASURING = 0.05
"""The share of the time that may be spent on measuring how fast each network trains."""
_MOST_KINDS = 4
"""Architectures whose layers are told."""


@dataclass(frozen=True)
class Member:
    """A network and how it is trained, as a submission file says it.

    Attributes:
        build_model: ``build_model(layout, image_size)`` gives the network.
        recipe: how to train it.
        codec: what it emits.
        augment: an albumentations pipeline or a function that replaces the recipe's image edits.
        loss: a function for a recipe whose loss is "own".
        weights: a ``.safetensors`` file to load instead of training.
    """

    build_model: Callable[[KeypointLayout, tuple[int, int]], nn.Module]
    recipe: Recipe = field(default_factory=Recipe)
    codec: str = "pixels"
    augment: Any = None
    loss: Any = None
    weights: Path | None = None

    @classmethod
    def of(cls, submission: ModuleType, **changes: Any) -> Member:
        """The network of an imported submission, such as ``load_baseline("unet")``, with changes to its recipe.

        Raises:
            RecipeError: a change is impossible.
            LoadError: the submission's ``weights`` name no file beside it.
        """
        return cls(
            submission.build_model,
            recipe_of(submission).with_changes(**changes),
            getattr(submission, "codec", "pixels"),
            getattr(submission, "augment", None),
            getattr(submission, "loss", None),
            weights_beside(submission),
        )


class Composite(ABC):
    """What `Ensemble`, `Specialists` and `Stacked` share: networks trained one after the other, within one time budget.

    Args:
        layout: the K keypoints.
        image_size: (height, width) in pixels.

    Attributes:
        networks: all of them, in the order in which they are trained; fitted by ``fit``.
    """

    def __init__(self, layout: KeypointLayout, image_size: tuple[int, int]) -> None:
        self.layout = layout
        self.image_size = image_size
        self.networks: list[NetworkEstimator] = []
        self._device = "auto"
        self._threads: int | None = None
        self._changes: dict[str, Any] = {}
        self._progress: Callable[[Progress], None] = lambda _: None
        self._deadline: float | None = None

    @abstractmethod
    def planned(self) -> list[Member]:
        """Every network that ``fit`` trains or loads, in this order."""

    def configure(
        self,
        *,
        device: str,
        changes: Mapping[str, Any],
        budget_seconds: float | None,
        progress: Callable[[Progress], None],
        threads: int | None = None,
    ) -> None:
        """Take what the harness decides: device, changes to every recipe, wall time, progress callback, threads.

        Raises:
            ContractError: a change or a member is impossible.
        """
        self._device, self._changes, self._progress, self._threads = device, dict(changes), progress, threads
        self._deadline = None if budget_seconds is None else time.perf_counter() + budget_seconds
        self.networks = self._fresh()

    def facts(self) -> dict[str, Any]:
        """What the entry records, as plain JSON: of all networks together, and of each in ``networks``.

        Before ``fit`` that is what is planned.
        """
        networks = self.networks or self._fresh()
        each = [network.facts() for network in networks]
        return {
            "device": each[0]["device"],
            "threads": in_words(number for network in networks for number in network.threads.history),
            "seed": each[0]["seed"],
            "parameters": sum(facts["parameters"] for facts in each) if each[-1]["parameters"] else None,
            "notes": list(dict.fromkeys(note for facts in each for note in facts["notes"])),
            "weights_loaded": any(facts["weights_loaded"] for facts in each),
            "can_save_weights": False,
            "not_applied": [],
            "networks": self._described(each),
        }

    def save_weights(self, path: Path) -> None:
        """Always refused: a submission's ``weights`` are those of one network."""
        raise ContractError(f"{path.name}: only a submission with build_model has weights to save")

    def _described(self, facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What each network says of itself; layers of the first few kinds only, since a message has a largest size."""
        networks = [network for each in facts for network in each["networks"]]
        seen: list[Any] = []
        for network in networks:
            layers = network.pop("layers", [])
            if layers and layers not in seen and len(seen) < _MOST_KINDS:
                seen.append(layers)
                network["layers"] = layers
        return networks

    def _fresh(self) -> list[NetworkEstimator]:
        """The planned networks, none of them trained."""
        return [
            NetworkEstimator(
                member.build_model,
                member.recipe,
                self.layout,
                self.image_size,
                codec=member.codec,
                device=self._device,
                augment=member.augment,
                loss=member.loss,
                weights=member.weights,
                threads=self._threads,
            )
            for member in self.planned()
        ]

    def _changed(self, member: Member, seed: int = 0) -> Member:
        recipe = member.recipe.with_changes(**self._changes)
        return replace(member, recipe=recipe.with_changes(seed=(recipe.seed + seed) % 2**32))

    def _begin(self, images: Images, keypoints: Points, rows: Sequence[int]) -> None:
        """Prepare to train every network, each on its number of rows."""
        self.networks = self._fresh()
        self._shares = Shares(self.networks, rows)
        if self._deadline is not None:
            self._shares.measure(images, keypoints, _MEASURING * (self._deadline - time.perf_counter()))

    def _train(self, index: int, images: Images, keypoints: Points, subjects: Subjects | None) -> NetworkEstimator:
        """Train a network, or load its weights; it may take its share of the time that is left."""
        network = self.networks[index]
        if self._deadline is not None and network.weights is None:
            network.budget_seconds = self._shares.of(index, self._deadline - time.perf_counter())
        network.progress = partial(self._tell, index)
        network.fit(images, keypoints, subjects)
        self._shares.note(index)
        return network

    def _tell(self, index: int, progress: Progress) -> None:
        """Pass on a network's progress as a part of the whole."""
        before, later = self.networks[:index], range(index + 1, len(self.networks))
        done = sum(network.epochs_planned for network in before)
        self._progress(
            replace(
                progress,
                network=index,
                epoch=done + progress.epoch,
                epochs=done + progress.epochs + sum(self.networks[each].epochs_planned for each in later),
                seconds_left=progress.seconds_left
                + sum(self._shares.forecast(each, progress.images_per_second) for each in later),
            )
        )


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

    def planned(self) -> list[Member]:
        """Every member with its first seed, then with the next."""
        return [self._changed(member, seed) for seed in range(self.seeds) for member in self.members]

    def fit(self, images: Images, keypoints: Points, subjects: Subjects | None = None) -> Ensemble:
        """Train every network on images (N, H, W) and keypoints (N, K, 2), NaN where not labelled."""
        self._begin(images, keypoints, [len(images)] * self.seeds * len(self.members))
        for index in range(len(self.networks)):
            self._train(index, images, keypoints, subjects)
        return self

    def predict(self, images: Images) -> Points:
        """Keypoints float32 (N, K, 2) in pixels of images uint8 (N, H, W)."""
        mean: Points = np.stack([network.predict(images) for network in self.networks]).mean(axis=0)
        return mean


class Specialists(Composite):
    """A generalist, and from it a specialist for each group of keypoints of the layout.

    A specialist starts as a copy of the generalist and is trained further on the keypoints of its own group only, with
    every row that has one of them. Together they predict each keypoint once.

    Args:
        layout: the K keypoints, and their groups.
        image_size: (height, width) in pixels.
        generalist: the network, and how it is trained first.
        recipe: how each specialist is trained further.
    """

    def __init__(self, layout: KeypointLayout, image_size: tuple[int, int], generalist: Member, recipe: Recipe) -> None:
        super().__init__(layout, image_size)
        self.generalist, self.recipe = generalist, recipe

    def planned(self) -> list[Member]:
        """The generalist, then a specialist for each group: the same network, but it does not load a weights file."""
        specialist = replace(self.generalist, recipe=self.recipe, weights=None)
        return [self._changed(self.generalist), *(self._changed(specialist) for _ in self.layout.groups)]

    def fit(self, images: Images, keypoints: Points, subjects: Subjects | None = None) -> Specialists:
        """Train the generalist, then the specialists, on images (N, H, W) and keypoints (N, K, 2), NaN where missing.

        Raises:
            ContractError: a group is labelled in no row.
        """
        own = [self._of_group(keypoints, group) for group in self.layout.groups]
        labelled = [(~np.isnan(points)).any(axis=(1, 2)) for points in own]
        for group, rows in zip(self.layout.groups, labelled, strict=True):
            if not rows.any():
                raise ContractError(f"no training row labels a keypoint of the group {group!r}")
        self._begin(images, keypoints, [len(images), *(int(rows.sum()) for rows in labelled)])
        generalist = self._train(0, images, keypoints, subjects)

        def copy_of_generalist(*_: object) -> nn.Module:
            return copy.deepcopy(generalist.model).requires_grad_(True)  # type: ignore[union-attr]  # it is fitted

        for index, (points, rows) in enumerate(zip(own, labelled, strict=True), start=1):
            self.networks[index].build_model = copy_of_generalist
            self._train(index, images[rows], points[rows], None if subjects is None else subjects[rows])
        return self

    def predict(self, images: Images) -> Points:
        """Keypoints float32 (N, K, 2) in pixels of images uint8 (N, H, W), each from its group's specialist."""
        merged = np.empty((len(images), len(self.layout), 2), dtype=np.float32)
        for group, specialist in zip(self.layout.groups, self.networks[1:], strict=True):
            members = list(self.layout.indices(group))
            merged[:, members] = specialist.predict(images)[:, members]
        return merged

    def _of_group(self, keypoints: Points, group: str) -> Points:
        """Keypoints (N, K, 2) with those of all other groups missing."""
        others = np.ones(len(self.layout), dtype=bool)
        others[list(self.layout.indices(group))] = False
        own: Points = np.where(others[:, None], np.float32(np.nan), keypoints)
        return own
