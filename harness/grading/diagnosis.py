"""What is wrong with predictions, in sentences: the known mistakes, each found by trying its remedy.

Runs in the grader, with the answer key; its sentences reveal averages only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.grading.scoring import Scorecard, pixel_distances

Points = NDArray[np.floating]


def find_mistakes(predictions: Points, faces: FaceSet, *, finished: bool = True) -> list[str]:
    """A sentence for each known mistake that these predictions (N, K, 2) show.

    Args:
        predictions: pixels.
        faces: the N faces with their keypoints.
        finished: whether training ran to its end; if not, it is not a mistake to have learnt little.
    """
    # Relative to the range of all coordinates, so that it works for predictions in [0, 1] too.
    if len(faces) > 1 and predictions.std(axis=0).max() <= 0.002 * np.ptp(predictions):
        return ["Every image got the same prediction: the model does not look at its input, or has not learnt yet."]
    height, width = faces.images.shape[1:]
    frame = np.array([width, height], dtype=np.float32)
    remedies = {
        "The predictions look like coordinates in [-1, 1]; return pixels: (p + 1) / 2 * (size - 1).": (predictions + 1)
        / 2
        * (frame - 1),
        "The predictions look like coordinates in [0, 1]; return pixels: p * (size - 1).": predictions * (frame - 1),
        "x and y look exchanged; return x (the column) first.": predictions[..., ::-1],
        "Left and right look exchanged; they are the subject's, and a mirrored image needs its pairs swapped "
        "(layout.swap).": predictions[:, list(faces.layout.swap)],
    }
    error = _mean_error(predictions, faces)
    halving = [sentence for sentence, mended in remedies.items() if _mean_error(mended, faces) < 0.5 * error]
    mean_face = _mean_error(np.broadcast_to(np.nanmean(faces.keypoints, axis=0), predictions.shape), faces)
    found = halving or _collapsed_pairs(predictions, faces, mean_face)
    if found or error <= mean_face:
        return found or _offsets(predictions, faces)
    if not finished:
        return []
    return [
        f"Its error ({error:.2f} px) is larger than if it predicted the mean of these faces for every image "
        f"({mean_face:.2f} px), so it has hardly learnt yet."
    ]


def advise(scorecard: Scorecard, recipe: dict[str, Any] | None, training_error: float | None) -> list[str]:
    """What to try next, from where the error lies and which tricks the recipe leaves off."""
    headline = scorecard.headline
    overall = headline.metrics["mean_pixel_error"].value
    advice = []
    if headline.groups:
        hardest, metric = max(headline.groups.items(), key=lambda item: item[1].value)
        if metric.value > 1.2 * overall:
            advice.append(
                f"Hardest: {hardest}, {metric.value:.2f} px against {overall:.2f} overall; a specialist or a "
                "finer resolution may help there."
            )
    if training_error is not None and overall > 1.5 * training_error:
        advice.append(
            f"It fits its training faces better ({training_error:.2f} px) than new ones: more image edits, dropout "
            "or weight decay."
        )
    elif training_error is not None and training_error > 0.9 * overall:
        advice.append(
            f"Its error on its training faces ({training_error:.2f} px) is about as large as on new ones: a larger "
            "model or more epochs."
        )
    if recipe is not None:
        advice += [sentence for field, sentence in _UNUSED.items() if not recipe.get(field)]
    return advice


_UNUSED = {
    "flip": "Mirrored images are off: flip=0.5 doubles the faces it sees.",
    "rotation": "Rotation is off: rotation=10 or more makes up for heads held askew.",
    "ema": "Averaged weights are off: ema=0.999 is nearly free.",
    "flip_test": "Averaging over the mirrored test image is off: flip_test=True.",
}


def _mean_error(predictions: Points, faces: FaceSet) -> float:
    return float(np.nanmean(pixel_distances(predictions, faces.keypoints)))


def _collapsed_pairs(predictions: Points, faces: FaceSet, mean_face: float) -> list[str]:
    """A network trained on flips without the swap learns the middle of each pair, and learns it well."""
    swap = list(faces.layout.swap)
    predicted = np.abs(predictions - predictions[:, swap])[..., 0]
    true = np.abs(faces.keypoints - faces.keypoints[:, swap])[..., 0]
    paired = ~np.isnan(true) & (true > 0)
    if not paired.any() or predicted[paired].mean() > 0.6 * true[paired].mean():
        return []
    middles, true_middles = ((each + each[:, swap]) / 2 for each in (predictions, faces.keypoints))
    if pixel_distances(middles, true_middles)[paired].mean() > mean_face:
        return []
    return [
        "Left and right keypoints lie too close together, as after training on mirrored images whose pairs were not "
        "swapped: use the recipe's flip, or swap with layout.swap."
    ]


def _offsets(predictions: Points, faces: FaceSet) -> list[str]:
    residual = np.nanmean(predictions - faces.keypoints, axis=(0, 1))
    # A network that is not trained to the end may have a smaller offset than this.
    least = max(0.4, 0.2 * _mean_error(predictions, faces))
    return [
        f"{axis} is off by {offset:+.2f} px on average: look for W - x where W - 1 - x is meant, or for pixels counted "
        "from 1."
        for axis, offset in zip("xy", residual, strict=True)
        if abs(offset) > least
    ]
