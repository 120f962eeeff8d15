"""Rendered faces: a procedural face with exact keypoints, made from a seed, with nothing downloaded.

    stream -> shape -> appearance -> lighting ─┐
                 └───> camera ─────────────────┴-> face (surroundings, imaging) -> render

Every length is in eye distances until the camera turns it into pixels.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from harness.datasets.rendered.face import render_face
from harness.datasets.rendered.labels import kaggle_labels
from harness.datasets.rendered.sheet import sheet
from harness.keypoints import FACE15

__all__ = ["VERSION", "kaggle_labels", "render", "sheet"]

VERSION = 1
"""Raised whenever the same seed gives other pictures, so that stored faces are rendered anew."""


def render(
    seed: int,
    count: int,
    image_size: tuple[int, int] = (96, 96),
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Render faces 0 to count - 1 of a seed.

    Face i depends on (seed, i) alone, so a longer set begins with the shorter one. Works in threads: NumPy and OpenCV
    release the interpreter's lock.

    Args:
        seed: any whole number from 0 up.
        count: N, how many faces.
        image_size: height and width (H, W) in pixels.
        progress: called with (faces done, faces in all), in the calling thread.

    Returns:
        images uint8 (N, H, W) and keypoints float32 (N, 15, 2) of FACE15 in pixels, hidden ones included.
    """
    # glibc hands freed memory back to the system, only to ask for it again page by page, until a large block has been
    # freed once. A face's fields are just large enough for that; without this line rendering takes a third longer.
    np.empty(16 << 20, np.uint8)
    images = np.empty((count, *image_size), np.uint8)
    keypoints = np.empty((count, len(FACE15), 2), np.float32)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pool = ThreadPoolExecutor(cores)
    try:
        faces = pool.map(lambda index: render_face(seed, index, image_size), range(count))
        for done, (image, points) in enumerate(faces, start=1):
            images[done - 1], keypoints[done - 1] = image, points
            if progress:
                progress(done, count)
    finally:
        pool.shutdown(cancel_futures=True)
    return images, keypoints
