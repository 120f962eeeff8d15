"""Benchmarks of 68 and of 5 keypoints, from their files to boards, pictures and files of predictions."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from support.pictures import FIVE, WRITERS, card_text, draw_pictures

from harness.benchmark import load_benchmark
from harness.cli import main as harness
from harness.cli.grade import main as grade
from harness.datasets.opening import open_split

SPECIALISTS = """
from torch import nn
from harness import Member, Recipe, Specialists

def network(layout, image_size):
    return nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, len(layout), 3, 1, 1))

def build_estimator(layout, image_size):
    recipe = Recipe(epochs=1, batch_size=8, flip=0.5, rotation=10, scale=0.1, flip_test=True)
    return Specialists(layout, image_size, Member(network, recipe, codec="heatmaps"), recipe)
"""


@pytest.mark.parametrize(("layout", "keypoints"), [("ibug68", 68), (FIVE, 5)], ids=["68", "5"])
def test_a_benchmark_of_other_keypoints_goes_all_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], layout: str, keypoints: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("card.toml").write_text(card_text("npz", 'crop = "points"\nmargin = 0.2', layout, (32, 32)))
    benchmark = load_benchmark("card.toml")
    WRITERS["npz"](tmp_path / "faces", benchmark.layout, draw_pictures(keypoints, 20, busy=True), [])
    data = ["--benchmark", "card.toml", "--data", "faces"]
    Path("specialists.py").write_text(SPECIALISTS)

    quick = ["--device", "cpu", "--threads", "1", "--epochs", "1"]
    assert grade(["specialists.py", *data, *quick, "--out", "out", "--json", "entry.json"]) == 0
    entry = json.loads(Path("entry.json").read_text())
    stratum = entry["strata"]["full"]
    assert list(stratum["keypoints"]) == list(benchmark.layout.keypoints)
    assert list(stratum["groups"]) == list(benchmark.layout.groups)
    assert len(entry["networks"]) == 1 + len(benchmark.layout.groups)

    with Path("leaderboard/brought.csv").open() as file:
        assert [row["submission"] for row in csv.DictReader(file) if float(row["nme"]) > 0] == ["specialists"]
    capsys.readouterr()
    assert harness(["leaderboard", "show", "brought"]) == 0
    assert "specialists" in capsys.readouterr().out
    page = next(Path("out").rglob("report.html")).read_text()
    assert all(f">{name.replace('_', ' ')}<" in page for name in benchmark.layout.keypoints)
    predictions = next(Path("out").rglob("predictions.csv"))
    assert len(predictions.read_text().splitlines()[0].split(",")) == 1 + 2 * keypoints
    assert harness(["score", str(predictions), *data, "--json", "scores.json"]) == 0
    scored = json.loads(Path("scores.json").read_text())
    assert scored["full"]["scores"]["nme"]["value"] == pytest.approx(stratum["scores"]["nme"]["value"], rel=1e-3)


def test_the_example_and_its_check_know_any_number_of_keypoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("card.toml").write_text(card_text("csv", 'crop = "points"\nmargin = 0.2', size=(32, 32)))
    alike, others = (
        draw_pictures(5, 20),
        draw_pictures(5, 4, seed=1, busy=True),
    )  # the 20 count as one subject
    WRITERS["csv"](tmp_path / "faces", load_benchmark("card.toml").layout, alike, others)
    options = ["--benchmark", "card.toml", "--data", "faces", "--epochs", "1", "--device", "cpu", "--threads", "1"]

    assert harness(["new", "mine"]) == 0
    assert harness(["check", "submissions/mine.py", *options]) == 0
    assert "the contract is kept" in capsys.readouterr().out
    assert grade(["submissions/mine.py", *options, "--no-record"]) == 0


def test_what_is_handed_out_can_be_read_in_kaggles_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = card_text("npz", 'crop = "points"\nmargin = 0.2', "ibug68", (32, 32))
    Path("card.toml").write_text(text)
    brought = load_benchmark("card.toml")
    WRITERS["npz"](tmp_path / "faces", brought.layout, draw_pictures(68, 20, busy=True), [])
    data = ["--benchmark", "card.toml", "--data", "faces"]

    assert harness(["data", "prepare", *data, "--export", "handout"]) == 0
    Path("kaggle.toml").write_text(text.split("[data]")[0] + '[data]\nreader = "kaggle"\nheld_out = 0.3\n')
    training = open_split(brought, tmp_path / "faces").training
    again = open_split(load_benchmark("kaggle.toml"), tmp_path / "handout").together()
    assert again.images.sum() == training.images.sum()
    np.testing.assert_allclose(np.sort(again.keypoints, axis=0), np.sort(training.keypoints, axis=0), atol=1e-3)
