from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from harness.datasets.readers.kaggle import Lookup
from harness.errors import DataError, PredictionError
from harness.grading.predictions import asked_locations, read_csv, read_file, write_long, write_wide
from harness.keypoints import FACE15

POINTS = np.random.default_rng(0).uniform(0, 95, size=(3, 15, 2)).astype(np.float32)


def wide(path: Path) -> list[str]:
    write_wide(path, POINTS, np.arange(1, 4), FACE15)
    return path.read_text().splitlines()


def long(path: Path) -> list[str]:
    write_long(path, POINTS.ravel(), np.arange(1, 91))
    return path.read_text().splitlines()


@pytest.mark.parametrize("form", [wide, long])
def test_both_forms_come_back_in_any_order_of_rows(tmp_path: Path, form) -> None:
    path = tmp_path / "predictions.csv"
    header, *rows = form(path)
    path.write_text("\n".join([header, *reversed(rows)]))

    np.testing.assert_allclose(read_csv(path, 3, FACE15), POINTS, atol=1e-4)


@pytest.mark.parametrize(
    ("form", "change", "message"),
    [
        (wide, lambda lines: lines[:-1], "1 of 3 rows are missing, first ImageId 3"),
        (wide, lambda lines: [*lines, lines[1]], "line 5: ImageId 1 is there twice"),
        (wide, lambda lines: [lines[0].replace("nose_tip_x", "nose_x"), *lines[1:]], "'nose_tip_x' is missing and"),
        (wide, lambda lines: [*lines[:2], "2," + ",".join([""] * 30), lines[3]], "line 3, column 'left_eye_center_x'"),
        (wide, lambda lines: [*lines[:3], lines[3].replace("3,", "7,", 1)], "line 4: ImageId '7' is not one of 1 to 3"),
        (wide, lambda lines: [lines[0], *(f"{line},7" for line in lines[1:])], "line 2: has 32 cells where the first"),
        (wide, lambda lines: [*lines[:3], lines[3][:-20]], "line 4: has "),
        (wide, lambda lines: [",".join(["a"] * 700)], "line 1: column 'ImageId' is missing and"),
        (wide, lambda lines: [*lines[:3], '"3' + lines[3][1:]], "cannot be read as CSV: unexpected end of data"),
        (long, lambda lines: [*lines[:1], *lines[2:]], "1 of 90 rows are missing, first RowId 1"),
        (long, lambda lines: [*lines[:-1], "90,nan"], "line 91, column 'Location': 'nan' is not a number of pixels"),
        (long, lambda lines: [*lines[:-1], "90,inf"], "'inf' is not a number of pixels"),
        (long, lambda lines: [*lines[:-1], "90,1e300"], "'1e300' is not a number of pixels"),
        (long, lambda lines: [*lines[:-1], "90,"], "the cell is empty"),
        (long, lambda lines: [*lines[:-1], "ninety,1"], "RowId 'ninety' is not one of 1 to 90"),
        (long, lambda lines: [], "cannot be read as CSV"),
    ],
)
def test_a_bad_csv_is_told_by_file_line_and_remedy(tmp_path: Path, form, change, message: str) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text("\n".join(change(form(path))))

    with pytest.raises(PredictionError) as caught:
        read_csv(path, 3, FACE15)
    assert str(path) in str(caught.value) and message in str(caught.value)


def named(path: Path) -> list[str]:
    """IdLookupTable.csv filled in, with row ids of another order."""
    rows = [f"{90 - i},{i // 30 + 1},{FACE15.columns[i % 30]},{POINTS.ravel()[i]:.4f}" for i in range(90)]
    path.write_text("\n".join(["RowId,ImageId,FeatureName,Location", *rows]))
    return path.read_text().splitlines()


def semicolons(path: Path) -> list[str]:
    """As a spreadsheet saves it where numbers have a comma."""
    return [line.replace(",", ";").replace(".", ",") for line in wide(path)]


def tabs(path: Path) -> list[str]:
    return [line.replace(",", "\t") for line in named(path)]


