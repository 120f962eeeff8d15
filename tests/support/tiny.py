"""A tiny benchmark in Kaggle's files: bright dots for keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.keypoints import FACE15

REPOSITORY = Path(__file__).resolve().parents[2]
SIDE = 32

CARD = f"""
name = "tiny"
title = "Bright dots for keypoints"
layout = "face15"
image_size = [{SIDE}, {SIDE}]
metric = "mean_pixel_error"

[data]
reader = "kaggle"
held_out = 0.25
seed = 0

[bands]
ok = 20.0
very_good = 10.0
outstanding = 0.5

[limits]
time = "60s"
memory = "3g"
"""

FEW_FACES_CARD = """
name = "few"
title = "A few rendered faces"
layout = "face15"
image_size = [96, 96]
metric = "mean_pixel_error"
data = { reader = "rendered", training = 60, held_out = 16, seed = 0, held_out_seed = 1, fully_labelled = 0.6 }
bands = { ok = 1.6, very_good = 1.5, outstanding = 1.4 }
limits = { time = "5m", memory = "8g" }
"""
"""A few rendered faces of full size, on which any baseline trains for an epoch in seconds."""


def draw_faces(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Faces of SIDE x SIDE pixels: the mean shape, moved as a whole, with a bright dot at each keypoint."""
    rng = np.random.default_rng(seed)
    shape = np.column_stack([np.tile([10, 15, 20], 5), np.repeat([8, 12, 16, 20, 24], 3)]).astype(np.float32)
    keypoints = shape + rng.uniform(-3, 3, size=(count, 1, 2)).astype(np.float32)
    ys, xs = np.mgrid[:SIDE, :SIDE]
    distances = (xs - keypoints[..., 0, None, None]) ** 2 + (ys - keypoints[..., 1, None, None]) ** 2
    images = 30 + 200 * np.exp(-distances / 2).max(axis=1) + rng.uniform(0, 20, size=(count, SIDE, SIDE))
    return images.astype(np.uint8), keypoints


def write_kaggle(folder: Path, images: np.ndarray, keypoints: np.ndarray, subjects: list[str] | None = None) -> None:
    """Write training.csv (and subjects.csv) as Kaggle does."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [",".join([*FACE15.columns, "Image"])]
    for image, points in zip(images, keypoints, strict=True):
        cells = ["" if np.isnan(value) else f"{value:.3f}" for value in points.ravel()]
        lines.append(",".join([*cells, " ".join(map(str, image.ravel()))]))
    (folder / "training.csv").write_text("\n".join(lines) + "\n")
    if subjects is not None:
        rows = [f"{row},{subject}" for row, subject in enumerate(subjects)]
        (folder / "subjects.csv").write_text("\n".join(["Row,Subject", *rows]) + "\n")


@dataclass(frozen=True)
class Tiny:
    """The tiny benchmark in a working folder: ``card``, ``data``, and a place for submissions."""

    root: Path
    card: Path
    data: Path

    def submission(self, text: str, name: str = "mine.py") -> Path:
        path = self.root / "submissions" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path
