"""Several submissions graded as one: ``harness blend`` and, below it, ``blend()``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save
from support.submissions import MEAN_FACE, NETWORK, estimator, first_row
from support.tiny import Tiny

from harness.benchmark import load_benchmark
from harness.cli import main
from harness.datasets.opening import open_split
from harness.grading.scoring import pixel_distances
from harness.isolation.limits import MIB, Limits
from harness.isolation.tiers import Tier
from harness.runs import executors
from harness.runs.conditions import Conditions
from harness.runs.executors import Local
from harness.runs.job import Job
from harness.runs.run import Run
from harness.studies.blend_weights import METHODS, blended, cross_fitted_error
from harness.studies.blending import blend
from harness.submission.source import find_source

# Dots brighter than the noise say how far the whole face has moved; that leaves a fraction of a pixel.
GOOD = '''
"""Where the bright pixels lie on average, and how the keypoints follow from it."""
import numpy as np

def centres(images):
    bright = np.clip(images.astype(float) - 60, 0, None)
    ys, xs = np.mgrid[:32, :32]
    return np.stack([(bright * axis).sum((1, 2)) / bright.sum((1, 2)) for axis in (xs, ys)], axis=1)

class Centres:
    def fit(self, images, keypoints):
        self.shape = np.nanmean(keypoints - centres(images)[:, None], axis=0)

    def predict(self, images):
        return self.shape + centres(images)[:, None]

def build_estimator(layout, image_size):
    return Centres()
'''
USELESS = estimator(predict="return np.full((len(images), 15, 2), 16.0)")
FAILS = estimator(fit="raise ValueError('no such luck')")


def run(tiny: Tiny, texts: dict[str, str], *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and entry of blending submissions with these names and texts."""
    paths = [str(tiny.submission(text, f"{name}.py")) for name, text in texts.items()]
    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data), "--device", "cpu", "--folds", "2"]
    code = main(["blend", *paths, *data, "--json", "entry.json", *options])
    return code, json.loads(Path("entry.json").read_text()) if Path("entry.json").exists() else {}


