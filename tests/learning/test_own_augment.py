"""Augmentation as a plain function of an image and its keypoints."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from harness import FACE15
from harness.errors import ContractError
from harness.learning.own_augment import OwnAugment, is_function
from harness.learning.pipelines import PipelineAugmenter

H, W = SIZE = (96, 64)
SWAP = list(FACE15.swap)
rng = np.random.default_rng(0)
FACE = np.array(
    [(42, 36), (22, 36), (37, 37), (47, 37), (27, 37), (17, 37), (37, 30), (50, 29), (27, 30), (14, 29), (32, 55),
     (42, 70), (22, 70), (32, 68), (32, 75)],
    np.float32,
)  # fmt: skip
FACES = FACE + rng.uniform(-2, 2, (8, 15, 2)).astype(np.float32)
IMAGES = rng.integers(0, 256, (8, H, W), np.uint8)


def augmented(
    function: Callable[..., object], keypoints: np.ndarray = FACES, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Images in [0, 255] and keypoints."""
    generator = torch.Generator().manual_seed(seed)
    pictures, points = OwnAugment(function, FACE15, SIZE)(torch.tensor(IMAGES), torch.tensor(keypoints), generator)
    return (255 * pictures[:, 0].numpy()).round(), points.numpy()


def mirror(image, keypoints):
    return image[:, ::-1], np.stack([W - 1 - keypoints[:, 0], keypoints[:, 1]], axis=1)


def mirror_and_exchange(image, keypoints):
    image, keypoints = mirror(image, keypoints)
    return image, keypoints[SWAP]


def upside_down(image, keypoints):
    return image[::-1], np.stack([keypoints[:, 0], H - 1 - keypoints[:, 1]], axis=1)


def half_turn(image, keypoints):
    return image[::-1, ::-1], np.array([W - 1, H - 1]) - keypoints


def only(*kept: str) -> np.ndarray:
    """Faces with these keypoints alone."""
    keypoints = FACES.copy()
    keypoints[:, [name not in kept for name in FACE15.keypoints]] = np.nan
    return keypoints


LABELS = {
    "all": FACES,
    "four": only("left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip"),
    "eyes": only("left_eye_center", "right_eye_center"),
    "an eye": only("left_eye_center"),
    "none": only(),
}


@pytest.mark.parametrize("keypoints", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("function", [mirror, mirror_and_exchange])
def test_left_stays_left_whether_or_not_the_function_sees_to_it(function, keypoints: np.ndarray) -> None:
    pictures, points = augmented(function, keypoints)
    np.testing.assert_array_equal(pictures, IMAGES[:, :, ::-1])
    np.testing.assert_allclose(points, FACE15.flip(keypoints, W), atol=1e-4)


def test_pairs_are_exchanged_by_orientation() -> None:
    turned_over = np.stack([FACES[..., 0], H - 1 - FACES[..., 1]], axis=2)[:, SWAP]
    np.testing.assert_allclose(augmented(upside_down)[1], turned_over, atol=1e-4)
    np.testing.assert_allclose(augmented(half_turn)[1], [W - 1, H - 1] - FACES, atol=1e-4)
    np.testing.assert_array_equal(augmented(lambda *face: face)[1], FACES)


def test_a_layout_without_mirror_pairs_has_nothing_to_exchange() -> None:
    names = tuple(f"point_{number}" for number in range(15))
    layout = replace(FACE15, keypoints=names, mirror_pairs=(), groups={"face": names}, nme_by=names[:2])
    made = OwnAugment(mirror, layout, SIZE)
    points = made(torch.tensor(IMAGES), torch.tensor(FACES), torch.Generator())[1]
    np.testing.assert_allclose(points, np.stack([W - 1 - FACES[..., 0], FACES[..., 1]], axis=2), atol=1e-4)


def noisy(image, keypoints):
    drawn = [random.random(), np.random.rand(), np.random.default_rng().random(), torch.rand(()).item()]
    image[0, :4] = [int(256 * each) for each in drawn]
    return image, keypoints


def test_every_source_of_random_numbers_is_seeded_for_each_image_and_left_as_it_was() -> None:
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = random.random(), np.random.rand(), torch.rand(()).item()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)

    first, again, other = (augmented(noisy, seed=seed)[0][:, 0, :4] for seed in (3, 3, 4))

    assert (random.random(), np.random.rand(), torch.rand(()).item()) == expected
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=0).all() and all(len(set(column)) > 4 for column in first.T.tolist())


def test_the_arrays_are_copies() -> None:
    images, faces = IMAGES.copy(), FACES.copy()

    def spoil(image, keypoints):
        image[:], keypoints[:] = 0, 0
        return image, keypoints

    augmented(spoil)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(faces, FACES)


REFUSED = {
    "the image alone": (lambda i, k: i, "a ndarray; .*: return image, keypoints"),
    "floats": (lambda i, k: (i / 255, k), r"an image of float64 \(96, 64\); .*astype\(\"uint8\"\)"),
    "a crop": (lambda i, k: (i[8:], k), r"an image of uint8 \(88, 64\); .*resize back"),
    "colours": (lambda i, k: (np.stack([i] * 3, 2), k), r"an image of uint8 \(96, 64, 3\)"),
    "flat keypoints": (lambda i, k: (i, k.ravel()), r"keypoints of float32 \(30,\); .*one row"),
    "a list": (lambda i, k: (i, k.tolist()), "keypoints of type list"),
    "made-up keypoints": (lambda i, k: (i, np.nan_to_num(k)), "keypoints that were missing, .*leave NaN"),
}


@pytest.mark.parametrize(("function", "message"), REFUSED.values(), ids=REFUSED)
def test_what_it_must_not_return_is_named_with_its_line(function, message: str) -> None:
    place = r"^test_own_augment\.py, line \d+, in <lambda>"
    with pytest.raises(ContractError, match=f"{place}: augment returned {message}"):
        augmented(function, LABELS["four"])


def test_it_must_take_an_image_and_keypoints() -> None:
    with pytest.raises(ContractError, match=r"augment is a function; it must be a function augment\(image, keypoi"):
        OwnAugment(lambda image: image, FACE15, SIZE)


def test_a_pipeline_is_not_taken_for_a_function() -> None:
    import albumentations

    pipeline = albumentations.Compose([albumentations.HorizontalFlip(p=1)])
    assert is_function(mirror) and not is_function(pipeline) and not is_function(pipeline.transforms[0])
    assert not is_function("flip") and not is_function([pipeline])
    by_pipeline = PipelineAugmenter(pipeline, FACE15, SIZE)
    _, points = by_pipeline(torch.tensor(IMAGES), torch.tensor(FACES), torch.Generator())
    np.testing.assert_allclose(augmented(mirror)[1], points, atol=1e-3)
