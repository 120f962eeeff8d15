from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.tiny import Tiny, draw_faces, write_kaggle

from harness.benchmark import Benchmark, load_benchmark
from harness.cli import main
from harness.cli.grade import main as grade
from harness.cli.running import load_card
from harness.datasets.faces import FaceSet
from harness.datasets.opening import open_lookup, open_rows, open_split, open_test
from harness.errors import DataError, UsageError
from harness.grading.predictions import write_wide
from harness.places import prepared, shipped

SECRET = "00112233445566778899aabbccddeeff29708b80"
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


def test_rows_stand_in_the_order_of_the_file_and_say_where(tiny: Tiny) -> None:
    benchmark = load_benchmark(tiny.card)
    split, rows = open_split(benchmark, tiny.data), open_rows(benchmark, tiny.data)

    assert rows.places[5] == f"{tiny.data / 'training.csv'}, line 7 (data row 5)"
    assert (
        (tiny.data / "training.csv")
        .read_text()
        .splitlines()[6]
        .endswith(" ".join(map(str, rows.faces.images[5].ravel())))
    )
    np.testing.assert_array_equal(rows.faces.images[~rows.held_out], split.training.images)
    np.testing.assert_array_equal(rows.faces.images[rows.held_out], split.held_out.images)


def test_rows_of_a_file_of_held_out_faces_follow_those_of_training(tiny: Tiny) -> None:
    images, keypoints = draw_faces(6, seed=9)
    write_kaggle(tiny.root / "exam", images, keypoints)
    exam = tiny.root / "exam" / "training.csv"

    rows = open_rows(load_benchmark(tiny.card), tiny.data, held_out=exam)

    assert len(rows.faces) == len(rows.places) == 54
    assert rows.held_out.tolist() == [False] * 48 + [True] * 6
    assert rows.places[48] == f"{exam}, line 2 (data row 0)"


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
    for secret in ("1234", "correct horse battery staple", "0" * 40, SECRET[:-1], "1" + SECRET[1:]):
        monkeypatch.setenv("HARNESS_SECRET_SEED", secret)
        with pytest.raises(UsageError, match="make one with `harness secret new`") as caught:
            open_split(few_rendered)
        assert secret not in str(caught.value)


def test_a_new_secret_is_taken(
    few_rendered: Benchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fingerprints = set()
    for _ in range(2):
        assert main(["secret", "new"]) == 0
        monkeypatch.setenv("HARNESS_SECRET_SEED", capsys.readouterr().out.strip())
        fingerprints.add(open_split(few_rendered).fingerprint)

    assert len(fingerprints) == 2


def test_secret_faces_are_in_no_file(few_rendered: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_SECRET_SEED", SECRET)
    split = open_split(few_rendered)

    files = [path.read_bytes() for path in tmp_path.rglob("*.npy")]

    def kept(faces: FaceSet) -> int:
        return sum(array[0].tobytes() in file for array in (faces.images, faces.keypoints) for file in files)

    assert (kept(split.training), kept(split.held_out)) == (2, 0)


def test_arrays_that_lie_in_the_current_folder_are_not_believed(
    few_rendered: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = open_split(few_rendered)
    (tmp_path / "data" / "rendered").mkdir(parents=True)
    planted = tmp_path / "data" / "rendered" / "prepared"
    shutil.copytree(tmp_path / "cache" / "facial-keypoint-harness" / "rendered", planted)
    for file in planted.rglob("keypoints.npy"):
        np.save(file, np.zeros_like(np.load(file)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another cache"))

    np.testing.assert_array_equal(open_split(few_rendered).held_out.keypoints, honest.held_out.keypoints)


def test_a_cache_folder_that_is_not_absolute_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")

    assert prepared("tiny").is_relative_to(tmp_path)


def test_a_card_that_stands_in_for_a_shipped_one_is_announced_and_named_in_the_entry(
    few_rendered: Benchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wide(Path("guess.csv"), np.full((10, 15, 2), 48.0, np.float32), np.arange(1, 11), few_rendered.layout)
    easy = Path("data/rendered/benchmark.toml")
    easy.parent.mkdir(parents=True)
    easy.write_text(Path("few.toml").read_text().replace("ok = 1.6", "ok = 99.0"))

    assert grade(["guess.csv", "--require", "ok", "--json", "entry.json", "--no-record"]) == 0

    assert "the card of 'rendered' is not the one that came with the harness" in capsys.readouterr().err
    card = json.loads(Path("entry.json").read_text())["fingerprints"]["card"]
    assert card == hashlib.sha256(easy.read_bytes()).hexdigest()


def test_a_copy_of_a_shipped_card_is_not_worth_a_word(
    few_rendered: Benchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("data/rendered").mkdir(parents=True)
    shutil.copyfile(shipped("data") / "rendered" / "benchmark.toml", "data/rendered/benchmark.toml")

    assert load_card("rendered").name == "rendered"
    assert not capsys.readouterr().err


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
