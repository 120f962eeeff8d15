from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from support.submissions import estimator, grade
from support.tiny import Tiny

from harness.datasets.faces import FaceSet
from harness.grading.diagnosis import advise, find_mistakes
from harness.grading.scoring import pixel_distances, score
from harness.keypoints import FACE15, KeypointLayout

XS = [66, 30, 59, 73, 37, 23, 56, 80, 40, 16, 48, 63, 33, 48, 48]
YS = [37, 37, 38, 38, 38, 38, 29, 30, 29, 30, 62, 75, 75, 73, 80]


@pytest.fixture
def faces() -> FaceSet:
    """Faces with eyes at the right height and on the right sides, shifted and of another size from image to image."""
    rng = np.random.default_rng(0)
    keypoints = 48 + (np.column_stack([XS, YS]) - 48) * rng.normal(1, 0.05, size=(60, 1, 1))
    keypoints += rng.normal(0, 2, size=(60, 1, 2))
    return FaceSet(
        np.zeros((60, 96, 96), np.uint8), keypoints.astype(np.float32), np.arange(60, dtype=np.int64), FACE15
    )


def with_noise(keypoints: np.ndarray, pixels: float) -> np.ndarray:
    """Keypoints whose mean error is about so many pixels."""
    return keypoints + np.random.default_rng(1).normal(0, pixels / 1.25, size=keypoints.shape)


