"""Draws some faces of a seed and writes each as bytes: one of the processes that ``render`` starts.

Reads ``{"seed": ..., "faces": [first, stop, step], "image_size": [height, width]}`` from stdin.
"""

from __future__ import annotations

import json
import sys

import cv2
import numpy as np

from harness.datasets.rendered.face import render_face


def main() -> None:
    """Write the pixels and then the keypoints (float32) of each face to stdout."""
    task = json.load(sys.stdin)
    cv2.setNumThreads(1)  # the processes share the cores among themselves
    # glibc hands freed memory back to the system, only to ask for it again page by page, until a large block has been
    # freed once. A face's fields are just large enough for that.
    np.empty(16 << 20, np.uint8)
    for index in range(*task["faces"]):
        image, keypoints = render_face(task["seed"], index, tuple(task["image_size"]))
        sys.stdout.buffer.write(image.tobytes() + keypoints.astype(np.float32).tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