@pytest.mark.parametrize("form", [named, semicolons, tabs])
@pytest.mark.parametrize("name", ["predictions.csv", "PREDICTIONS.CSV"])
def test_kaggle_s_four_columns_and_other_separators_are_read(tmp_path: Path, form, name: str) -> None:
    header, *rows = form(tmp_path / name)
    (tmp_path / name).write_text("\n".join([header, *reversed(rows)]))

    np.testing.assert_allclose(read_file(tmp_path / name, 3, FACE15), POINTS, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], "1 of 90 rows are missing, first mouth_center_bottom_lip_y of ImageId 3"),
        (lambda lines: [*lines, lines[1]], "line 92: left_eye_center_x of ImageId 1 is there twice"),
        (
            lambda lines: [*lines[:-1], "1,3,nose,1"],
            "line 91: FeatureName 'nose' is not a coordinate of layout 'face15'",
        ),
        (lambda lines: [*lines[:-1], "1,900,nose_tip_x,1"], "line 91: ImageId '900' is not one of 1 to 3"),
        (
            lambda lines: [*lines[:-1], "1,3,mouth_center_bottom_lip_y,"],
            "line 91, column 'Location': the cell is empty",
        ),
    ],
)
def test_four_columns_that_are_wrong_are_named(tmp_path: Path, change, message: str) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text("\n".join(change(named(path))))

    with pytest.raises(PredictionError, match=message):
        read_csv(path, 3, FACE15)


def test_an_npz_of_one_array_is_read(tmp_path: Path) -> None:
    path = tmp_path / "predictions.npz"
    for save in (np.savez, np.savez_compressed):
        save(path, predictions=POINTS.astype(np.float64).reshape(3, 30))
        np.testing.assert_array_equal(read_file(path, 3, FACE15), POINTS)

    np.savez(path, a=POINTS, b=POINTS)
    with pytest.raises(PredictionError, match=r"holds 2 arrays .*a.npy.*; save the predictions alone"):
        read_file(path, 3, FACE15)
    np.savez_compressed(path, a=np.zeros(10**6))
    with pytest.raises(PredictionError, match="holds more than predictions for these images"):
        read_file(path, 3, FACE15)


def test_a_column_that_stands_there_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text(
        "\n".join(line.rpartition(",")[0] + ",1,2" for line in wide(path)).replace(
            "1,2", "mouth_center_bottom_lip_y,nose_tip_x", 1
        )
    )

    with pytest.raises(PredictionError, match="line 1: column 'nose_tip_x' is there 2 times"):
        read_csv(path, 3, FACE15)


def test_numbers_with_every_digit_are_not_too_large(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    header, *_ = wide(path)
    rows = [",".join(f"{value:.20f}" for value in points) for points in POINTS.reshape(3, -1).astype(np.float64)]
    path.write_text("\r\n".join([header, *(f"{i}.{'0' * 20},{row}" for i, row in enumerate(rows, start=1))]))

    np.testing.assert_allclose(read_csv(path, 3, FACE15), POINTS, atol=1e-6)


def test_kaggles_four_columns_are_not_too_large(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    rows = [f"{i:08},{i // 30 + 1:08},{FACE15.columns[i % 30]},{i:.20f}" for i in range(90)]
    path.write_text("\r\n".join(["RowId,ImageId,FeatureName,Location", *rows]))

    np.testing.assert_allclose(read_csv(path, 3, FACE15).ravel(), np.arange(90))


def test_what_is_larger_than_the_predictions_could_be_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    with path.open("wb") as file:
        file.truncate(2**40)

    with pytest.raises(
        PredictionError, match=r"has 1024 GiB, and predictions for these images need less than 22.5 KiB"
    ):
        read_csv(path, 3, FACE15)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", ["pipe.csv", "pipe.npy"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)

    with pytest.raises(PredictionError, match="a device"):
        read_file(tmp_path / name, 3, FACE15)


def test_kaggles_table_says_which_coordinates_of_which_image_are_asked() -> None:
    lookup = Lookup(
        row_ids=np.array([1, 2, 3]),
        image_ids=np.array([12, 10, 11]),
        keypoints=np.array([10, 0, 14]),
        axes=np.array([0, 1, 1]),
    )

    asked = asked_locations(POINTS, np.array([10, 11, 12]), lookup)

    np.testing.assert_array_equal(asked, [POINTS[2, 10, 0], POINTS[0, 0, 1], POINTS[1, 14, 1]])


def test_an_image_that_is_asked_for_but_not_there() -> None:
    lookup = Lookup(np.array([1]), np.array([99]), np.array([0]), np.array([0]))

    with pytest.raises(DataError, match="asks for ImageId 99"):
        asked_locations(POINTS, np.array([1, 2, 3]), lookup)
