from __future__ import annotations

import numpy as np
import pytest

from harness.datasets.faces import FaceSet
from harness.grading.diagnosis import advise, find_mistakes
from harness.grading.scoring import score
from harness.keypoints import FACE15


@pytest.fixture
def faces() -> FaceSet:
    """Faces with eyes at the right height and on the right sides, shifted from image to image."""
    rng = np.random.default_rng(0)
    xs = [66, 30, 59, 73, 37, 23, 56, 80, 40, 16, 48, 63, 33, 48, 48]
    ys = [37, 37, 38, 38, 38, 38, 29, 30, 29, 30, 62, 75, 75, 73, 80]
    keypoints = np.column_stack([xs, ys]) + rng.normal(0, 2, size=(50, 1, 2))
    return FaceSet(
        np.zeros((50, 96, 96), np.uint8), keypoints.astype(np.float32), np.arange(50, dtype=np.int64), FACE15
    )


def nearly(keypoints: np.ndarray) -> np.ndarray:
    return (keypoints + np.random.default_rng(1).normal(0, 1, size=keypoints.shape)).astype(np.float32)


MISTAKES = {
    "same prediction": lambda k: np.repeat(k[:1], len(k), axis=0),
    "[-1, 1]": lambda k: k / 95 * 2 - 1,
    "[0, 1]": lambda k: k / 95,
    "exchanged; return x": lambda k: k[..., ::-1],
    "Left and right look exchanged": lambda k: k[:, list(FACE15.swap)],
    "too close together": lambda k: (k + k[:, list(FACE15.swap)]) / 2,
    "has hardly learnt yet": lambda k: 48 + 0.5 * (k[::-1] - 48),
    "x is off by +1.00 px": lambda k: k + np.array([1.0, 0.0]),
}


@pytest.mark.parametrize("sentence", MISTAKES)
def test_a_known_mistake_is_named(faces: FaceSet, sentence: str) -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, size=faces.keypoints.shape)
    predictions = MISTAKES[sentence](faces.keypoints) + (0 if sentence == "same prediction" else noise)

    found = find_mistakes(predictions.astype(np.float32), faces)

    assert len(found) == 1 and sentence in found[0]


def test_good_predictions_have_none(faces: FaceSet) -> None:
    assert find_mistakes(nearly(faces.keypoints), faces) == []


def test_advice_names_the_hardest_group_and_the_tricks_left_off(faces: FaceSet) -> None:
    predictions = nearly(faces.keypoints)
    predictions[:, FACE15.indices("mouth")] += 3
    card = score(predictions, faces, {"full": np.ones(50, bool)})

    advice = " ".join(advise(card, {"flip": 0.0, "rotation": 5.0, "ema": 0.9, "flip_test": True}, training_error=0.5))

    assert "mouth" in advice
    assert "Mirrored images are off" in advice and "Rotation is off" not in advice
    assert "fits its training faces better" in advice
