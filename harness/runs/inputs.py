"""Inputs: what a job folder holds for its worker to read, and when."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from harness.runs.job import Job, Material

_TRAINING_SHARE = 0.9
"""Of the time limit; the rest is for loading and predicting."""

ASKED = "asked.npy"


def order_of(material: Material) -> NDArray[np.intp]:
    """In which order (N,) the worker gets the images."""
    order = np.arange(len(material.asked))
    if material.mixed:
        np.random.default_rng().shuffle(order[: len(order) - material.aside])
    return order


def write_inputs(folder: Path, job: Job) -> None:
    """Lay out all that the worker may read but the images to predict."""
    inside = folder / "input"
    (folder / "output").mkdir()
    job.package.write_to(inside / "submission")
    material, conditions = job.material, job.conditions
    np.save(inside / "images.npy", material.training.images)
    np.save(inside / "keypoints.npy", material.training.keypoints)
    np.save(inside / "subjects.npy", material.training.subjects)
    task = {
        "submission": job.package.entry,
        "layout": asdict(material.training.layout),
        "image_size": material.training.images.shape[1:],
        "parts": material.parts or (len(material.asked) - material.aside,),
        "device": conditions.device,
        "threads": conditions.threads,
        "overrides": conditions.overrides,
        "suggested": conditions.suggested,
        "time_budget": conditions.limits.seconds * _TRAINING_SHARE,
        "training_seconds": conditions.training_seconds,
        "save_weights": conditions.save_weights,
    }
    (inside / "job.json").write_text(json.dumps(task), encoding="utf-8")


def hand_over(folder: Path, asked: NDArray[np.uint8]) -> None:
    """Lay down the images (N, H, W) that the worker is to predict: at once, and open to it like its other inputs."""
    unfinished, like = folder / ASKED, (folder / "input" / "images.npy").stat()
    np.save(unfinished, asked)
    unfinished.chmod(stat.S_IMODE(like.st_mode))
    if like.st_gid != unfinished.stat().st_gid:  # that of a user of its own
        os.chown(unfinished, like.st_uid, like.st_gid)
    unfinished.replace(folder / "input" / ASKED)
