"""Draws some faces of a seed and writes each as bytes: one of the processes that ``render`` starts.

Reads ``{"seed": ..., "faces": [first, stop, step], "image_size": [height, width],
"keypoints": [name, ...]}`` from stdin.
"""

from __future__ import annotations

import json
import sys

import cv2
import numpy as np

from harness.datasets.rendered.face import render_face
from harness.keypoints import LAYOUTS


def main() -> None:
    """Write the pixels and then the keypoints (float32) of each face to stdout."""
    task = json.load(sys.stdin)
    cv2.setNumThreads(1)  # the processes share the cores among themselves
    # glibc hands freed memory back to the system, only to ask for it again page by page, until a large block has been
    # freed once. A face's fields are just large enough for that.
    np.empty(16 << 20, np.uint8)
    layout = next(layout for layout in LAYOUTS.values() if list(layout.keypoints) == task["keypoints"])
    for index in range(*task["faces"]):
        image, keypoints = render_face(task["seed"], index, tuple(task["image_size"]), layout)
        sys.stdout.buffer.write(image.tobytes() + keypoints.astype(np.float32).tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
