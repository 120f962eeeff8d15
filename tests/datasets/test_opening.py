from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from support.tiny import Tiny, draw_faces, write_kaggle

from harness.benchmark import Benchmark, load_benchmark
from harness.cli import main
from harness.cli.grade import main as grade
from harness.datasets.opening import open_lookup, open_split, open_test
from harness.errors import DataError, UsageError
from harness.grading.predictions import write_wide
from harness.places import shipped

SECRET = "correct horse battery staple"
SEED = int.from_bytes(hashlib.sha256(SECRET.encode()).digest()[:16], "big")
TRACES = (SECRET, str(SEED), f"{SEED:x}", hashlib.sha256(SECRET.encode()).hexdigest())
"""What a secret must not leave behind: itself, and the seed that is made of it."""

NOSY = """
import os, sys
from pathlib import Path
import numpy as np

class Nosy:
    def fit(self, images, keypoints):
        print(dict(os.environ), Path("/proc/self/environ").read_text(), sys.argv)
        for path in sorted(Path("../input").rglob("*")):
            print(path, path.read_text() if path.suffix == ".json" else "")

    def predict(self, images):
        return np.full((len(images), 15, 2), 48.0)

def build_estimator(layout, image_size):
    return Nosy()
"""


@pytest.fixture
def few_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Benchmark:
    card = tmp_path / "few.toml"
    text = (shipped("data") / "rendered" / "benchmark.toml").read_text()
    for name, number in {"training": 30, "held_out": 10}.items():
        text = "\n".join(f"{name} = {number}" if line.startswith(f"{name} =") else line for line in text.splitlines())
    card.write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return load_benchmark(card)


def test_no_subject_stands_on_both_sides_and_the_headline_is_fully_labelled(tiny: Tiny) -> None:
    split = open_split(load_benchmark(tiny.card), tiny.data)

    assert not set(split.training.subjects.tolist()) & set(split.held_out.subjects.tolist())
    assert list(split.strata) == ["full", "partial"]
    assert split.held_out.complete[split.strata["full"]].all()
    assert not split.held_out.complete[split.strata["partial"]].any()


def test_rendered_faces_are_drawn_once_and_opened_from_then_on(few_rendered: Benchmark) -> None:
    seen: list[tuple[int, int]] = []

    first = open_split(few_rendered, progress=lambda done, total: seen.append((done, total)))
    drawn = len(seen)
    second = open_split(few_rendered, progress=lambda done, total: seen.append((done, total)))

    assert seen[-1] == (10, 10) and len(seen) == drawn
    assert first.fingerprint == second.fingerprint
    np.testing.assert_array_equal(first.held_out.keypoints, second.held_out.keypoints)
    assert (len(first.training), len(first.held_out)) == (30, 10)
    assert list(first.strata) == ["full"] and not first.training.complete.all()


