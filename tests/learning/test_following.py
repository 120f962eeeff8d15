"""Keypoints follow the picture through a pipeline: a blob drawn at a keypoint comes out where the keypoint does."""

import os
import random

import numpy as np
import pytest
import torch

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
import albumentations as A  # noqa: N812  # its usual name, imported once its look-up is off
import cv2

from harness.errors import ContractError
from harness.keypoints import FACE15, KeypointLayout
from harness.learning.pipelines import PipelineAugmenter

SIDE = 96
PAIRS = tuple((f"left_{k}", f"right_{k}") for k in range(30))
NAMES = (*(name for pair in PAIRS for name in pair), *(f"middle_{k}" for k in range(8)))
FACE68 = KeypointLayout("face68", NAMES, PAIRS, {"face": NAMES}, PAIRS[0])
LAYOUTS = {"15 points": FACE15, "68 points": FACE68}


def blob_at(place: np.ndarray) -> np.ndarray:
    ys, xs = np.mgrid[:SIDE, :SIDE]
    return (255 * np.exp(-((xs - place[0]) ** 2 + (ys - place[1]) ** 2) / 8)).astype(np.uint8)


def shifts(augmenter: PipelineAugmenter, layout: KeypointLayout) -> np.ndarray:
    """How far keypoints in the middle of the face, which have no mirror image, lie from their blobs: (40, 2)."""
    middle = next(k for k, partner in enumerate(layout.swap) if k == partner)
    keypoints = np.random.default_rng(1).uniform(30, 65, (40, len(layout), 2)).astype(np.float32)
    images = np.stack([blob_at(points[middle]) for points in keypoints])
    pictures, moved = augmenter(torch.tensor(images), torch.tensor(keypoints), torch.Generator().manual_seed(0))
    ys, xs = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    weights = pictures[:, 0] / pictures.sum(dim=(1, 2, 3)).view(-1, 1, 1)
    shown = torch.stack([(weights * xs).sum(dim=(1, 2)), (weights * ys).sum(dim=(1, 2))], dim=1)
    return (moved[:, middle] - shown).numpy()


class Flip(A.DualTransform):
    """A student's own flip, right in every way."""

    def apply(self, img, **_):
        return np.ascontiguousarray(img[:, ::-1])

    def apply_to_keypoints(self, keypoints, **_):
        return np.column_stack([SIDE - 1 - keypoints[:, 0], keypoints[:, 1:]])


class FlipOneFurther(Flip):
    def apply_to_keypoints(self, keypoints, **_):
        return np.column_stack([SIDE - keypoints[:, 0], keypoints[:, 1:]])


class Roll(A.ImageOnlyTransform):
    def apply(self, img, **_):
        return np.roll(img, 5, axis=1)


