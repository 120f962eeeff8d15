"""Augmentation throughput against albumentations: a flip, an affine move and brightness, keypoints included.

    python tests/bench/augmentation.py [rounds]

Both have two cores: the harness in one process whose threads warp a batch, albumentations (image by image, as it works)
in two threads and in two processes, of which the faster counts. Each process keeps its own images, so that
albumentations pays nothing for sending them, and one thread for each library, so that the two do not crowd each other.
Rounds alternate, so that a slow spell of the machine hits all. Printed: median images a second with the slowest and
fastest round, and the ratio.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import albumentations
import cv2
import numpy as np
import torch

from harness.keypoints import FACE15
from harness.learning.augment import Augmenter
from harness.learning.recipe import Recipe

IMAGES, BATCH, CORES = 2048, 64, 2
RECIPE = Recipe(flip=0.5, rotation=10.0, scale=0.1, shift=4.0, brightness=0.2, contrast=0.2)


def faces() -> tuple[np.ndarray, np.ndarray]:
    """Random images and keypoints; what they show does not matter to the speed."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, 96, 96), dtype=np.uint8)
    return images, rng.uniform(10, 86, (IMAGES, 15, 2)).astype(np.float32)


def pipeline() -> Any:
    """What the harness's recipe says, in albumentations' words."""
    return albumentations.Compose(
        [
            albumentations.HorizontalFlip(p=0.5),
            albumentations.Affine(
                rotate=(-10, 10), scale=(0.9, 1.1), translate_px=(-4, 4), border_mode=cv2.BORDER_REPLICATE, p=1
            ),
            albumentations.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2, p=1),
        ],
        keypoint_params=albumentations.KeypointParams(format="xy", remove_invisible=False),
    )


IMAGES_OF_THIS_PROCESS, KEYPOINTS_OF_THIS_PROCESS = faces()


def albumentations_share(first: int) -> int:
    """Every second image from ``first`` on, through a pipeline of its own, into float batches for training."""
    compose = pipeline()
    rows = range(first, IMAGES, CORES)
    for begin in range(0, len(rows), BATCH):
        done = [
            compose(image=IMAGES_OF_THIS_PROCESS[row], keypoints=KEYPOINTS_OF_THIS_PROCESS[row])
            for row in rows[begin : begin + BATCH]
        ]
        torch.from_numpy(np.stack([each["image"] for each in done])).float().div_(255)
        torch.from_numpy(np.stack([each["keypoints"] for each in done]))
    return len(rows)


def use_one_thread() -> None:
    """Set up a process that has one core."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def through_albumentations(executor: Executor) -> Callable[[], int]:
    """All images, spread over the executor's two workers."""
    return lambda: sum(executor.map(albumentations_share, range(CORES)))


def through_harness() -> Callable[[], int]:
    """All images, in batches."""
    augmenter = Augmenter(RECIPE, FACE15, (96, 96), torch.device("cpu"))
    images, keypoints = torch.from_numpy(IMAGES_OF_THIS_PROCESS), torch.from_numpy(KEYPOINTS_OF_THIS_PROCESS)
    generator = torch.Generator().manual_seed(0)

    def run() -> int:
        for begin in range(0, IMAGES, BATCH):
            augmenter(images[begin : begin + BATCH], keypoints[begin : begin + BATCH], generator)
        return IMAGES

    return run


def main() -> None:
    """Time all three, in turns."""
    torch.set_num_threads(CORES)
    cv2.setNumThreads(1)  # two threads call it already
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    spawn = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(CORES) as threads, ProcessPoolExecutor(CORES, spawn, use_one_thread) as processes:
        ways = {
            "harness": through_harness(),
            "albumentations, 2 threads": through_albumentations(threads),
            "albumentations, 2 processes": through_albumentations(processes),
        }
        speeds: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(rounds + 1):
            for name, way in ways.items():
                began = time.perf_counter()
                done = way()
                if turn:  # the first round warms up
                    speeds[name].append(done / (time.perf_counter() - began))
    medians = {name: statistics.median(each) for name, each in speeds.items()}
    for name, median in medians.items():
        print(f"{name:28} {median:7.0f} images/s ({min(speeds[name]):.0f} to {max(speeds[name]):.0f})")
    print(f"ratio {medians['harness'] / max(v for k, v in medians.items() if k != 'harness'):.2f} (wanted: at least 2)")


if __name__ == "__main__":
    main()