def test_a_useless_member_does_no_harm_and_the_blend_is_an_entry_like_any_other(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    code, entry = run(tiny, {"good": GOOD, "useless": USELESS}, "--out", "result")

    assert code == 0
    good, useless = entry["blend"]["members"]
    assert good["out_of_fold_px"] < 0.5 < 4 < useless["out_of_fold_px"]
    assert min(good["weights"].values()) > 0.95
    assert entry["scores"]["mean_pixel_error"]["value"] < 0.5
    assert entry["blend"]["methods"]["mean"] > 2
    assert f"by {entry['blend']['used']} weights" in entry["description"]
    assert (entry["submission"], entry["recipe"], entry["isolation"]) == ("blend-good-useless", None, "landlock")
    assert 0 <= entry["seconds"]["training"] < entry["seconds"]["total"] and entry["peak_memory"] > 0
    assert (first_row()["submission"], first_row()["rank"]) == ("blend-good-useless", "1")
    assert Path("result/blend-good-useless/predictions.csv").exists()
    shown = capsys.readouterr()
    assert "mean weight" in shown.out and "rank 1 on" in shown.out
    assert "useless, fold 2 of 2: done (run 4 of 4)" in shown.err


def test_what_is_finished_is_not_run_again_and_who_fails_is_named(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started = []
    run_job = executors.run_job

    def counted(job: Job, *rest: Any) -> Run:
        started.append(job.package.name)
        return run_job(job, *rest)

    monkeypatch.setattr(executors, "run_job", counted)

    code, entry = run(tiny, {"good": GOOD, "other": FAILS})
    assert code == 2
    assert started[:2] == ["good", "other"]  # the next one may have begun, and was ended
    assert entry["status"] == "failed"
    assert "other, fold 1 of 2: other.py, line 8, in fit: ValueError while training: no such luck" in entry["reason"]
    assert "no such luck" in capsys.readouterr().out

    started.clear()
    _, mended = run(tiny, {"good": GOOD, "other": MEAN_FACE})
    assert started == ["other", "good", "other"]

    started.clear()
    _, again = run(tiny, {"good": GOOD, "other": MEAN_FACE})
    assert started == []
    assert "fold 2 of 2: done (run 4 of 4, kept from before)" in capsys.readouterr().err
    assert all(again[key] == mended[key] for key in ("scores", "seconds", "blend", "peak_memory", "fingerprints"))

    run(tiny, {"good": GOOD, "other": MEAN_FACE}, "--seed", "1")
    assert started == ["good", "other"] * 2

    for file in Path("blends").glob("good-*.npz"):
        file.write_bytes(file.read_bytes()[:1000])
    started.clear()
    assert run(tiny, {"good": GOOD, "other": MEAN_FACE})[0] == 0
    assert started == ["good", "good"]
    assert "does not hold a whole run; the run is made again" in capsys.readouterr().err


def test_held_out_keypoints_have_no_say_in_the_predictions(tiny: Tiny) -> None:
    members = [
        find_source(tiny.submission(text, name)) for name, text in {"good.py": GOOD, "mean.py": MEAN_FACE}.items()
    ]
    benchmark = load_benchmark(tiny.card)
    split = open_split(benchmark, tiny.data)
    conditions = Conditions("cpu", {}, Limits(60, 2000 * MIB), Tier.LANDLOCK)
    other = replace(split, held_out=replace(split.held_out, keypoints=split.held_out.keypoints[::-1].copy()))

    true, false = (blend(members, benchmark, each, conditions, Local(), folds=2) for each in (split, other))

    assert true.entry.scores["mean_pixel_error"].value < 1 < false.entry.scores["mean_pixel_error"].value
    assert true.predictions is not None and false.predictions is not None
    np.testing.assert_array_equal(true.predictions, false.predictions)


def noisy(keypoints: np.ndarray, spread: np.ndarray, seed: int) -> np.ndarray:
    """Predictions whose error has this standard deviation for each keypoint (K,)."""
    return keypoints + np.random.default_rng(seed).normal(size=keypoints.shape) * spread[:, None]


@pytest.mark.parametrize("method", ["stack", "greedy"])
def test_each_keypoint_follows_the_member_that_places_it_better(method: str) -> None:
    keypoints = np.random.default_rng(0).uniform(20, 70, size=(200, 15, 2))
    upper = np.arange(15) < 10
    first = noisy(keypoints, np.where(upper, 0.2, 3), seed=1)
    second = noisy(keypoints, np.where(upper, 3, 0.2), seed=2)

    weights = METHODS[method](np.stack([first, second]), keypoints)

    assert weights[0, upper].min() > 0.9 and weights[1, ~upper].min() > 0.9
    np.testing.assert_allclose(weights.sum(axis=0), 1)


@pytest.mark.parametrize("method", METHODS)
def test_independent_members_of_equal_worth_are_averaged(method: str) -> None:
    keypoints = np.random.default_rng(0).uniform(20, 70, size=(300, 15, 2))
    members = np.stack([noisy(keypoints, np.ones(15), seed) for seed in (1, 2, 3, 4)])

    weights = METHODS[method](members, keypoints)

    assert weights.mean(axis=(1, 2)) == pytest.approx(0.25, abs=0.05)
    # The standard deviation of a mean of four is half of one's.
    assert (blended(weights, members) - keypoints).std() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("method", ["stack", "greedy"])
def test_the_error_out_of_fold_is_of_weights_that_have_not_seen_the_face(method: str) -> None:
    """Weights fitted to pure noise beat the plain mean on the faces that they were fitted to, and only there."""
    rng = np.random.default_rng(0)
    keypoints, members = rng.normal(size=(60, 15, 2)), rng.normal(size=(20, 60, 15, 2))

    def error(weights: np.ndarray) -> float:
        return float(pixel_distances(blended(weights, members), keypoints).mean())

    unseen = cross_fitted_error(METHODS[method], members, keypoints, np.arange(60) % 3)

    assert error(METHODS[method](members, keypoints)) < error(METHODS["mean"](members, keypoints)) < unseen


@pytest.mark.parametrize(
    ("texts", "options", "told"),
    [
        ({"one": GOOD}, [], "takes two submissions or more"),
        ({"one": GOOD, "two": GOOD}, ["--folds", "1"], "--folds 1 would leave no face to learn from"),
        ({"one": GOOD, "two": USELESS}, ["--folds", "20"], "20 folds leave one without"),
        ({"one": GOOD, "two": USELESS}, ["--name", "a/b"], "--name 'a/b'"),
    ],
    ids=["one member", "one fold", "too many folds", "a name with a slash"],
)
def test_what_cannot_be_blended_is_told_before_anything_runs(
    tiny: Tiny, texts: dict[str, str], options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tiny, texts, *options)[0] == 3
    assert told in capsys.readouterr().err
    assert not Path("blends").exists() and not Path("leaderboard").exists()


def test_weights_that_may_know_the_folds_are_refused(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    zeros = {"layers.1.weight": np.zeros((30, 32 * 32), np.float32), "layers.1.bias": np.zeros(30, np.float32)}
    tiny.submission("", "net.safetensors").write_bytes(save(zeros))

    assert run(tiny, {"net": NETWORK + "\nweights = 'net.safetensors'", "good": GOOD})[0] == 3
    assert "net, fold 1 of 2: loads its weights" in capsys.readouterr().err
