"""Faces as SVG: the error of each keypoint on a mean face, and single faces with what was predicted."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import cv2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.keypoints import KeypointLayout
from harness.reporting.drawing import picture

_SHADES = 5
"""How many colours errors have, from the smallest to the largest."""


def mean_face(faces: FaceSet) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The mean picture (H, W) of faces, from black to white, and the mean place (K, 2) of each keypoint.

    A place is NaN where no face has the label.
    """
    labelled = faces.labelled
    sums = np.where(labelled[..., None], faces.keypoints, 0).sum(axis=0, dtype=np.float64)
    counts = labelled.sum(axis=0)[:, None]
    places = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    mean = faces.images.mean(axis=0)
    mean -= mean.min()
    return (mean * (255 / max(float(mean.max()), 1e-9))).round().astype(np.uint8), places


def error_map(
    name: str,
    title: str,
    description: str,
    image: NDArray[np.uint8],
    places: NDArray[np.float64],
    layout: KeypointLayout,
    errors: Mapping[str, float],
) -> Markup:
    """A circle at each keypoint of a mean face, as large as the mean error there; the scale is that of the picture.

    Args:
        name, title, description: as of every drawing.
        image: uint8 (H, W).
        places: (K, 2).
        layout: the K keypoints.
        errors: keypoint -> mean error in pixels, of those that were scored.
    """
    largest, smallest = max(errors.values()), min(errors.values())
    parts = [_image(image)]
    for keypoint, error in sorted(errors.items(), key=lambda item: -item[1]):
        x, y = places[layout.index(keypoint)].tolist()
        if not np.isfinite([x, y]).all():
            continue
        shade = min(_SHADES - 1, int(_SHADES * (error - smallest) / ((largest - smallest) or 1)))
        parts.append(
            Markup(
                '<g class="e{}"><circle cx="{x}" cy="{y}" r="{}"/><circle class="dot" cx="{x}" cy="{y}" r="0.4"/>'
            ).format(shade, f"{min(error, max(image.shape)):.2f}", x=f"{x:.2f}", y=f"{y:.2f}")
            + Markup("<title>{}: {} px</title></g>").format(keypoint.replace("_", " "), f"{error:.2f}")
        )
    height, width = image.shape
    return picture(name, title, description, Markup("").join(parts), width, height, "face-map")


def face(
    name: str,
    title: str,
    image: NDArray[np.uint8],
    true: NDArray[np.floating],
    predicted: NDArray[np.floating],
    words: str = "Circles: where the keypoints are. Crosses: where they were predicted.",
    *,
    joined: bool = False,
) -> Markup:
    """A face (H, W) with its keypoints (K, 2) as circles and what was predicted (K, 2) as crosses.

    NaN is not drawn. Where they are ``joined``, a line leads from each circle to its cross.
    """
    parts = [_image(image)]
    for (x, y), (px, py) in zip(true.tolist(), predicted.tolist(), strict=True):
        is_there, is_predicted = (bool(np.isfinite(place).all()) for place in ((x, y), (px, py)))
        if is_there:
            parts.append(Markup('<circle class="true" cx="{}" cy="{}" r="1.6"/>').format(f"{x:.2f}", f"{y:.2f}"))
        if is_predicted:
            place = f"M{px - 1.3:.2f} {py - 1.3:.2f}l2.6 2.6m0 -2.6l-2.6 2.6"
            parts.append(Markup('<path class="predicted" d="{}"/>').format(place))
        if joined and is_there and is_predicted:
            line = f"M{x:.2f} {y:.2f}L{px:.2f} {py:.2f}"
            parts.append(Markup('<path class="predicted" d="{}"/>').format(line))
    height, width = image.shape
    return picture(name, title, words, Markup("").join(parts), width, height, "face")


def _image(image: NDArray[np.uint8]) -> Markup:
    """A grey picture inside the drawing itself; the centre of its first pixel lies at 0, 0."""
    height, width = image.shape
    data = base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()
    return Markup('<image x="-0.5" y="-0.5" width="{}" height="{}" href="data:image/png;base64,{}"/>').format(
        width, height, data
    )
