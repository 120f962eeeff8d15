"""What the near-duplicate hash catches and what it confuses, on faces whose persons are known.

    python tests/bench/near_duplicates.py DIR

DIR holds Kaggle's training.csv or training.zip and a subjects.csv.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.datasets.readers.kaggle import read_training
from harness.datasets.split import HASH_DISTANCE, difference_hashes, near_duplicate_groups
from harness.keypoints import FACE15


def edits(images: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Copies (N, H, W) as they turn up in data sets: each kind of edit by its name."""
    noise = np.random.default_rng(0).normal(0, 4, images.shape)
    wide = images.astype(np.int16)
    return {
        "exact copy": images,
        "noise, 4 grey levels": np.clip(images + noise, 0, 255).round().astype(np.uint8),
        "25 grey levels brighter": np.clip(wide + 25, 0, 255).astype(np.uint8),
        "contrast x 0.8": (images * 0.8).round().astype(np.uint8),
        "shifted by a pixel": np.pad(images, ((0, 0), (0, 0), (1, 0)), mode="edge")[:, :, :-1],
        "shifted by a pixel both ways": np.pad(images, ((0, 0), (1, 0), (1, 0)), mode="edge")[:, :-1, :-1],
        "JPEG, quality 50": np.stack([_jpeg(image, quality=50) for image in images]),
    }


def main(folder: Path) -> None:
    """Print both tables."""
    faces = read_training(folder, FACE15, (96, 96))
    hashes = difference_hashes(faces.images)
    signs = hashes.astype(np.float32) * 2 - 1
    distances = ((hashes.shape[1] - signs @ signs.T) / 2)[np.triu_indices(len(faces), 1)]
    same = (faces.subjects[:, None] == faces.subjects)[np.triu_indices(len(faces), 1)]

    print(f"{len(faces)} faces of {len(np.unique(faces.subjects))} subjects, {hashes.shape[1]} bits")
    print(f"\n{'distance':>8}  {'pairs of two subjects':>24}  {'pairs of one subject':>24}")
    for limit in (24, 36, 48, 54, 60, 66, 72):
        near = distances <= limit
        columns = (f"{(near & of).sum()} of {of.sum()}" for of in (~same, same))
        print(f"{limit:>8}  " + "  ".join(f"{text:>24}" for text in columns) + "  <-" * (limit == HASH_DISTANCE))

    print(f"\n{'edited copy':<30}  {'caught':>8}  {'largest distance':>16}")
    for name, copies in edits(faces.images).items():
        apart = (difference_hashes(copies) != hashes).sum(axis=1)
        print(f"{name:<30}  {(apart <= HASH_DISTANCE).mean():>8.2%}  {apart.max():>16}")

    start = time.perf_counter()
    groups = near_duplicate_groups(faces.images)
    seconds = time.perf_counter() - start
    subjects = {group: len(np.unique(faces.subjects[groups == group])) for group in np.unique(groups)}
    print(f"\n{len(subjects)} groups, the largest of {np.bincount(groups).max()} images, in {seconds:.2f} s;", end=" ")
    print(f"{sum(count > 1 for count in subjects.values())} of them hold more than one subject")
    many = np.concatenate([faces.images] * (10_000 // len(faces) + 1))[:10_000]
    start = time.perf_counter()
    near_duplicate_groups(many)
    print(f"10,000 images, each of them several times: {time.perf_counter() - start:.2f} s")


def _jpeg(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
