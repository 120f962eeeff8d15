"""Ensembles and specialists: several networks behind one fit and predict, and behind one submission file."""

import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import albumentations
import numpy as np
import pytest
import torch
from torch import nn

from harness import FACE15, Ensemble, Member, Recipe, Specialists, Stacked, load_baseline
from harness.errors import ContractError, LoadError
from harness.learning.estimator import NetworkEstimator
from harness.learning.shares import Shares
from harness.submission.contract import Settings, load_learner

SIZE = (16, 16)
QUICK = Recipe(epochs=2, batch_size=8, lr=0.01, precision="float32")


class Dense(nn.Module):
    def __init__(self, keypoints: int) -> None:
        super().__init__()
        self.layer = nn.Linear(SIZE[0] * SIZE[1], 2 * keypoints)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 8 + 8 * self.layer(images.flatten(1)).view(len(images), -1, 2)


def build_model(layout, image_size) -> nn.Module:
    return Dense(len(layout))


def faces(count: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *SIZE), dtype=np.uint8), rng.uniform(0, 16, (count, 15, 2)).astype(np.float32)


def alone(recipe: Recipe, images: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    return NetworkEstimator(build_model, recipe, FACE15, SIZE).fit(images, keypoints).predict(images)


def test_an_ensemble_predicts_the_mean_of_its_members_and_seeds() -> None:
    images, keypoints = faces()
    wide = QUICK.with_changes(loss="mse")
    ensemble = Ensemble(FACE15, SIZE, [Member(build_model, QUICK), Member(build_model, wide)], seeds=2)
    each = [alone(recipe.with_changes(seed=seed), images, keypoints) for seed in (0, 1) for recipe in (QUICK, wide)]
    assert np.ptp(each, axis=0).max() > 0.1
    np.testing.assert_allclose(ensemble.fit(images, keypoints).predict(images), np.mean(each, axis=0), atol=1e-4)


def test_stacked_networks_learn_what_they_get_wrong_on_people_they_have_not_met(monkeypatch) -> None:
    images, keypoints = faces(60)
    keypoints[50:, 4:] = np.nan
    subjects = np.arange(60) % 20
    met, train = [], NetworkEstimator.fit

    def watched(network, images, keypoints, subjects):
        met.append(set(subjects.tolist()))
        return train(network, images, keypoints, subjects)

    monkeypatch.setattr(NetworkEstimator, "fit", watched)

    def the_same_again(layout, image_size) -> nn.Module:
        torch.manual_seed(0)
        return build_model(layout, image_size)

    deaf = Member(the_same_again, QUICK.with_changes(lr=0.0, ema=0.0, weight_decay=0.0))
    stacked = Stacked(FACE15, SIZE, [deaf, deaf], folds=4).fit(images, keypoints, subjects)

    missed = [set(range(20)) - people for people in met]
    assert missed[::2] == missed[1::2] and sorted(each for fold in missed[::2] for each in fold) == list(range(20))
    assert len(missed) == 10 and not missed[-1]  # at last both meet everybody
    bias = np.nanmean(np.mean([each.predict(images) for each in stacked.networks], axis=0) - keypoints, axis=0)
    assert np.abs(bias).max() > 0.5
    left = (stacked.predict(images) - keypoints)[:50].mean(axis=0)
    assert np.abs(left).max() < 0.2 * np.abs(bias).max()

    keypoints[:, 0] = np.nan  # no face has all its labels: the mean is all there is
    stacked.fit(images, keypoints, subjects)
    each = [network.predict(images) for network in stacked.networks]
    mean = (np.mean(each[:8], axis=0) + np.mean(each[8:], axis=0)) / 2
    np.testing.assert_allclose(stacked.predict(images), mean, atol=1e-5)
    with pytest.raises(ContractError, match="21 folds need as many subjects"):
        Stacked(FACE15, SIZE, [deaf], folds=21).fit(images, keypoints, subjects)


def test_a_specialist_starts_as_the_generalist_and_learns_its_group_alone() -> None:
    images, keypoints = faces()
    still = QUICK.with_changes(lr=0.0, ema=0.0, weight_decay=0.0)
    specialists = Specialists(FACE15, SIZE, Member(build_model, QUICK), recipe=still).fit(images, keypoints)
    np.testing.assert_allclose(specialists.predict(images), alone(QUICK, images, keypoints), atol=1e-4)

    moved = keypoints.copy()
    moved[:, list(FACE15.indices("mouth"))] += 3  # told to the specialists only, by a generalist that learns nothing
    deaf = Member(build_model, still)
    before, after = (
        Specialists(FACE15, SIZE, deaf, recipe=QUICK).fit(images, points).predict(images)
        for points in (keypoints, moved)
    )
    changed = np.abs(after - before).max(axis=(0, 2)) > 1e-3
    assert [name for name, is_changed in zip(FACE15.keypoints, changed, strict=True) if is_changed] == list(
        FACE15.groups["mouth"]
    )


def test_a_specialist_learns_from_every_row_that_has_one_of_its_points() -> None:
    images, keypoints = faces()
    keypoints[12:, 4:] = np.nan  # as at Kaggle: half of the rows lack most points, the eyes are still there
    specialists = Specialists(FACE15, SIZE, Member(build_model, QUICK), recipe=QUICK).fit(images, keypoints)
    told = {
        group: network.trained.images_per_second > 0
        for group, network in zip(FACE15.groups, specialists.networks[1:], strict=True)
    }
    assert all(told.values())
    keypoints[:, FACE15.index("nose_tip")] = np.nan
    with pytest.raises(ContractError, match="no training row labels a keypoint of the group 'nose'"):
        Specialists(FACE15, SIZE, Member(build_model, QUICK), recipe=QUICK).fit(images, keypoints)


SUBMISSION = """
from harness import Ensemble, Member, load_baseline

def build_estimator(layout, image_size):
    hidden = load_baseline("hidden_layer")
    return Ensemble(layout, image_size, [Member.of(hidden, batch_size=8), Member.of(hidden, loss="l1")])
"""


def test_a_submission_that_returns_one_is_given_epochs_seed_budget_and_progress(tmp_path) -> None:
    path = tmp_path / "pair.py"
    path.write_text(SUBMISSION)
    seen = []
    learner = load_learner(
        path, FACE15, SIZE, Settings("cpu", {"epochs": 2, "seed": 7}, budget_seconds=60, progress=seen.append)
    )
    images, keypoints = faces()
    assert learner.fit(images, keypoints, np.arange(len(images))).predict(images).shape == (24, 15, 2)
    assert [(each.epoch, each.epochs) for each in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    told = [network["recipe"] for network in learner.facts()["networks"]]
    assert [(each["epochs"], each["seed"], each["loss"]) for each in told] == [(2, 7, "mse"), (2, 7, "l1")]


def test_an_ensemble_tells_what_it_plans_and_then_how_it_went() -> None:
    images, keypoints = faces()
    ensemble = Ensemble(FACE15, SIZE, [Member(build_model, QUICK), Member(build_model, QUICK)])
    before = ensemble.facts()
    assert [set(each) for each in before["networks"]] == [{"recipe", "epochs_planned"}] * 2
    after = ensemble.fit(images, keypoints).facts()
    assert before == after | {"parameters": None, "networks": before["networks"]}
    assert after["parameters"] == 2 * (256 * 30 + 30)
    for network in after["networks"]:
        assert (network["rows"], network["epochs"], network["epochs_planned"]) == (24, 2, 2)
        assert network["images_per_second"] > 0 and not network["shortened"]


@pytest.mark.parametrize("kind", [Ensemble, Stacked])
def test_a_seed_at_its_highest_counts_on_from_0(kind: type) -> None:
    last = Recipe(seed=2**32 - 1)
    seeds = [member.recipe.seed for member in kind(FACE15, SIZE, [Member(build_model, last)], 2).planned()]
    assert seeds[:2] == [2**32 - 1, 0]


class Clock:
    """A clock that the networks wind."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("budget", "shortened"), [(150, [False, False]), (40, [True, True])])
def test_a_slow_member_is_not_cut_where_there_is_time_for_all_of_them(monkeypatch, budget, shortened) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)

    def taking(seconds: float):
        class Timed(Dense):
            def forward(self, images: torch.Tensor) -> torch.Tensor:
                clock.now += seconds if self.training else 0
                return super().forward(images)

        return lambda layout, _: Timed(len(layout))

    epochs = (20, 80)  # of three steps each: 60 s and 24 s
    builders = (taking(1), taking(0.1))
    members = [Member(build, QUICK.with_changes(epochs=each)) for build, each in zip(builders, epochs, strict=True)]
    ensemble = Ensemble(FACE15, SIZE, members)
    ensemble.configure(device="cpu", changes={}, budget_seconds=budget, progress=lambda _: None, threads=1)
    networks = ensemble.fit(*faces()).facts()["networks"]
    assert [each["shortened"] for each in networks] == shortened
    assert clock.now <= budget


def test_what_is_forecast_decides_who_gets_how_much_of_too_little_time() -> None:
    slow, fast = (NetworkEstimator(build_model, QUICK, FACE15, SIZE, codec=codec) for codec in ("heatmaps", "pixels"))
    shares = Shares([slow, fast, fast], rows=[100, 50, 50])
    assert shares.of(0, left=9.0) == pytest.approx(4.5)  # nothing is known of their paces: by images
    slow.trained, fast.trained = SimpleNamespace(images_per_second=10), SimpleNamespace(images_per_second=100)
    shares.note(0)
    shares.note(1)
    assert shares.of(0, left=11.0) == pytest.approx(10.0)  # 20 s, 1 s and 1 s are forecast
    assert shares.of(0, left=30.0) == pytest.approx(28.0)  # it may use what is left over
    assert shares.of(1, left=1.0) == pytest.approx(0.5)


def saved(path: Path, recipe: Recipe = QUICK) -> NetworkEstimator:
    """A fitted network whose weights lie in this file."""
    fitted = NetworkEstimator(build_model, recipe, FACE15, SIZE).fit(*faces())
    fitted.save_weights(path)
    return fitted


def module(folder: Path, **names: Any) -> ModuleType:
    """A submission's module that lies in this folder."""
    made = ModuleType("mine")
    made.__file__ = str(folder / "mine.py")
    vars(made).update(build_model=build_model, recipe=QUICK, **names)
    return made


def test_a_member_with_weights_loads_them_and_one_with_a_pipeline_trains_with_it(tmp_path: Path) -> None:
    images, keypoints = faces()
    loaded = saved(tmp_path / "mine.safetensors")
    seen = []

    def watched(image: np.ndarray, **_: Any) -> np.ndarray:
        seen.append(image.shape)
        return image

    member = Member.of(module(tmp_path, weights="mine.safetensors"))
    edited = Member.of(module(tmp_path, augment=albumentations.Lambda(image=watched, p=1)), epochs=1)
    ensemble = Ensemble(FACE15, SIZE, [member, edited])
    ensemble.configure(device="cpu", changes={"lr": 0.5}, budget_seconds=60, progress=lambda _: None)
    ensemble.fit(images, keypoints)
    np.testing.assert_array_equal(ensemble.networks[0].predict(images), loaded.predict(images))
    assert len(seen) >= len(images)
    facts = ensemble.facts()
    assert facts["networks"][0].pop("layers")
    assert facts["weights_loaded"] and facts["networks"][0] == {
        "recipe": member.recipe.with_changes(lr=0.5).as_dict(),
        "epochs_planned": 0,
    }
    assert facts["networks"][1]["epochs"] == 1
    with pytest.raises(LoadError, match=r"mine\.py: weights = 'gone\.safetensors' names no file"):
        Member.of(module(tmp_path, weights="gone.safetensors"))


def test_specialists_of_a_loaded_generalist_are_trained(tmp_path: Path) -> None:
    generalist = saved(tmp_path / "mine.safetensors")
    images, keypoints = faces()
    member = Member(build_model, QUICK, weights=tmp_path / "mine.safetensors")
    specialists = Specialists(FACE15, SIZE, member, recipe=QUICK).fit(images, keypoints)
    np.testing.assert_array_equal(specialists.networks[0].predict(images), generalist.predict(images))
    facts = specialists.facts()
    assert facts["weights_loaded"]
    assert [each.get("epochs") for each in facts["networks"]] == [None, *[2] * len(FACE15.groups)]


def test_a_stacked_member_must_not_have_met_the_folds(tmp_path: Path) -> None:
    saved(tmp_path / "mine.safetensors")
    with pytest.raises(
        ContractError, match=r"loads mine\.safetensors, and weights may know the subjects of every fold"
    ):
        Stacked(FACE15, SIZE, [Member.of(module(tmp_path, weights="mine.safetensors"))])


def test_a_member_of_an_unknown_codec_is_named_before_anything_is_trained() -> None:
    trained = []
    ensemble = Ensemble(FACE15, SIZE, [Member(build_model, QUICK), Member(build_model, QUICK, codec="heatmap")])
    with pytest.raises(ContractError, match="no codec 'heatmap'; did you mean 'heatmaps'"):
        ensemble.configure(device="cpu", changes={}, budget_seconds=None, progress=trained.append)


def test_a_baseline_that_is_not_there_is_named() -> None:
    with pytest.raises(ContractError, match=r"no baseline 'u_net'; `harness baselines` lists them"):
        load_baseline("u_net")
