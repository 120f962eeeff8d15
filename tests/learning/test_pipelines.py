"""Albumentations pipelines: points follow the picture, and left stays left."""

import math
import os

import numpy as np
import pytest
import torch

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
import albumentations as A  # noqa: N812  # its usual name, imported once its look-up is off

from harness.errors import ContractError
from harness.keypoints import FACE15
from harness.learning.pipelines import PipelineAugmenter

SIZE = 96


def augment(pipeline, images, keypoints, seed=0):
    made = PipelineAugmenter(pipeline, FACE15, (SIZE, SIZE))
    return made(torch.as_tensor(images), torch.as_tensor(keypoints), torch.Generator().manual_seed(seed))


def faces(count: int, low: float = 20, high: float = 75) -> tuple[np.ndarray, np.ndarray]:
    """Random images and keypoints."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, SIZE, SIZE), dtype=np.uint8)
    return images, rng.uniform(low, high, (count, 15, 2)).astype(np.float32)


LAST = SIZE - 1
KNOWN = {
    "flip": (A.HorizontalFlip(p=1), lambda x, y: (LAST - x, y), True),
    "vertical flip": (A.VerticalFlip(p=1), lambda x, y: (x, LAST - y), True),
    "transpose": (A.Transpose(p=1), lambda x, y: (y, x), True),
    "both flips": (
        A.Sequential([A.HorizontalFlip(p=1), A.VerticalFlip(p=1)], p=1),
        lambda x, y: (LAST - x, LAST - y),
        False,
    ),
    "half turn": (A.Affine(rotate=(180, 180), p=1), lambda x, y: (LAST - x, LAST - y), False),
    "grey levels": (A.RandomBrightnessContrast(p=1), lambda x, y: (x, y), False),
}


@pytest.mark.parametrize(("transform", "move", "is_mirrored"), KNOWN.values(), ids=KNOWN)
def test_points_move_with_the_transform_and_swap_when_it_mirrors(transform, move, is_mirrored) -> None:
    images, keypoints = faces(3)
    _, moved = augment(A.Compose([transform]), images, keypoints)
    expected = np.stack(move(keypoints[..., 0], keypoints[..., 1]), axis=-1)
    if is_mirrored:
        expected = expected[:, list(FACE15.swap)]
    np.testing.assert_allclose(moved.numpy(), expected, atol=0.01)


DRAWN = {
    "quarter turns": A.RandomRotate90(p=1),
    "the square's symmetries": A.D4(p=1),
    "affine": A.Affine(scale=(0.8, 1.2), rotate=(-30, 30), translate_px=(-5, 5), shear=(-5, 5), p=1),
    "flip and affine": A.Sequential([A.HorizontalFlip(p=0.5), A.Affine(rotate=(-30, 30), p=1)], p=1),
    "one of": A.OneOf([A.HorizontalFlip(p=1), A.Transpose(p=1), A.Rotate(limit=20, p=1)], p=1),
}


MARKS = {"left_eye_center": ((66, 36), 80), "right_eye_center": ((30, 36), 160), "nose_tip": ((47, 62), 240)}
"""Where a face has its marks, and how bright each is."""


def turn_of(a, b, c) -> float:
    """Positive where a, b, c go round one way, negative where they go round the other."""
    (ax, ay), (bx, by), (cx, cy) = a, b, c
    return np.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))


@pytest.mark.parametrize("transform", DRAWN.values(), ids=DRAWN)
def test_eyes_are_swapped_exactly_when_the_picture_was_mirrored(transform) -> None:
    image, keypoints = np.zeros((SIZE, SIZE), dtype=np.uint8), np.full((15, 2), 40, dtype=np.float32)
    for name, ((x, y), grey) in MARKS.items():
        image[y - 4 : y + 5, x - 4 : x + 5] = grey
        keypoints[FACE15.index(name)] = (x, y)
    pictures, moved = augment(transform, np.stack([image] * 20), np.stack([keypoints] * 20))
    before = turn_of(*(place for place, _ in MARKS.values()))
    for picture, points in zip(pictures[:, 0].numpy(), moved.numpy(), strict=True):
        left, right, nose = (points[FACE15.index(name)] for name in MARKS)
        seen = {round(255 * float(picture[round(float(y)), round(float(x))])): (x, y) for x, y in (left, right, nose)}
        assert sorted(seen) == [80, 160, 240]
        is_mirrored = turn_of(seen[80], seen[160], seen[240]) != before
        assert tuple(left) == seen[160 if is_mirrored else 80]
        assert tuple(nose) == seen[240]


def test_missing_and_outlying_keypoints_keep_their_places() -> None:
    images, keypoints = faces(2)
    keypoints[0, FACE15.index("left_eye_center")] = math.nan
    keypoints[1, FACE15.index("nose_tip")] = (-7, 120)
    _, moved = augment(A.Compose([A.HorizontalFlip(p=1)]), images, keypoints)
    np.testing.assert_allclose(moved.numpy(), FACE15.flip(keypoints, SIZE), atol=1e-4)


def test_a_large_elastic_wobble_is_no_mirror() -> None:
    images, keypoints = faces(10)
    _, moved = augment(A.Compose([A.ElasticTransform(alpha=60, sigma=8, p=1)]), images, keypoints)
    assert np.linalg.norm(moved.numpy() - keypoints, axis=2).max() < 12


@pytest.mark.parametrize(
    "pipeline",
    [
        A.Compose([A.HorizontalFlip(p=1)]),
        A.Compose([A.HorizontalFlip(p=1)], keypoint_params=A.KeypointParams(format="yx", remove_invisible=True)),
        A.HorizontalFlip(p=1),
    ],
    ids=["without keypoint_params", "with its own", "one transform"],
)
def test_keypoint_params_are_the_harness_s_business(pipeline) -> None:
    images, keypoints = faces(2)
    _, moved = augment(pipeline, images, keypoints)
    np.testing.assert_allclose(moved.numpy(), FACE15.flip(keypoints, SIZE), atol=1e-4)


def test_the_generator_decides_and_each_image_draws_anew() -> None:
    pipeline = A.Compose([A.HorizontalFlip(p=0.5), A.RandomBrightnessContrast(p=0.5)], seed=7)
    images, keypoints = faces(1)
    images, keypoints = images.repeat(40, axis=0), keypoints.repeat(40, axis=0)
    (first, points), (second, _), (other, _) = (augment(pipeline, images, keypoints, seed) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    flipped = ~np.isclose(points.numpy(), keypoints).all(axis=(1, 2))
    brightened = (first.amax(dim=(1, 2, 3)) != 1).numpy() | (first.amin(dim=(1, 2, 3)) != 0).numpy()
    both = {pair: sum((flipped == pair[0]) & (brightened == pair[1])) for pair in np.ndindex(2, 2)}
    assert min(both.values()) > 0, "a flip and a brightness must not be drawn from the same number"


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ("flip", "augment is a str; it must be an albumentations pipeline"),
        (A.Compose([A.RandomCrop(64, 64)]), r"returned uint8 of shape \(64, 64\); it must keep uint8 \(96, 96\)"),
        (A.Compose([A.ToFloat()]), "returned float32 .* Leave out Normalize"),
        (A.Compose([A.ToRGB()]), r"returned uint8 of shape \(96, 96, 3\)"),
        (A.Compose([A.ChannelShuffle(p=1), A.RandomCrop(200, 200)]), "failed on a grey uint8 image"),
    ],
)
def test_a_pipeline_that_cannot_serve_is_refused(pipeline, message) -> None:
    with pytest.raises(ContractError, match=message):
        augment(pipeline, *faces(1))
