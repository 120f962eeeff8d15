"""Every baseline trains behind the walls, for one epoch on a few faces. Takes minutes: pytest -m slow."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.jobs import needs_landlock

from harness.cli.grade import main
from harness.submission.source import baselines

CARD = """
name = "few"
title = "A few rendered faces"
layout = "face15"
image_size = [96, 96]
metric = "mean_pixel_error"
data = { reader = "rendered", training = 60, held_out = 16, seed = 0, held_out_seed = 1, fully_labelled = 0.6 }
bands = { ok = 1.6, very_good = 1.5, outstanding = 1.4 }
limits = { time = "5m", memory = "8g" }
"""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with that card, in which faces are kept once they are drawn."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "few.toml").write_text(CARD)
    return folder


@needs_landlock
@pytest.mark.slow
@pytest.mark.parametrize("name", baselines())
def test_a_baseline_trains_behind_the_walls(
    name: str, few: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(few)
    monkeypatch.setenv("XDG_CACHE_HOME", str(few / "cache"))

    code = main([name, "--benchmark", "few.toml", "--epochs", "1", "--device", "cpu", "--isolation", "landlock"])

    assert code == 0, capsys.readouterr()
