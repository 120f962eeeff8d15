"""Every baseline trains behind the walls, for one epoch on a few faces. Takes minutes: pytest -m slow."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.jobs import needs_landlock
from support.tiny import FEW_FACES_CARD

from harness.cli.grade import main
from harness.submission.source import baselines


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with that card, in which faces are kept once they are drawn."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "few.toml").write_text(FEW_FACES_CARD)
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
