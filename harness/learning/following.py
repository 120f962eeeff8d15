"""Keypoints follow the picture through every transform of a pipeline: that is measured, corrected or refused."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import albumentations
import numpy as np
from albumentations.augmentations.dropout.transforms import BaseDropout

from harness.errors import ContractError
from harness.keypoints import KeypointLayout
from harness.learning.blobs import LabelShift, Picture, Points, measure, random_numbers_kept
from harness.learning.label_moves import correct, move_back
from harness.learning.moving import Mover

_TOLERANCE = 0.1
"""Largest mean distance in pixels, along each axis, between a keypoint and where the picture shows it."""
_SPREAD = 0.15
"""Largest scatter about it in pixels, which interpolation and the stretching of a blob make."""
_RARE = 0.1
"""Largest share of blobs under a wrong name or without a keypoint."""


def make_keypoints_follow(mover: Mover, layout: KeypointLayout, image_size: tuple[int, int]) -> str:
    """Measure each transform of a mover's pipeline that may move the picture, and correct those that can be.

    Albumentations' own edits of grey levels and its dropouts are left alone.

    Returns:
        a sentence that says what was corrected; empty if nothing was.

    Raises:
        ContractError: a transform moves keypoints otherwise than the picture, and not by a constant.
    """
    transforms = [each for each in _transforms(mover.pipeline) if each.p > 0]
    still = [each for each in transforms if _is_still(each)]
    moving = [each for each in transforms if not _is_still(each)]
    if not moving:
        return ""
    corrected = [name for each in moving if (name := _corrected(each, layout, image_size))]
    with _left_out(still):  # a grey level or a hole hides what is measured
        shift = _measured(mover, layout, image_size)
    if shift and not _follows(shift):
        raise _refusal("the pipeline", shift, "try its transforms one by one, and leave out the one at fault")
    if not corrected:
        return ""
    return (
        f"augment: {', '.join(dict.fromkeys(corrected))} would put keypoints where the picture does not show them; the "
        "harness moves them with the picture"
    )


def _corrected(transform: Any, layout: KeypointLayout, image_size: tuple[int, int]) -> str:
    """Measure a transform by itself and make keypoints follow it; its name if that changed it.

    Raises:
        ContractError: it cannot be corrected.
    """
    name = type(transform).__name__
    alone = copy.deepcopy(transform)
    alone.p = 1
    correct(alone)
    mover = Mover(alone, layout, image_size)
    changed = name if correct(transform) else ""
    if not _is_albumentations(transform):
        _try_with_one_keypoint(mover, name, layout, image_size)
    try:
        shift = _measured(mover, layout, image_size)
    except ContractError:
        return changed  # it needs an image of another size, or more than an image: all of them together will show
    if shift is None or _follows(shift):
        return changed
    if shift.renamed or shift.lost or shift.spread > _SPREAD:
        raise _refusal(name, shift, _remedy(transform, shift))
    move_back(transform, shift.offset)
    x, y = shift.offset
    return f"{name} (by {x:+.2f} px in x and {y:+.2f} in y)"


def _measured(mover: Mover, layout: KeypointLayout, image_size: tuple[int, int]) -> LabelShift | None:
    def edit(image: Picture, keypoints: Points, seed: int) -> tuple[Picture, Points]:
        mover.seed(seed)
        return mover(image, keypoints)

    own = not all(_is_albumentations(each) for each in _transforms(mover.pipeline))
    return measure(edit, layout.swap, image_size, may_cover=own)


def _follows(shift: LabelShift) -> bool:
    exact = np.abs(shift.offset).max() < _TOLERANCE and shift.spread < _SPREAD
    return bool(exact and shift.renamed < _RARE and shift.lost < _RARE)


def _try_with_one_keypoint(mover: Mover, name: str, layout: KeypointLayout, image_size: tuple[int, int]) -> None:
    keypoints = np.full((len(layout), 2), np.nan, np.float32)
    keypoints[0] = np.array(image_size[::-1]) / 2
    try:
        with random_numbers_kept():
            mover(np.zeros(image_size, np.uint8), keypoints)
    except ContractError as error:
        if isinstance(error.__cause__, IndexError):
            raise ContractError(
                f"augment: {name} fails where a face has one labelled keypoint ({error.__cause__}). It gets the "
                "labelled ones and three points more, so none can be known by its number; leave the exchange of left "
                "and right to the harness, which makes it wherever the picture comes out mirrored"
            ) from error


def _refusal(what: str, shift: LabelShift, remedy: str) -> ContractError:
    if shift.renamed >= _RARE:
        fault = f"{shift.renamed:.0%} of the keypoints take the places of others"
    elif shift.lost >= _RARE:
        fault = f"{shift.lost:.0%} of the keypoints that the picture shows are lost"
    else:
        away = float(np.hypot(np.linalg.norm(shift.offset), shift.spread))
        fault = f"keypoints lie {away:.1f} px from where the picture shows them, each time by another offset"
    return ContractError(f"augment: after {what}, {fault}; {remedy}")


def _remedy(transform: Any, shift: LabelShift) -> str:
    if _is_albumentations(transform):
        return _REMEDIES.get(type(transform).__name__, "weaken it, or leave it out")
    if shift.renamed >= _RARE:
        return (
            "do not exchange keypoints in it, since the harness exchanges left and right wherever the picture comes "
            "out mirrored"
        )
    if shift.lost >= _RARE:
        return "return every keypoint from its apply_to_keypoints"
    where = "in apply_to_keypoints"
    if isinstance(transform, albumentations.ImageOnlyTransform):
        where = "make it an albumentations.DualTransform and, in its apply_to_keypoints"
    return (
        f"{where}, move them exactly as apply moves the picture; pixel centres lie at whole numbers, so a flip is "
        "x -> W - 1 - x"
    )


_REMEDIES = {
    "Downscale": "give it scale_range=(0.5, 0.5), or leave it out",
    "GridDistortion": "take OpticalDistortion or a mild ElasticTransform instead",
    "GridElasticDeform": "take OpticalDistortion or a mild ElasticTransform instead",
    "RandomGridShuffle": "leave it out, since a shuffled face has no left and right",
}


def _transforms(pipeline: Any) -> Iterator[Any]:
    """The transforms in a pipeline, however deep."""
    if isinstance(pipeline, albumentations.BaseCompose):
        for each in pipeline.transforms:
            yield from _transforms(each)
    else:
        yield pipeline


def _is_albumentations(transform: Any) -> bool:
    return type(transform).__module__.startswith("albumentations.") and not isinstance(transform, albumentations.Lambda)


def _is_still(transform: Any) -> bool:
    """Whether a transform of albumentations' own leaves everything in its place. Downscale does not."""
    return _is_albumentations(transform) and (
        isinstance(transform, (albumentations.ImageOnlyTransform, BaseDropout, albumentations.PixelDropout))
        and not isinstance(transform, albumentations.Downscale)
    )


@contextmanager
def _left_out(transforms: Sequence[Any]) -> Iterator[None]:
    """Let some transforms of a pipeline do nothing for a while."""
    shares = [each.p for each in transforms]
    try:
        for each in transforms:
            each.p = 0
        yield
    finally:
        for each, share in zip(transforms, shares, strict=True):
            each.p = share
