"""Predictions and files of submissions are kept beside the entries, once each."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.submissions import MEAN_FACE
from support.tiny import SIDE, Tiny

from harness.benchmark import load_benchmark
from harness.board.kept import Kept, pack
from harness.cli.grade import main as grade
from harness.datasets.opening import open_split
from harness.errors import LeaderboardError
from harness.grading.entry import Entry
from harness.grading.predictions import read_csv, write_wide
from harness.submission.source import find_source

POINTS = np.linspace(0, 30, 3 * 15 * 2, dtype=np.float32).reshape(3, 15, 2)


def table(tiny: Tiny, rows: int | None = None) -> Path:
    """A submission that needs no worker: the centre for every keypoint of the held-out faces, or of some."""
    held_out = open_split(load_benchmark(tiny.card), tiny.data).held_out
    count = rows or len(held_out)
    path = tiny.root / "mine.csv"
    write_wide(path, np.full((count, 15, 2), SIDE / 2, np.float32), np.arange(1, count + 1), held_out.layout)
    return path


def graded(tiny: Tiny, submission: Path, *words: str) -> Entry:
    before = set(Path("leaderboard/entries/tiny").glob("*.json"))
    grade([str(submission), "--benchmark", str(tiny.card), "--data", str(tiny.data), *words])
    (new,) = set(Path("leaderboard/entries/tiny").glob("*.json")) - before
    return Entry.read(new)


def kept_files() -> list[Path]:
    return list(Path("leaderboard/kept").rglob("*.gz"))


def test_grade_keeps_predictions_and_source(tiny: Tiny) -> None:
    entry = graded(tiny, tiny.submission(MEAN_FACE), "--json", "entry.json", "--out", "out")
    kept = Kept(Path("leaderboard"))

    manifest = kept.manifest(entry.kept["source"])
    files = {name: kept.source_file(digest) for name, digest in manifest.files.items()}
    assert files == {"mine.py": MEAN_FACE.encode()}
    assert manifest.fingerprint == entry.fingerprints["source"]
    held_out = open_split(load_benchmark(tiny.card), tiny.data).held_out
    predictions = kept.predictions(entry.kept["predictions"], held_out.keypoints.shape)
    written = read_csv(Path("out/mine/predictions.csv"), len(held_out), held_out.layout)
    assert predictions == pytest.approx(written, abs=1e-3)
    assert json.loads(Path("entry.json").read_text()) == json.loads(entry.to_json())


def test_the_same_files_are_kept_once(tiny: Tiny) -> None:
    graded(tiny, table(tiny))
    once = len(kept_files())
    graded(tiny, table(tiny))

    assert len(kept_files()) == once == 4  # predictions, shares, the file and the list of files


@pytest.mark.parametrize(
    ("words", "kinds"), [("source", {"source"}), ("predictions", {"predictions", "shares"}), ("nothing", set())]
)
def test_what_is_kept_can_be_chosen(tiny: Tiny, words: str, kinds: set[str]) -> None:
    assert set(graded(tiny, table(tiny), "--keep", words).kept) == kinds


def test_a_failed_submission_keeps_its_source(tiny: Tiny) -> None:
    entry = graded(tiny, table(tiny, rows=2))

    assert entry.status == "failed" and set(entry.kept) == {"source"}


def test_git_takes_the_source_along_and_leaves_predictions_out(tiny: Tiny) -> None:
    graded(tiny, table(tiny))
    subprocess.run(["git", "init", "--quiet", "."], check=True)
    listed = ["git", "status", "--porcelain", "-uall"]
    untracked = subprocess.run(listed, capture_output=True, text=True, check=True).stdout

    assert "kept/source" in untracked and "kept/predictions" not in untracked and "kept/shares" not in untracked


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:50]), "was changed"),
        (lambda path: path.write_bytes(b"nonsense"), "cannot be read"),
        (lambda path: path.write_bytes(gzip.compress(b"0" * 10**6)), "was changed"),
        (lambda path: path.write_bytes(gzip.compress(b"nonsense")), "was changed"),
    ],
)
def test_what_was_damaged_is_said_by_its_file(tmp_path: Path, damage, message: str) -> None:
    (tmp_path / "mine.py").write_text(MEAN_FACE)
    parcel = pack(find_source(tmp_path / "mine.py"), POINTS, frozenset(["predictions"]))
    kept = Kept(tmp_path)
    kept.write(parcel.files)
    (path,) = tmp_path.rglob("*.npy.gz")
    damage(path)

    with pytest.raises(LeaderboardError, match=message) as raised:
        kept.predictions(parcel.hashes["predictions"], POINTS.shape)
    assert str(path) in str(raised.value)


def test_what_was_damaged_is_written_again_by_who_has_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MEAN_FACE)
    parcel = pack(find_source(tmp_path / "mine.py"), POINTS, frozenset(["predictions"]))
    kept = Kept(tmp_path)
    kept.write(parcel.files)
    (path,) = tmp_path.rglob("*.npy.gz")
    path.write_bytes(b"nonsense")

    kept.write(parcel.files)

    assert np.array_equal(kept.predictions(parcel.hashes["predictions"], POINTS.shape), POINTS)


def test_a_source_that_was_changed_after_it_was_graded_is_not_kept(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The author edits the file while the grader is about to record."""
    path = table(tiny)
    monkeypatch.setattr("harness.reporting.console.report", lambda *_: path.write_text("new") and "graded")

    assert set(graded(tiny, path).kept) == {"predictions", "shares"}
    assert "the source of mine is not kept" in capsys.readouterr().err
