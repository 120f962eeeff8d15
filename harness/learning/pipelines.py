"""Albumentations pipelines instead of the harness's own augmentation, with mirror pairs relabelled after flips."""

from __future__ import annotations

import copy
import os
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
    into a Compose that has them. Keypoints that it loses count as missing. All random numbers come from the generator
    that is given with each call.

    Every transform that moves the picture is measured once: do keypoints move alike?

    Args:
        pipeline: an ``albumentations.Compose``, or a single transform.
        layout: names the mirror pairs.
        image_size: (height, width) in pixels, which the pipeline must keep.

    Attributes:
        notes: what was corrected in how the pipeline moves keypoints, a sentence each.

    Raises:
        ContractError: it is not an albumentations pipeline, or it moves keypoints otherwise than the picture.
    """

    def __init__(self, pipeline: Any, layout: KeypointLayout, image_size: tuple[int, int]) -> None:
        os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # its import asks the network for a newer version otherwise
        import albumentations

        from harness.learning.following import make_keypoints_follow
        from harness.learning.moving import Mover

        if not isinstance(pipeline, (albumentations.BaseCompose, albumentations.BasicTransform)):
            raise ContractError(
                f"augment is a {type(pipeline).__name__}; it must be an albumentations pipeline, "
                "such as albumentations.Compose([albumentations.HorizontalFlip()])"
            )
        self._mover = Mover(copy.deepcopy(pipeline), layout, image_size)
        self._image_size = image_size
        corrected = make_keypoints_follow(self._mover, layout, image_size)
        self.notes = [corrected] if corrected else []

    def __call__(self, images: Tensor, keypoints: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augment one batch: uint8 (B, H, W) and (B, K, 2) -> float32 (B, 1, H, W) in [0, 1] and keypoints (B, K, 2).

        Raises:
            ContractError: the pipeline failed on an image, or changed its size or type.
        """
        self._mover.seed(int(torch.randint(2**32, (), generator=generator)))
        pairs = [self._mover(*face) for face in zip(images.cpu().numpy(), keypoints.cpu().numpy(), strict=True)]
        pictures = torch.from_numpy(np.stack([self._checked(picture) for picture, _ in pairs]))
        points = torch.from_numpy(np.stack([points for _, points in pairs]))
        return as_pictures(pictures.to(images.device)), points.to(keypoints.device)

    def _checked(self, picture: Any) -> np.ndarray:
        if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.shape == self._image_size:
            return picture
        got = f"{getattr(picture, 'dtype', type(picture).__name__)} of shape {tuple(getattr(picture, 'shape', ()))}"
        raise ContractError(
            f"the albumentations pipeline returned {got}; it must keep uint8 {self._image_size}. Leave out Normalize, "
            "ToFloat and ToTensorV2 (the harness scales to [0, 1]) and resize back after a crop"
        )
