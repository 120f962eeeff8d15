"""What rendered faces teach about real ones: baselines/feature_pyramid.py, trained on each and on both.

    python tests/bench/transfer.py DIR [--epochs 12] [--faces 6000] [--seed 0] [--device auto]

DIR holds Kaggle's files. Scored on the subjects that the kaggle card holds out, its headline stratum. Trained on

- rendered: the training faces of rendered-full;
- real: the training faces of the kaggle card, for --epochs;
- both: all of these, the real ones repeated until they are about as many, so that half of what a step sees is real;
- in turn: the real ones, by the network that "rendered" has trained.

Each training takes as many steps as that on the real ones alone, to a whole epoch, so "both" sees each real face less
often. The network does not know which labels are exact and which were made by hand. --faces takes at most so many
training faces of each kind, to try it quickly. The interval of a paired difference is over subjects: it says nothing
about another --seed.
"""

from __future__ import annotations

import argparse
import copy
import shlex
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from harness.benchmark import Benchmark, RenderedData, load_benchmark
from harness.datasets.faces import FaceSet
from harness.datasets.opening import open_split
from harness.estimates import Estimate
from harness.grading.scoring import compare, score
from harness.learning.estimator import NetworkEstimator
from harness.learning.recipe import Recipe
from harness.submission.contract import load_baseline

BASELINE = load_baseline("feature_pyramid")


@dataclass(frozen=True)
class Trained:
    """Predictions (N, K, 2) for the held-out faces, and how they were come by."""

    predictions: np.ndarray
    epochs: int
    steps: int
    seconds: float


def main() -> None:
    """Train four times, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--epochs", type=int, metavar="N", default=12)
    parser.add_argument("--faces", type=int, default=6000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()

    kaggle = load_benchmark("kaggle")
    split = open_split(kaggle, arguments.folder)
    real = split.training.take(np.arange(min(arguments.faces, len(split.training))))
    rendered = rendered_faces(arguments.faces)
    sets = {"rendered": rendered, "real": real, "both": both(real, rendered), "in turn": real}

    recipe = BASELINE.recipe.with_changes(seed=arguments.seed)
    steps = arguments.epochs * steps_per_epoch(real, recipe.batch_size)
    headline, rows = next(iter(split.strata.items()))
    trained, learners = {}, {}
    for name, faces in sets.items():
        epochs = max(1, round(steps / steps_per_epoch(faces, recipe.batch_size)))
        print(f"{name}: {len(faces):,} faces, {epochs} epochs", file=sys.stderr)
        start = learners["rendered"].model if name == "in turn" else None
        learner = network(kaggle, recipe.with_changes(epochs=epochs), arguments.device, start)
        learners[name] = learner
        began = time.perf_counter()
        learner.fit(faces.images, faces.keypoints, faces.subjects)
        seconds = time.perf_counter() - began
        done = epochs * steps_per_epoch(faces, recipe.batch_size)
        trained[name] = Trained(learner.predict(split.held_out.images), epochs, done, seconds)

    held_out = split.held_out.take(rows)
    print(shlex.join(["python", *sys.argv]))
    print(f"{len(held_out)} held-out faces of {len(np.unique(held_out.subjects))} subjects (stratum {headline})")
    print(f"\n{'trained on':<10}{'rows':>7}{'epochs':>8}{'steps':>7}{'minutes':>9}  {'mean pixel error':<25}rmse")
    for name, run in trained.items():
        metrics = score(run.predictions, split.held_out, split.strata).headline.metrics
        print(
            f"{name:<10}{len(sets[name]):>7,}{run.epochs:>8}{run.steps:>7,}{run.seconds / 60:>9.1f}  "
            f"{interval(metrics['mean_pixel_error']):<25}{metrics['rmse'].value:.2f}"
        )
    print()
    for name in ("both", "in turn"):
        gain = compare(trained["real"].predictions, trained[name].predictions, split.held_out, rows)
        print(f"{name} less real alone: {interval(gain.difference, '+')} px, paired over subjects")
        print("  " + ", ".join(f"{group} {interval(part, '+')}" for group, part in gain.groups.items()))


def rendered_faces(most: int) -> FaceSet:
    """The training faces of rendered-full, or the first of them; its held-out faces are not drawn."""
    benchmark = load_benchmark("rendered-full")
    assert isinstance(benchmark.data, RenderedData)
    fewer = {"training": min(most, benchmark.data.training), "held_out": 1}
    return open_split(benchmark.model_copy(update={"data": benchmark.data.model_copy(update=fewer)})).training


def both(real: FaceSet, rendered: FaceSet) -> FaceSet:
    """Real faces, repeated until they are about as many as the rendered ones, and these; no subject is in both."""
    repeats = max(1, round(len(rendered) / len(real)))
    parts = [real] * repeats + [replace(rendered, subjects=rendered.subjects + real.subjects.max() + 1)]
    names = ("images", "keypoints", "subjects")
    return replace(real, **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def network(benchmark: Benchmark, recipe: Recipe, device: str, start: nn.Module | None) -> NetworkEstimator:
    """The baseline's network, or a copy of a trained one, to be trained by this recipe."""
    return NetworkEstimator(
        BASELINE.build_model if start is None else lambda *_: copy.deepcopy(start).requires_grad_(True),
        recipe,
        benchmark.layout,
        benchmark.image_size,
        codec=BASELINE.codec,
        device=device,
        progress=lambda progress: print(f"  {progress}", file=sys.stderr),
    )


def steps_per_epoch(faces: FaceSet, batch_size: int) -> int:
    """How often the trainer steps while it sees every face once."""
    return -(-len(faces) // batch_size)


def interval(estimate: Estimate, sign: str = "") -> str:
    """An estimate as text; ``+`` shows the sign of a difference."""
    return f"{estimate.value:{sign}.3f} [{estimate.low:{sign}.3f}, {estimate.high:{sign}.3f}]"


if __name__ == "__main__":
    main()
