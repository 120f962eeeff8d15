"""Rendered faces with 68 points from end to end: drawn, described, learnt from by groups and by heatmaps."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from support.tiny import FEW_FACES_CARD

from harness.cli import main
from harness.cli.grade import main as grade
from harness.keypoints import IBUG68


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A few faces of the card, in a working folder of their own."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "few68.toml"
    file.write_text(FEW_FACES_CARD.replace('"face15"', '"ibug68"').replace('"few"', '"few68"'))
    return file


def test_faces_are_drawn_with_the_points_of_the_card(card: Path) -> None:
    assert main(["data", "render", "--benchmark", str(card), "--count", "2", "--out", "faces.png"]) == 0

    page = cv2.imread("faces.png")
    assert page.shape == (192, 4 * 192, 3)
    for colour in [(255, 255, 0), (0, 220, 0), (255, 160, 0), (0, 0, 255), (0, 220, 255)]:
        assert (page == colour).all(axis=2).any()


def test_a_benchmark_of_photographs_has_no_faces_to_draw(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "render", "--benchmark", "kaggle", "--out", "faces.png"]) == 3

    assert 'name one whose card says reader = "rendered"' in capsys.readouterr().err


def test_info_names_the_layout(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "info", "--benchmark", str(card)]) == 0

    assert "68 keypoints (ibug68)" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("submission", ["fully_convolutional", "coordinate_bins"])
def test_baselines_learn_68_points(card: Path, submission: str) -> None:
    assert grade([submission, "--benchmark", str(card), "--epochs", "1", "--json", "entry.json"]) == 0

    full = json.loads(Path("entry.json").read_text())["strata"]["full"]
    assert set(full["groups"]) == set(IBUG68.groups) and set(full["keypoints"]) == set(IBUG68.keypoints)
