"""Training throughput through ``train`` against a bare loop that does the same work.

    python tests/bench/throughput.py [rounds]

Both train the same small network from the same weights, with the same batches, optimizer, loss and memory format, and
no augmentation. Rounds alternate, so that a slow spell of the machine hits both. Printed: median images a second of
each, their ratio, and both losses' final error, which are equal when both did the same work.
"""

from __future__ import annotations

import copy
import statistics
import sys
import time

import numpy as np
import torch
from torch import Tensor, nn

from harness.keypoints import FACE15
from harness.learning.augment import Augmenter
from harness.learning.codecs import CODECS
from harness.learning.recipe import Recipe
from harness.learning.trainer import train

IMAGES, EPOCHS, THREADS = 512, 2, 2
NOTHING = {"flip": 0.0, "rotation": 0.0, "scale": 0.0, "shift": 0.0, "brightness": 0.0, "contrast": 0.0}
RECIPE = Recipe(
    epochs=EPOCHS,
    loss="mse",
    lr_schedule="constant",
    warmup=0.0,
    weight_decay=0.0,
    ema=0.0,
    precision="float32",
    **NOTHING,
)


def small_network() -> nn.Module:
    """Three convolutional blocks of 16, 32 and 64 channels, and one dense layer."""
    blocks: list[nn.Module] = []
    for before, after in ((1, 16), (16, 32), (32, 64)):
        blocks += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(64 * 12 * 12, 30), nn.Unflatten(1, (15, 2)))


def through_trainer(model: nn.Module, images: np.ndarray, keypoints: np.ndarray) -> float:
    """Train with the harness; the mean pixel error of the last epoch."""
    device = torch.device("cpu")
    trained = train(
        model,
        images,
        keypoints,
        np.arange(len(images)),
        layout=FACE15,
        codec=CODECS["pixels"],
        recipe=RECIPE,
        device=device,
        budget_seconds=None,
        augmenter=Augmenter(RECIPE, FACE15, (96, 96), device),
        progress=lambda _: None,
    )
    return trained.error_px


def by_hand(model: nn.Module, images: np.ndarray, keypoints: np.ndarray) -> float:
    """The loop that one would write without a harness; the mean pixel error of the last epoch."""
    model = model.to(memory_format=torch.channels_last).train()
    bytes_, targets = torch.tensor(images), torch.tensor(keypoints)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RECIPE.lr, weight_decay=0.0)
    generator = torch.Generator().manual_seed(RECIPE.seed)
    error = 0.0
    for _ in range(EPOCHS):
        distances: list[Tensor] = []
        for rows in torch.randperm(len(images), generator=generator).split(RECIPE.batch_size):
            outputs = model(bytes_[rows].unsqueeze(1).float().div_(255))
            loss = ((outputs - targets[rows]) / 48).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            distances.append((outputs.detach() - targets[rows]).norm(dim=-1).mean())
            torch.rand(len(rows), 15, generator=generator)  # what the trainer's augmenter draws, to see the same order
        error = torch.stack(distances).mean().item()
    return error


def main() -> None:
    """Time both, in turns."""
    torch.set_num_threads(THREADS)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (IMAGES, 96, 96), dtype=np.uint8)
    keypoints = generator.uniform(10, 86, (IMAGES, 15, 2)).astype(np.float32)
    torch.manual_seed(0)
    model = small_network()
    seconds: dict[str, list[float]] = {"trainer": [], "by hand": []}
    errors: dict[str, float] = {}
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    for turn in range(rounds + 1):
        for name, way in (("trainer", through_trainer), ("by hand", by_hand)):
            fresh = copy.deepcopy(model)
            began = time.perf_counter()
            errors[name] = way(fresh, images, keypoints)
            if turn:  # the first round warms up
                seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        spread = f"{IMAGES * EPOCHS / max(seconds[name]):.0f} to {IMAGES * EPOCHS / min(seconds[name]):.0f}"
        print(f"{name:8} {IMAGES * EPOCHS / median:6.0f} images/s ({spread}), last error {errors[name]:.4f} px")
    print(f"ratio    {medians['by hand'] / medians['trainer']:.3f} (wanted: at least 0.95)")


if __name__ == "__main__":
    main()
