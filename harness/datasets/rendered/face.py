"""One face: a head is shaped, dressed, lit, seen and photographed."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.datasets.rendered.appearance import dress
from harness.datasets.rendered.camera import Camera
from harness.datasets.rendered.features import Expression, Features, Proportions
from harness.datasets.rendered.imaging import photograph
from harness.datasets.rendered.lighting import illuminate
from harness.datasets.rendered.markup import markup_of
from harness.datasets.rendered.raster import Field, Points, resize, sample
from harness.datasets.rendered.shape import Head
from harness.datasets.rendered.stream import Stream
from harness.datasets.rendered.surroundings import backdrop, glasses, occlude
from harness.keypoints import FACE15, KeypointLayout

SUPERSAMPLING = 1.5


def render_face(
    seed: int,
    index: int,
    size: tuple[int, int],
    layout: KeypointLayout = FACE15,
    *,
    imaging: Callable[[Field, Stream], NDArray[np.uint8]] = photograph,
    occlusion: bool = True,
) -> tuple[NDArray[np.uint8], Points]:
    """Picture (H, W) and keypoints (K, 2) of face ``index`` of a seed.

    Every part has a stream of its own: without ``occlusion`` or with another ``imaging`` it is the same face.
    """

    def stream(part: str) -> Stream:
        return Stream(seed, index, part)

    features = Features(Proportions.draw(stream("proportions")), Expression.draw(stream("expression")))
    head = Head(features)
    surface = dress(head, stream("appearance"))
    markup = markup_of(layout)
    camera = Camera.draw(stream("camera"), head, size, markup)
    fine = camera.zoom(SUPERSAMPLING)
    columns, rows, depth = fine.trace(surface.radius)
    face = sample(illuminate(surface, camera.rotation, stream("lighting")), columns, rows)
    picture = np.where(np.isfinite(depth), face, backdrop(fine, stream("backdrop")))
    things = stream("occlusion")
    if occlusion and things.chance(0.2):
        glasses(picture, depth, head, fine, things)
    if occlusion and things.chance(0.12):
        occlude(picture, fine, float(np.median(face)), things)
    picture = resize(picture, size, cv2.INTER_AREA)
    return imaging(picture, stream("imaging")), camera.project(markup.points(head, camera.rotation))