def test_a_secret_seed_draws_held_out_faces_that_nobody_else_can(
    few_rendered: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice = open_split(few_rendered)
    monkeypatch.setenv("HARNESS_SECRET_SEED", SECRET)
    secret = open_split(few_rendered)

    assert (practice.origin, secret.origin) == ("practice", "secret")
    np.testing.assert_array_equal(secret.training.images, practice.training.images)
    assert (secret.held_out.images != practice.held_out.images).any(axis=(1, 2)).all()
    assert secret.fingerprint != practice.fingerprint


def test_a_secret_that_could_be_guessed_is_refused(few_rendered: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_SECRET_SEED", "1234")

    with pytest.raises(UsageError, match="use at least 16") as caught:
        open_split(few_rendered)
    assert "1234" not in str(caught.value)


@pytest.mark.parametrize("secret", [None, SECRET])
def test_another_process_draws_the_same_fingerprint(
    few_rendered: Benchmark, secret: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if secret:
        monkeypatch.setenv("HARNESS_SECRET_SEED", secret)
    code = (
        "import sys; from harness.benchmark import load_benchmark; from harness.datasets.opening import open_split; "
        "print(open_split(load_benchmark(sys.argv[1])).fingerprint)"
    )
    anew = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "another cache"), "PYTHONHASHSEED": "7"}

    told = subprocess.run(
        [sys.executable, "-c", code, "few.toml"], env=anew, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == open_split(few_rendered).fingerprint


def test_a_secret_stays_with_the_grader(
    few_rendered: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HARNESS_SECRET_SEED", SECRET)
    Path("nosy.py").write_text(NOSY)

    code = grade(["nosy.py", "--benchmark", "few.toml", "--json", "entry.json", "--out", "result"])

    entry = json.loads(Path("entry.json").read_text())
    assert code == 0 and entry["held_out"] == "secret"
    assert "PYTHONHASHSEED" in entry["log_tail"] and "job.json" in entry["log_tail"]  # it did look around
    assert "HARNESS_SECRET_SEED" not in entry["log_tail"]
    printed = "".join(capfd.readouterr())
    left_behind = list(tmp_path.rglob("*"))
    for trace in TRACES:
        assert trace not in printed
        assert not [path for path in left_behind if trace in str(path)]
        assert not [path for path in left_behind if path.is_file() and trace.encode() in path.read_bytes()]


def test_practice_and_secret_faces_are_never_ranked_together(
    few_rendered: Benchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wide(Path("guess.csv"), np.full((10, 15, 2), 48.0, np.float32), np.arange(1, 11), few_rendered.layout)
    arguments = ["guess.csv", "--benchmark", "few.toml"]

    assert grade(arguments) == 0
    assert "practice: anyone can draw these held-out faces" in capsys.readouterr().out
    monkeypatch.setenv("HARNESS_SECRET_SEED", SECRET)
    assert grade(arguments) == 3
    assert "--board NAME" in capsys.readouterr().err
    assert grade([*arguments, "--board", "exam"]) == 0

    boards = {
        path.stem: list(csv.DictReader(path.read_text().splitlines())) for path in Path("leaderboard").glob("*.csv")
    }
    assert {name: [row["held_out"] for row in rows] for name, rows in boards.items()} == {
        "rendered": ["practice"],
        "exam": ["secret"],
    }
    capsys.readouterr()
    assert main(["leaderboard", "show"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[shown.index("exam") + 1].startswith("secret: ")
    assert shown[shown.index("rendered") + 1].startswith("practice: ")


def test_another_split_has_another_fingerprint(tiny: Tiny) -> None:
    first = open_split(load_benchmark(tiny.card), tiny.data)
    tiny.card.write_text(tiny.card.read_text().replace("held_out = 0.25", "held_out = 0.5"))

    assert open_split(load_benchmark(tiny.card), tiny.data).fingerprint != first.fingerprint


# Held-out faces of one's own


@pytest.fixture
def exam(tiny: Tiny) -> Path:
    """Ten faces that are not among the training faces: seven fully labelled, two partly, one not at all."""
    images, keypoints = draw_faces(10, seed=1)
    keypoints[7:9, 4:] = keypoints[9] = np.nan
    return write_exam(tiny, images, keypoints)


def write_exam(tiny: Tiny, images: np.ndarray, keypoints: np.ndarray) -> Path:
    write_kaggle(tiny.root / "exam", images, keypoints)
    return (tiny.root / "exam" / "training.csv").rename(tiny.root / "exam" / "exam.csv")


def name_on_card(tiny: Tiny, file: str) -> None:
    tiny.card.write_text(tiny.card.read_text().replace("held_out = 0.25", f'held_out = "{file}"'))


def test_all_of_training_is_learnt_from_where_a_file_is_held_out(tiny: Tiny, exam: Path) -> None:
    split = open_split(load_benchmark(tiny.card), tiny.data, held_out=exam)

    images, keypoints = draw_faces(10, seed=1)
    assert len(split.training) == 48
    np.testing.assert_array_equal(split.held_out.images, images[:9])
    np.testing.assert_allclose(split.held_out.keypoints[:7], keypoints[:7], atol=1e-3)
    assert {name: rows.tolist() for name, rows in split.strata.items()} == {
        "full": [True] * 7 + [False] * 2,
        "partial": [False] * 7 + [True] * 2,
    }
    assert not set(split.training.subjects.tolist()) & set(split.held_out.subjects.tolist())


def test_a_zip_holds_out_the_same_faces(tiny: Tiny, exam: Path) -> None:
    with zipfile.ZipFile(exam.with_suffix(".zip"), "w") as archive:
        archive.write(exam, exam.name)
    benchmark = load_benchmark(tiny.card)

    plain, zipped = (open_split(benchmark, tiny.data, held_out=exam.with_suffix(end)) for end in (".csv", ".zip"))

    assert plain.fingerprint == zipped.fingerprint


def test_the_option_comes_before_the_card(tiny: Tiny, exam: Path) -> None:
    by_option = open_split(load_benchmark(tiny.card), tiny.data, held_out=exam)
    name_on_card(tiny, "exam/exam.csv")
    by_card = open_split(load_benchmark(tiny.card), tiny.data)
    name_on_card(tiny, "nowhere.csv")
    by_both = open_split(load_benchmark(tiny.card), tiny.data, held_out=exam)

    assert by_option.fingerprint == by_card.fingerprint == by_both.fingerprint


def test_the_fingerprint_covers_training_and_held_out_faces(tiny: Tiny, exam: Path) -> None:
    def fingerprint(held_out: Path | None = exam) -> str:
        return open_split(load_benchmark(tiny.card), tiny.data, held_out=held_out).fingerprint

    first, split_off = fingerprint(), fingerprint(held_out=None)
    write_exam(tiny, *draw_faces(10, seed=2))
    other_exam = fingerprint()
    write_kaggle(tiny.data, *draw_faces(48, seed=3))
    assert len({first, split_off, other_exam, fingerprint()}) == 4


def test_held_out_faces_are_prepared_once(tiny: Tiny, exam: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark = load_benchmark(tiny.card)
    first = open_split(benchmark, tiny.data, held_out=exam)
    monkeypatch.setattr("harness.datasets.kaggle.read_table", None)

    assert open_split(benchmark, tiny.data, held_out=exam).fingerprint == first.fingerprint


def test_a_held_out_image_that_is_also_learnt_from_is_refused(tiny: Tiny, exam: Path) -> None:
    theirs, ours = draw_faces(48), draw_faces(10, seed=1)
    benchmark = load_benchmark(tiny.card)
    open_split(benchmark, tiny.data, held_out=exam)
    write_kaggle(tiny.data, np.concatenate([theirs[0], ours[0][3:5]]), np.concatenate([theirs[1], ours[1][3:5]]))
    (tiny.data / "subjects.csv").unlink()

    for _ in range(2):  # it is not forgotten
        with pytest.raises(DataError) as caught:
            open_split(benchmark, tiny.data, held_out=exam)
    assert str(caught.value) == (
        f"{exam}, line 5 (data row 3), column 'Image': the same image stands in {tiny.data / 'training.csv'}, line 50 "
        "(data row 48); take it out of one of the two files (2 rows are in both)"
    )


def test_a_held_out_file_without_a_fully_labelled_row_is_refused(tiny: Tiny) -> None:
    images, keypoints = draw_faces(3, seed=1)
    keypoints[:, 0] = np.nan
    exam = write_exam(tiny, images, keypoints)

    with pytest.raises(DataError, match=r"exam\.csv: no row has all its keypoints, so there is nothing to score on"):
        open_split(load_benchmark(tiny.card), tiny.data, held_out=exam)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nowhere.csv", "cannot be read (No such file or directory); put the file there"),
        ("exam", "is not a .csv or .zip file; name a file of labelled faces"),
        ("exam/exam.npy", "is not a .csv or .zip file; name a file of labelled faces"),
    ],
)
def test_a_held_out_file_that_cannot_be_one_is_named(tiny: Tiny, exam: Path, name: str, problem: str) -> None:
    exam.with_suffix(".npy").touch()

    with pytest.raises(DataError, match=re.escape(f"{name} {problem}")):
        open_split(load_benchmark(tiny.card), tiny.data, held_out=tiny.root / name)


def test_rendered_faces_take_no_held_out_file(few_rendered: Benchmark) -> None:
    with pytest.raises(UsageError, match=r"'rendered' draws its held-out faces, so --held-out exam\.csv does not fit"):
        open_split(few_rendered, held_out=Path("exam.csv"))


def test_rendered_faces_have_no_test_images(few_rendered: Benchmark) -> None:
    with pytest.raises(DataError, match="has no test images"):
        open_test(few_rendered)


def test_an_absent_folder_is_told_with_its_place(tiny: Tiny) -> None:
    with pytest.raises(DataError, match="nowhere"):
        open_split(load_benchmark(tiny.card), Path("nowhere"))


def test_the_real_photographs_open(real_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kaggle = load_benchmark("kaggle")

    split = open_split(kaggle, real_faces)
    ids, images = open_test(kaggle, real_faces)
    lookup = open_lookup(kaggle, real_faces)

    # The folder's own README: 1,206 of 2,853 rows have every keypoint, a fifth of them is held out.
    assert len(split.training) + len(split.held_out) <= 2853
    assert split.strata["full"].sum() == pytest.approx(0.2 * 1206, rel=0.05)
    assert len(ids) == len(images) == 609 and len(lookup.row_ids) == 609 * 30
    assert not set(split.training.subjects.tolist()) & set(split.held_out.subjects.tolist())
