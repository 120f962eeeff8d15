"""Rendered faces: a procedural face with exact keypoints, made from a seed, with nothing downloaded.

    stream -> shape -> appearance -> lighting ─┐
                 └───> camera ─────────────────┴-> face (surroundings, imaging) -> render

Every length is in eye distances until the camera turns it into pixels.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import IO

import numpy as np
from numpy.typing import NDArray

from harness.datasets.rendered.face import render_face
from harness.datasets.rendered.labels import kaggle_labels
from harness.datasets.rendered.sheet import sheet
from harness.errors import HarnessError
from harness.isolation.limits import usable_cores
from harness.keypoints import FACE15, KeypointLayout

__all__ = ["VERSION", "kaggle_labels", "render", "sheet"]

VERSION = 2
"""Raised whenever the same seed gives other pictures, so that stored faces are rendered anew."""

_FEW = 48
"""Up to so many faces are drawn here sooner than other processes could start."""


def render(
    seed: int,
    count: int,
    image_size: tuple[int, int] = (96, 96),
    layout: KeypointLayout = FACE15,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Render faces 0 to count - 1 of a seed, on every core.

    Face i depends on (seed, i) alone, so a longer set begins with the shorter one.

    Args:
        seed: any whole number from 0 up.
        count: N, how many faces.
        image_size: height and width (H, W) in pixels.
        layout: which keypoints; ``face15`` or ``ibug68``.
        progress: called with (faces done, faces in all), in the calling thread.

    Returns:
        images uint8 (N, H, W) and keypoints float32 (N, K, 2) in pixels, hidden ones included.

    Raises:
        HarnessError: a process that draws was killed, as where memory is short.
    """
    images = np.empty((count, *image_size), np.uint8)
    keypoints = np.empty((count, len(layout), 2), np.float32)
    with ExitStack() as stack:
        faces: Iterable[tuple[NDArray[np.uint8], NDArray[np.floating]]] = (
            (render_face(seed, index, image_size, layout) for index in range(count))
            if count <= _FEW
            else _from_processes(seed, count, image_size, layout, stack)
        )
        for done, (image, points) in enumerate(faces, start=1):
            images[done - 1], keypoints[done - 1] = image, points
            if progress:
                progress(done, count)
    return images, keypoints


def _from_processes(
    seed: int, count: int, image_size: tuple[int, int], layout: KeypointLayout, stack: ExitStack
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """The faces in order, drawn by a process for each core: threads would wait for one another's Python.

    Fresh interpreters, since a fork of a process with threads may hang and multiprocessing's spawn runs the caller's
    script again.
    """
    cores = usable_cores()
    sources = []
    for first in range(cores):
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-P", "-m", "harness.datasets.rendered"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        stack.callback(process.kill)
        assert process.stdin is not None and process.stdout is not None
        # Not on the command line, which every user of the machine can see: the seed may be a secret.
        task = {"seed": seed, "faces": [first, count, cores], "image_size": image_size, "keypoints": layout.keypoints}
        process.stdin.write(json.dumps(task).encode())
        process.stdin.close()
        sources.append(process.stdout)
    pixels, points = int(np.prod(image_size)), len(layout) * 2 * 4
    for index in range(count):
        record = _read(sources[index % cores], pixels + points)
        yield (
            np.frombuffer(record, np.uint8, pixels).reshape(image_size),
            np.frombuffer(record, np.float32, offset=pixels).reshape(-1, 2),
        )


def _read(source: IO[bytes], size: int) -> bytes:
    record = source.read(size)
    if len(record) != size:
        raise HarnessError("a process that renders faces ended early; is there memory left? Try again")
    return record
