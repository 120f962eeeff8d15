"""Fixtures: the tiny benchmark in a working folder, and the way to the real photographs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.tiny import CARD, REPOSITORY, Tiny, draw_faces, write_kaggle


@pytest.fixture(autouse=True, scope="session")
def own_cores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests share cores with each other only, whatever else runs on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.runs.cores.FOLDER", tmp_path_factory.getbasetemp() / "cores")
        yield


@pytest.fixture(autouse=True, scope="session")
def outside_of_ci() -> Iterator[None]:
    """Where the tests themselves run in GitHub's CI, `grade` would print workflow commands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_ACTIONS", raising=False)
        yield


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """A benchmark of 48 faces of 12 subjects, 40 of them fully labelled; the current folder is an empty one."""
    images, keypoints = draw_faces(48)
    keypoints[40:, 2:10] = np.nan
    write_kaggle(tmp_path / "faces", images, keypoints, [f"S{row % 12}" for row in range(48)])
    card = tmp_path / "tiny.toml"
    card.write_text(CARD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Tiny(tmp_path, card, tmp_path / "faces")


@pytest.fixture
def real_faces() -> Path:
    """The folder of real photographs in Kaggle's layout; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("HARNESS_REAL_FACES", REPOSITORY.parent / "shared" / "real-faces"))
    if not folder.is_dir():
        pytest.skip(f"no real photographs at {folder}; set HARNESS_REAL_FACES to a folder with Kaggle's files")
    return folder


@pytest.fixture
def formats_here() -> Path | None:
    """The folder of published schemas of other tools, if it is here."""
    folder = Path(os.environ.get("HARNESS_FORMATS", REPOSITORY.parent / "shared" / "formats"))
    return folder if folder.is_dir() else None


@pytest.fixture
def formats(formats_here: Path | None) -> Path:
    """The same; tests that need it skip where it is absent."""
    if formats_here is None:
        pytest.skip("no schemas of other tools at ../shared/formats; set HARNESS_FORMATS to a folder of them")
    return formats_here
