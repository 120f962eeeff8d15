"""How long it takes to train to 1.5 px on rendered faces. A benchmark: nothing here fails for being slow."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from support.gpu import needs_gpu

from harness.benchmark import load_benchmark
from harness.datasets.faces import Split
from harness.datasets.opening import open_split
from harness.learning.estimator import NetworkEstimator
from harness.learning.trainer import Progress
from harness.places import cards, shipped

pytestmark = needs_gpu

Record = Callable[[str, object], None]
WANTED_PX, MOST_SECONDS = 1.5, 90.0
SUBMISSIONS = {"example": "submissions/example.py", "fully_convolutional": "baselines/fully_convolutional.py"}


@pytest.fixture(scope="module")
def rendered() -> Split:
    """The rendered benchmark's faces, drawn where they were not yet."""
    return open_split(load_benchmark(cards()["rendered"]))


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_seconds_to_one_and_a_half_pixels(name: str, rendered: Split, record_property: Record) -> None:
    submission = loaded(shipped(SUBMISSIONS[name]))
    faces, held_out = rendered.training, rendered.held_out
    began, reached, rates = time.perf_counter(), [], []

    def watch(progress: Progress) -> None:
        rates.append(progress.images_per_second)
        if progress.validation_px is not None and progress.validation_px <= WANTED_PX:
            reached.append(time.perf_counter() - began)

    estimator = NetworkEstimator(
        submission.build_model,
        submission.recipe.with_changes(validation=0.1),
        faces.layout,
        faces.images.shape[1:],
        codec=getattr(submission, "codec", "pixels"),
        device="cuda",
        budget_seconds=MOST_SECONDS,
        progress=watch,
    )
    estimator.fit(faces.images, faces.keypoints, faces.subjects)
    seconds = time.perf_counter() - began
    error = np.nanmean(np.linalg.norm(estimator.predict(held_out.images) - held_out.keypoints, axis=-1))

    when = f"{WANTED_PX} px on faces apart after {reached[0]:.1f} s" if reached else f"{WANTED_PX} px not reached"
    record_property(
        "figure", f"{when}; {error:.2f} px held out after {seconds:.1f} s; {np.median(rates):,.0f} images/s"
    )
    assert np.isfinite(error)


def loaded(path: Path) -> ModuleType:
    """A submission's module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
