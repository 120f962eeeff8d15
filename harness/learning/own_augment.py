"""An augmentation that a submission writes as a function beside ``build_model``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.errors import ContractError
from harness.keypoints import KeypointLayout
from harness.learning.augment import as_pictures
from harness.learning.changes import takes_two
from harness.learning.seeding import numbers_of_its_own
from harness.learning.source_lines import where_it_returns

AugmentFunction = Callable[[NDArray[np.uint8], NDArray[np.float32]], tuple[NDArray[np.uint8], NDArray[np.float32]]]
"""An image (H, W) and its keypoints (K, 2) in pixels, NaN where missing -> the same, edited."""

_CERTAIN = 2.0
"""Pixels by which points must spread to both sides of a line to show whether they were mirrored."""


class OwnAugment:
    """A submission's function ``augment(image, keypoints)`` with the call signature of ``Augmenter``.

    It is called for one image at a time: uint8 (H, W) and float32 (K, 2) in pixels, NaN where missing. ``random``,
    numpy and torch are seeded for each. A function that mirrors need not know left from right: if points come back with
    the opposite orientation, the mirror pairs are exchanged. If it exchanges them itself, they are left alone.

    Args:
        function: what the submission calls ``augment``.
        layout: names the mirror pairs.
        image_size: (height, width) in pixels.

    Raises:
        ContractError: it is not a function of an image and its keypoints.
    """

    def __init__(self, function: Any, layout: KeypointLayout, image_size: tuple[int, int]) -> None:
        if not takes_two(function):
            raise ContractError(
                f"augment is a {type(function).__name__}; it must be a function augment(image, keypoints), or an "
                "albumentations pipeline"
            )
        self.function: AugmentFunction = function
        self.image_size = image_size
        self.swap = list(layout.swap)
        self._mirrors = self.swap != sorted(self.swap)
        self._face = _symmetric_face(layout, image_size)
        self._place = where_it_returns(function)

    def __call__(self, images: Tensor, keypoints: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augment one batch: uint8 (B, H, W) and (B, K, 2) -> float32 (B, 1, H, W) in [0, 1] and keypoints (B, K, 2).

        Raises:
            ContractError: the function returned something else than an image and keypoints of the same form.
        """
        seeds = torch.randint(2**32, (len(images),), generator=generator).tolist()
        faces = zip(images.cpu().numpy(), keypoints.cpu().numpy(), seeds, strict=True)
        pairs = [self._one(*face) for face in faces]
        pictures = torch.from_numpy(np.stack([picture for picture, _ in pairs]))
        points = torch.from_numpy(np.stack([points for _, points in pairs]))
        return as_pictures(pictures.to(images.device)), points.to(keypoints.device)

    def _one(
        self, image: NDArray[np.uint8], keypoints: NDArray[np.float32], seed: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        picture, moved = self._edited(image, keypoints, seed)
        if self._mirrors:
            mirrored = _is_mirrored(keypoints, moved)
            if mirrored is None:  # too few are known, so the same edit of a whole face has to show it
                mirrored = _is_mirrored(self._face, self._edited(image, self._face, seed)[1])
            moved = moved[self.swap] if mirrored else moved
        return picture, moved

    def _edited(
        self, image: NDArray[np.uint8], keypoints: NDArray[np.float32], seed: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        with numbers_of_its_own(seed):
            returned = self.function(image.copy(), keypoints.copy())
        if not (isinstance(returned, tuple) and len(returned) == 2):
            raise self._refused(f"a {type(returned).__name__}", "return image, keypoints")
        picture, points = returned
        if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.shape == self.image_size):
            remedy = 'end with image.clip(0, 255).astype("uint8"), and resize back after a crop'
            raise self._refused(f"an image of {_form(picture)}", remedy)
        if not (isinstance(points, np.ndarray) and points.dtype.kind in "fiu" and points.shape == keypoints.shape):
            raise self._refused(f"keypoints of {_form(points)}", "keep one row, x and y, for each keypoint")
        points = points.astype(np.float32)
        if np.isinf(points).any() or _known(points).sum() > _known(keypoints).sum():
            raise self._refused("keypoints that were missing, or infinite ones", "leave NaN where it is NaN")
        return picture, points

    def _refused(self, got: str, remedy: str) -> ContractError:
        return ContractError(
            f"{self._place}augment returned {got}; it must return an image, uint8 {self.image_size}, and its "
            f"keypoints, float32 {self._face.shape}: {remedy}"
        )


def is_function(augment: object) -> bool:
    """Whether it is to be called with an image and its keypoints; an albumentations pipeline is not."""
    homes = {base.__module__.split(".")[0] for base in type(augment).__mro__}
    return callable(augment) and "albumentations" not in homes


def _is_mirrored(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool | None:
    """Whether a move of points (K, 2) turned them over; None where too few are known, or all lie on a line."""
    known = _known(before) & _known(after)
    if known.sum() < 3 or np.linalg.svd(np.cov(before[known].T, ddof=0))[1][1] < _CERTAIN**2:
        return None
    matrix = np.linalg.lstsq(np.column_stack([before[known], np.ones(known.sum())]), after[known], rcond=None)[0]
    return bool(np.linalg.det(matrix[:2]) < 0)


def _symmetric_face(layout: KeypointLayout, image_size: tuple[int, int]) -> NDArray[np.float32]:
    """Points (K, 2) in which each mirror pair stands left and right of the middle."""
    height, width = image_size
    face = np.empty((len(layout), 2), np.float32)
    for index, partner in enumerate(layout.swap):
        side = int(np.sign(partner - index))
        down = 0.25 + 0.5 * min(index, partner) / len(layout)
        face[index] = (width - 1) / 2 + side * width / 4, down * (height - 1)
    return face


def _known(points: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(points).all(axis=1))


def _form(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    return f"type {type(value).__name__}"
