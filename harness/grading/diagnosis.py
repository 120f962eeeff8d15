"""What is wrong with predictions, in sentences: the known mistakes, each found by trying its remedy.

Runs in the grader, on any people whose keypoints are known; its sentences reveal averages only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.grading.corrections import best_correction, group_correction, offset_correction
from harness.grading.normalisation import Floats, mean_error, mean_face_error
from harness.grading.scoring import Scorecard


def find_mistakes(
    predictions: NDArray[np.floating],
    faces: FaceSet,
    *,
    where: str = "",
    finished: bool = True,
    transposed: NDArray[np.floating] | None = None,
    reported: float | None = None,
) -> list[str]:
    """A sentence for each known mistake that these predictions (N, K, 2) show.

    Args:
        predictions: pixels.
        faces: the N faces with their keypoints.
        where: which faces these are, such as " on training faces".
        finished: whether training ran to its end; if not, it is not a mistake to have learnt little.
        transposed: predictions (M, K, 2) for the first M faces with rows and columns of the images exchanged.
        reported: the mean pixel error at the end of training, as the submission's process reported it.
    """
    # Relative to the range of all coordinates, so that it works for predictions in [0, 1] too.
    if len(faces) > 1 and predictions.std(axis=0).max() <= 0.002 * np.ptp(predictions):
        return ["Every image got the same prediction: the model does not look at its input, or has not learnt yet."]
    points = predictions.astype(np.float64)
    correction = best_correction(points, faces)
    if correction:
        return [correction.sentence(points, faces, where)]
    error, mean_face = mean_error(points, faces.keypoints), mean_face_error(faces.keypoints)
    found = (
        _collapsed_pairs(points, faces)
        or _own_mirror_image(points, faces)
        or _transposed(points, faces, transposed, where)
        or _predicts_otherwise(error, reported, where)
    )
    if found or (error > mean_face and not finished):
        return [found] if found else []
    if error <= mean_face:
        correction = offset_correction(points, faces) or group_correction(points, faces)
        return [correction.sentence(points, faces, where)] if correction else []
    return [
        f"Its error{where} ({error:.2f} px) is larger than if it predicted the mean of these faces for every image "
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


def _collapsed_pairs(predictions: Floats, faces: FaceSet) -> str | None:
    """A network trained on flips without the swap learns the middle of each pair, and learns it well."""
    swap = list(faces.layout.swap)
    predicted = np.abs(predictions - predictions[:, swap])[..., 0]
    true = np.abs(faces.keypoints - faces.keypoints[:, swap])[..., 0]
    paired = ~np.isnan(true) & (true > 0)
    if not paired.any() or predicted[paired].mean() > 0.6 * true[paired].mean():
        return None
    # One that has only begun to learn may draw all keypoints together, or know nothing but the mean face.
    labelled = faces.labelled.any(axis=0)
    here, there = (np.nanmean(each[:, labelled, 1], axis=0).std() for each in (predictions, faces.keypoints))
    middles, true_middles = ((each + each[:, swap]) / 2 for each in (predictions, faces.keypoints))
    true_middles[~paired] = np.nan
    if here < 0.8 * there or mean_error(middles, true_middles) > 0.8 * mean_face_error(true_middles):
        return None
    return (
        "Left and right keypoints lie too close together, as after training on mirrored images whose pairs were not "
        "swapped: use the recipe's flip, or swap with layout.swap."
    )


def _own_mirror_image(predictions: Floats, faces: FaceSet) -> str | None:
    """Points averaged with those of the mirrored image, which were not turned back, lie the same on both sides."""
    width = faces.images.shape[2]
    here, there = (mean_error(each, faces.layout.flip(each, width)) for each in (predictions, faces.keypoints))
    # One that has only begun to learn puts everything into the middle, too, but does not follow the face up and down.
    heights = np.nanmean(faces.keypoints[..., 1], axis=1)
    missed = np.abs(np.nanmean((predictions - faces.keypoints)[..., 1], axis=1)).mean()
    if here > 0.1 * there or missed > 0.5 * heights.std():
        return None
    return (
        "Every prediction is its own mirror image, as if it were averaged with that for the mirrored image, which was "
        "not turned back: average with layout.flip(points, width), or use the recipe's flip_test."
    )


def _transposed(points: Floats, faces: FaceSet, transposed: NDArray[np.floating] | None, where: str) -> str | None:
    if transposed is None or not len(transposed):
        return None
    truth = faces.keypoints[: len(transposed)]
    before, after = (mean_error(each, truth) for each in (points[: len(truth)], transposed.astype(np.float64)))
    if after > 0.7 * before:  # where points are averaged with those of the mirrored image, half of them are wrong
        return None
    return (
        f"The error{where} falls from {before:.2f} to {after:.2f} px if the rows and columns of the images are "
        "exchanged: images are (H, W), row by row from the top; give them to the network as they come."
    )


def _predicts_otherwise(error: float, reported: float | None, where: str) -> str | None:
    if reported is None or error < 2 * reported + 1:
        return None
    return (
        f"Training ended with an error of {reported:.2f} px, and that of the predictions{where} is {error:.2f} px, so "
        "it predicts otherwise than it trains: look at what depends on model.training, such as batch normalisation "
        "over few images, an input that is normalised in one of the two only, or an augmentation that no image escapes."
    )