def standardised(k: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    return (k - k.mean(axis=axis)) / k.std(axis=axis)


SCALES = {
    "y / 96": lambda k: k / 96,
    "y / 95": lambda k: k / 95,
    "y / 96 - 0.5": lambda k: k / 96 - 0.5,
    "(y - 48) / 48": lambda k: (k - 48) / 48,
    "(y - 47.5) / 47.5": lambda k: (k - 47.5) / 47.5,
    "(y + 0.5) / 48 - 1": lambda k: (k + 0.5) / 48 - 1,
    "(y - 100) / 50": lambda k: (k - 100) / 50,
    "(y - 40) / 17": lambda k: (k - 40) / 17,
    "y / 100": lambda k: k / 100,
    "y - 48": lambda k: k - 48,
    "coordinates of a 224-pixel image": lambda k: k * 224 / 96,
    "coordinates of a 256-pixel image": lambda k: (k + 0.5) * 256 / 96 - 0.5,
    "coordinates of a 64-pixel image": lambda k: k * 63 / 95,
    "standardised coordinates": lambda k: standardised(k, (0, 1)),
    "pixels whose y counts from the bottom": lambda k: k * [1, -1] + [0, 95],
    "numbers on another scale": lambda k: (k - 33.3) / 7.77,
}


@pytest.mark.parametrize("pixels", [0, 1.26])
@pytest.mark.parametrize("title", SCALES)
def test_a_scale_is_named_with_its_exact_inverse(faces: FaceSet, title: str, pixels: float) -> None:
    truth = faces.keypoints.astype(np.float64)
    predictions = SCALES[title](with_noise(truth, pixels)).astype(np.float32)

    (sentence,) = find_mistakes(predictions, faces)

    before, after, named, inverse = re.fullmatch(
        r"The error falls from (.*) to (.*) px if the predictions are turned into pixels: p looks like (.*); "
        r"return y = (.*?)(?:, your targets' deviation and mean)?\.",
        sentence,
    ).groups()
    mended = eval(inverse, {"p": predictions.astype(np.float64)})
    error = pixel_distances(mended, truth).mean()
    assert named == title or pixels, sentence
    assert error < max(0.01, 1.03 * pixels)
    assert float(after) == pytest.approx(error, abs=0.006) and float(before) > 2 * error
    assert find_mistakes(mended, faces) == []


def test_images_need_not_be_square_nor_keypoints_all_labelled(faces: FaceSet) -> None:
    keypoints = faces.keypoints.copy()
    keypoints[::3, 4:] = np.nan
    keypoints[1], keypoints[:, 2] = np.nan, np.nan
    wide = replace(faces, images=np.zeros((60, 96, 128), np.uint8), keypoints=keypoints)
    predictions = np.nan_to_num(faces.keypoints / [128, 96]).astype(np.float32)
    (sentence,) = find_mistakes(predictions, wide)
    assert "p looks like y / (128, 96); return y = p * (128, 96)." in sentence


MISTAKES = {
    "Every image got the same prediction": lambda k: np.repeat(k[:1], len(k), axis=0),
    "if x and y are exchanged: return x (the column) first": lambda k: k[..., ::-1],
    "if left and right are exchanged": lambda k: k[:, list(FACE15.swap)],
    "if the points are mirrored and left and right exchanged": lambda k: FACE15.flip(k, 96),
    "if the first half of the numbers is read as x": lambda k: k.swapaxes(1, 2).reshape(k.shape),
    "if x and y are exchanged and the predictions are turned into pixels": lambda k: k[..., ::-1] / 96,
    "scaled by itself; return y = scaler.inverse_transform(p)": lambda k: standardised(k, (0,)),
    "differences from the mean face; return y = p + mean_face": lambda k: k - k.mean(axis=0),
    "too close together": lambda k: (k + k[:, list(FACE15.swap)]) / 2,
    "has hardly learnt yet": lambda k: 48 + 0.5 * (k[::-1] - 48),
    "if 1.00 px is subtracted from x: look for W - x": lambda k: k + np.array([1, 0]),
    "if 1.00 px is subtracted from x and y: here, pixels are counted from 0": lambda k: k + 1,
    "if 0.50 px is added to x and y: here, pixel centres": lambda k: k - 0.5,
    "if 9.00 px is subtracted from x": lambda k: k + np.array([9, 0]),
}


@pytest.mark.parametrize("sentence", MISTAKES)
def test_a_known_mistake_is_named(faces: FaceSet, sentence: str) -> None:
    predictions = MISTAKES[sentence](faces.keypoints.astype(np.float64)).astype(np.float32)

    found = find_mistakes(predictions, faces)

    assert len(found) == 1 and sentence in found[0]


def test_a_correction_says_what_the_error_would_be(faces: FaceSet) -> None:
    predictions = with_noise(faces.keypoints, 1)[:, list(FACE15.swap)].astype(np.float32)
    (sentence,) = find_mistakes(predictions, faces, where=" on training faces")
    before, after = (
        pixel_distances(each, faces.keypoints).mean() for each in (predictions, predictions[:, FACE15.swap])
    )
    assert sentence.startswith(
        f"The error on training faces falls from {before:.2f} to {after:.2f} px if left and right"
    )


def test_grade_looks_for_mistakes_on_training_faces(tiny: Tiny) -> None:
    knows = "self.known = {image.tobytes(): points for image, points in zip(images, keypoints)}"
    recalls = "return np.array([self.known.get(image.tobytes(), np.full((15, 2), 5)) for image in images]) / 32"
    _, entry = grade(tiny, estimator(knows, recalls))
    (sentence,) = entry["mistakes"]
    assert "on training faces falls from" in sentence and "to 0.00 px" in sentence and "return y = p * 32." in sentence


def test_five_keypoints_are_enough(faces: FaceSet) -> None:
    names = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
    five = KeypointLayout("five", names, (names[:2], names[3:]), {"face": names}, names[:2])
    few = replace(faces, keypoints=faces.keypoints[:, [0, 1, 10, 11, 12]], layout=five)
    (sentence,) = find_mistakes(with_noise(few.keypoints, 1).astype(np.float32) / 96, few)
    assert "y / 96; return y = p * 96." in sentence
    assert find_mistakes(with_noise(few.keypoints, 1).astype(np.float32), few) == []


def test_two_points_are_on_no_scale(faces: FaceSet) -> None:
    two = replace(
        faces.take(np.arange(2)), keypoints=np.where(np.arange(15)[:, None] == 10, faces.keypoints[:2], np.nan)
    )
    assert find_mistakes(np.random.default_rng(4).normal(48, 9, (2, 15, 2)), two, finished=False) == []


@pytest.mark.parametrize("pixels", [0.1, 1.26, 2.5])
def test_noise_alone_is_not_a_mistake(faces: FaceSet, pixels: float) -> None:
    assert find_mistakes(with_noise(faces.keypoints, pixels).astype(np.float32), faces) == []


UNLEARNT = {
    "nothing but noise": lambda k: np.random.default_rng(2).normal(0, 0.1, k.shape),
    "noise in the middle": lambda k: 48 + np.random.default_rng(2).normal(0, 5, k.shape),
    "the mean face, somewhat too small": lambda k: with_noise(np.broadcast_to(0.8 * k.mean(axis=0), k.shape), 0.3),
    "hardly more than the mean face": lambda k: k.mean(axis=0) + 0.1 * (k - k.mean(axis=0)),
}


@pytest.mark.parametrize("what", UNLEARNT)
def test_a_network_that_learnt_little_is_not_on_another_scale(faces: FaceSet, what: str) -> None:
    predictions = UNLEARNT[what](faces.keypoints.astype(np.float64)).astype(np.float32)
    assert find_mistakes(predictions, faces, finished=False) == []
    assert all("hardly learnt" in sentence for sentence in find_mistakes(predictions, faces))


def test_what_is_drawn_together_early_in_training_are_not_pairs_in_one_place(faces: FaceSet) -> None:
    anywhere = with_noise(faces.keypoints + np.random.default_rng(3).normal(0, 8, (60, 1, 2)), 5).astype(np.float32)
    moved, middles = replace(faces, keypoints=anywhere), anywhere.mean(axis=1, keepdims=True)
    shrunk = with_noise(middles + 0.55 * (anywhere - middles), 4)
    narrow = with_noise(np.broadcast_to([48, 0] + anywhere.mean(axis=0) * [0, 1], anywhere.shape), 1)
    for predictions in (shrunk, narrow):
        assert find_mistakes(predictions, moved, finished=False) == []


def test_advice_names_the_hardest_group_and_the_tricks_left_off(faces: FaceSet) -> None:
    predictions = with_noise(faces.keypoints, 1.25).astype(np.float32)
    predictions[:, FACE15.indices("mouth")] += 3
    card = score(predictions, faces, {"full": np.ones(60, bool)})

    advice = " ".join(advise(card, {"flip": 0.0, "rotation": 5.0, "ema": 0.9, "flip_test": True}, training_error=0.5))

    assert "mouth" in advice
    assert "Mirrored images are off" in advice and "Rotation is off" not in advice
    assert "fits its training faces better" in advice