CORRECTED = {
    "ElasticTransform": A.ElasticTransform(alpha=0.01, p=1),
    "ElasticTransform that moves": A.ElasticTransform(alpha=60, sigma=8, p=1),
    "OpticalDistortion": A.OpticalDistortion(p=1),
    "Resize": A.Compose([A.CenterCrop(64, 64), A.Resize(SIDE, SIDE)]),
    "RandomResizedCrop": A.RandomResizedCrop(size=(SIDE, SIDE), scale=(0.6, 1), p=1),
    "RandomScale": A.Compose([A.RandomScale(0.2, p=1), A.Resize(SIDE, SIDE)]),
    "LongestMaxSize": A.Compose([A.LongestMaxSize(71), A.PadIfNeeded(SIDE, SIDE)]),
    "Rotate": A.Rotate(20, border_mode=cv2.BORDER_REFLECT_101, p=1),
    "FlipOneFurther": A.Compose([FlipOneFurther(p=0.5), A.Rotate(10)]),
    "Roll": Roll(p=1),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("name", CORRECTED)
def test_what_moves_keypoints_otherwise_than_the_picture_is_corrected(name, layout) -> None:
    augmenter = PipelineAugmenter(CORRECTED[name], layout, (SIDE, SIDE))
    (note,) = augmenter.notes
    assert note.startswith(f"augment: {name.split()[0]}") and "the harness moves them with the picture" in note
    away = shifts(augmenter, layout)
    assert np.abs(away.mean(axis=0)).max() < 0.05
    assert np.linalg.norm(away, axis=1).mean() < 0.1


class ExchangesPlaces(Flip):
    def apply_to_keypoints(self, keypoints, **_):
        moved = super().apply_to_keypoints(keypoints)
        pairs = [k for k in range(len(moved) - 1) if k % 2 == 0]
        for k in pairs:
            moved[[k, k + 1], :2] = moved[[k + 1, k], :2]
        return moved


class ExchangesByNumber(Flip):
    def apply_to_keypoints(self, keypoints, **_):
        return super().apply_to_keypoints(keypoints)[list(FACE15.swap)]


class FlipsThePicture(A.ImageOnlyTransform):
    def apply(self, img, **_):
        return np.ascontiguousarray(img[:, ::-1])


class WholePixels(Flip):
    def apply_to_keypoints(self, keypoints, **_):
        return np.column_stack([np.round(super().apply_to_keypoints(keypoints)[:, :2]), keypoints[:, 2:]])


class Drops(Flip):
    def apply_to_keypoints(self, keypoints, **_):
        return super().apply_to_keypoints(keypoints)[:-5]


REFUSED = {
    "GridDistortion": (A.GridDistortion(p=0.2), "keypoints lie .* take OpticalDistortion"),
    "ThinPlateSpline": (A.ThinPlateSpline(), "keypoints lie .* weaken it, or leave it out"),
    "RandomGridShuffle": (
        A.OneOf([A.RandomGridShuffle(p=1), A.HorizontalFlip(p=1)], p=0.05),
        "take the places of others; leave it out",
    ),
    "Downscale": (A.Downscale((0.3, 0.5)), r"keypoints lie 2\.. px .* give it scale_range"),
    "ExchangesPlaces": (ExchangesPlaces(), "take the places of others; do not exchange keypoints in it"),
    "ExchangesByNumber": (ExchangesByNumber(), "one labelled keypoint .* leave the exchange of left and right to the"),
    "FlipsThePicture": (FlipsThePicture(), "make it an albumentations.DualTransform"),
    "WholePixels": (WholePixels(), r"keypoints lie 0\.. px .* a flip is x -> W - 1 - x"),
    "Drops": (Drops(), "of the keypoints that the picture shows are lost; return every keypoint"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_corrected_is_refused_by_name_with_a_remedy(name) -> None:
    transform, message = REFUSED[name]
    with pytest.raises(ContractError, match=f"augment: (after )?{name}.* {message}"):
        PipelineAugmenter(A.Compose([A.RandomBrightnessContrast(), transform]), FACE15, (SIDE, SIDE))


class Cutout(Flip):
    """Flips, and covers a part of the picture; draws from the global random numbers, as many do."""

    def apply(self, img, **_):
        img = super().apply(img)
        x, y = random.randrange(66), np.random.randint(66)
        img[y : y + 30, x : x + 30] = 128
        return img


class Noise(A.ImageOnlyTransform):
    def apply(self, img, **_):
        return np.clip(img + self.random_generator.normal(0, 40, img.shape), 0, 255).astype(np.uint8)


def blurred_negative(image, **_):
    return cv2.GaussianBlur(255 - image, (0, 0), 2)


RIGHT = {
    "every symmetry": A.Compose([A.HorizontalFlip(), A.Transpose(), A.RandomRotate90()]),
    "nearest pixels": A.Affine(rotate=(-40, 40), scale=(0.8, 1.2), interpolation=cv2.INTER_NEAREST, p=1),
    "perspective": A.Perspective((0.05, 0.15), p=1),
    "holes": A.Compose([A.HorizontalFlip(), A.CoarseDropout((6, 8), (0.2, 0.3), (0.2, 0.3), p=1), A.GridDropout(p=1)]),
    "hidden": A.Compose([A.HorizontalFlip(), A.GaussNoise((0.4, 0.5), p=1), A.InvertImg(p=1), A.Solarize(p=1)]),
    "a student's flip": Flip(),
    "a student's holes": Cutout(),
    "a student's noise": Noise(),
    "a student's function": A.Lambda(image=blurred_negative, p=1),
}


@pytest.mark.parametrize("pipeline", RIGHT.values(), ids=RIGHT)
def test_what_moves_keypoints_with_the_picture_is_left_alone(pipeline) -> None:
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert PipelineAugmenter(pipeline, FACE15, (SIDE, SIDE)).notes == []
    assert before == (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())


def test_grey_levels_are_not_measured() -> None:
    calls = []
    watched = A.RandomGamma(p=1)
    watched.get_params = lambda: calls.append(1) or {"gamma": 1.0}
    holes = A.CoarseDropout(p=1)
    PipelineAugmenter(A.Compose([watched, A.CLAHE(), A.MotionBlur(), holes]), FACE15, (SIDE, SIDE))
    assert not calls
