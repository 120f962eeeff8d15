"""Networks as courses teach them train and predict unchanged, and load the weights that they learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.course_networks import NETWORKS, POINTS

from harness import FACE15, KeypointLayout, Recipe
from harness.learning.estimator import NetworkEstimator

SIZE = (32, 32)
NUMBERED = tuple(f"point_{number}" for number in range(68))
FACE68 = KeypointLayout("face68", NUMBERED, (), {"face": NUMBERED}, (NUMBERED[36], NUMBERED[45]))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_a_course_trains_predicts_and_loads_its_weights(name: str, tmp_path: Path) -> None:
    layout = FACE68 if POINTS.get(name) == 68 else FACE15
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, *SIZE), np.uint8)
    keypoints = rng.uniform(0, 31, (20, len(layout), 2)).astype(np.float32)

    def network(**options: Path) -> NetworkEstimator:
        def build_model(layout, image_size):
            return NETWORKS[name](len(layout))

        made = NetworkEstimator(build_model, Recipe(epochs=2, batch_size=8), layout, SIZE, threads=1, **options)
        return made.fit(images, keypoints)

    trained = network()
    trained.save_weights(tmp_path / "mine.safetensors")
    points = trained.predict(images)

    assert points.shape == (20, len(layout), 2) and np.isfinite(points).all()
    np.testing.assert_array_equal(network(weights=tmp_path / "mine.safetensors").predict(images), points)
