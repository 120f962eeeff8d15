"""A teacher's own labelled faces as the held-out set."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from support.tiny import Tiny, draw_faces, write_kaggle

from harness.benchmark import load_benchmark
from harness.datasets.opening import open_split
from harness.errors import DataError


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
    monkeypatch.setattr("harness.datasets.readers.kaggle.read_table", None)

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
        ("exam", "is not a .csv, .zip or .csv.gz file; name a file of labelled faces"),
        ("exam/exam.npy", "is not a .csv, .zip or .csv.gz file; name a file of labelled faces"),
    ],
)
def test_a_held_out_file_that_cannot_be_one_is_named(tiny: Tiny, exam: Path, name: str, problem: str) -> None:
    exam.with_suffix(".npy").touch()

    with pytest.raises(DataError, match=re.escape(f"{name} {problem}")):
        open_split(load_benchmark(tiny.card), tiny.data, held_out=tiny.root / name)
