"""Albumentations pipelines instead of the harness's own augmentation, with mirror pairs relabelled after flips."""

from __future__ import annotations

import copy
import os
import random
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.errors import ContractError
from harness.keypoints import KeypointLayout
from harness.learning.augment import as_pictures


class PipelineAugmenter:
    """An albumentations pipeline with the call signature of ``Augmenter``.

    Albumentations mirrors a picture without exchanging left and right keypoints. Here three more points, a large
    triangle, are moved with each face's keypoints; if they come back with the opposite orientation (after an odd number
    of flips and transposes), the mirror pairs are relabelled. The pipeline needs no ``keypoint_params``: it is copied
    into a Compose that has them. A few transforms, such as ElasticTransform, lose keypoints; those count as missing.
    All random numbers come from the generator that is given with each call.

    Args:
        pipeline: an ``albumentations.Compose``, or a single transform.
        layout: names the mirror pairs.
        image_size: (height, width) in pixels, which the pipeline must keep.

    Raises:
        ContractError: it is not an albumentations pipeline, or what it returns is not a grey uint8 image of this size.
    """

    def __init__(self, pipeline: Any, layout: KeypointLayout, image_size: tuple[int, int]) -> None:
        os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # its import asks the network for a newer version otherwise
        import albumentations

        if not isinstance(pipeline, (albumentations.BaseCompose, albumentations.BasicTransform)):
            raise ContractError(
                f"augment is a {type(pipeline).__name__}; it must be an albumentations pipeline, "
                "such as albumentations.Compose([albumentations.HorizontalFlip()])"
            )
        points = albumentations.KeypointParams(format="xy", remove_invisible=False, label_fields=["places"])
        with warnings.catch_warnings(action="ignore"):  # of a pipeline that edits grey levels and moves no point
            self.pipeline = albumentations.Compose([copy.deepcopy(pipeline)], keypoint_params=points)
        self.image_size = image_size
        self.swap = list(layout.swap)
        height, width = image_size
        self.triangle = np.array(
            [[0.25 * width, 0.25 * height], [0.75 * width, 0.25 * height], [0.25 * width, 0.75 * height]],
            dtype=np.float32,
        )

    def __call__(self, images: Tensor, keypoints: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augment one batch: uint8 (B, H, W) and (B, K, 2) -> float32 (B, 1, H, W) in [0, 1] and keypoints (B, K, 2).

        Raises:
            ContractError: the pipeline failed on an image, or changed its size or type.
        """
        seed = int(torch.randint(2**32, (), generator=generator))
        # One state for all transforms: set_random_seed would give each a copy of its own, so that a flip and a change
        # of brightness would be drawn from the same numbers and always come together.
        self.pipeline.set_random_state(np.random.default_rng(seed), random.Random(seed))  # noqa: S311  # no secret
        pairs = [self._one(*face) for face in zip(images.cpu().numpy(), keypoints.cpu().numpy(), strict=True)]
        pictures = torch.from_numpy(np.stack([picture for picture, _ in pairs]))
        points = torch.from_numpy(np.stack([points for _, points in pairs]))
        return as_pictures(pictures.to(images.device)), points.to(keypoints.device)

    def _one(self, image: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One image (H, W) and its keypoints (K, 2). Albumentations refuses NaN, so only the known ones go in."""
        known = np.flatnonzero(~np.isnan(keypoints).any(axis=1))
        before = np.concatenate([self.triangle, keypoints[known]])
        places = np.arange(len(before))  # labels that say which of them came back
        try:
            done = self.pipeline(image=image, keypoints=before, places=places)
        except Exception as error:
            raise ContractError(
                f"the albumentations pipeline failed on a grey uint8 image of shape {image.shape}: {error}"
            ) from error
        picture = self._checked(done["image"])
        after, places = np.asarray(done["keypoints"], dtype=np.float32), np.asarray(done["places"], dtype=np.int64)
        points = np.full_like(keypoints, np.nan)
        is_keypoint = places >= len(self.triangle)
        points[known[places[is_keypoint] - len(self.triangle)]] = after[is_keypoint]
        return picture, points[self.swap] if _is_reversed(before[places], after) else points

    def _checked(self, picture: Any) -> np.ndarray:
        if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.shape == self.image_size:
            return picture
        got = f"{getattr(picture, 'dtype', type(picture).__name__)} of shape {tuple(getattr(picture, 'shape', ()))}"
        raise ContractError(
            f"the albumentations pipeline returned {got}; it must keep uint8 {self.image_size}. Leave out Normalize, "
            "ToFloat and ToTensorV2 (the harness scales to [0, 1]) and resize back after a crop"
        )


def _is_reversed(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a move of points (P, 2) mirrors them: the sign of the determinant of the affine map nearest to it."""
    matrix = np.linalg.lstsq(np.column_stack([before, np.ones(len(before))]), after, rcond=None)[0]
    return bool(np.linalg.det(matrix[:2]) < 0)
