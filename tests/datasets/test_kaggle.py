"""Kaggle's files in: what is read, and what is said about files that are not in Kaggle's form."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.datasets import packed as packed_tables
from harness.datasets.faces import FaceSet
from harness.datasets.packed import on_disk
from harness.datasets.readers.kaggle import read_lookup, read_test, read_training, training_sources
from harness.errors import DataError
from harness.keypoints import FACE15

SIZE = (6, 8)  # height, width: not square, so that swapped axes show
HEADER = [*FACE15.columns, "Image"]
NOSE = FACE15.index("nose_tip")
Grid = list[list[str]]


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *SIZE), dtype=np.uint8)


def text(image: np.ndarray) -> str:
    return " ".join(str(value) for value in image.ravel())


def training_grid() -> Grid:
    """Three rows: all keypoints, the nose only, none. Keypoint k of the first lies at (k / 2, k / 4)."""
    pictures = [text(image) for image in images(3)]
    complete = [str(k / divisor) for k in range(15) for divisor in (2, 4)]
    nose = ["3.25" if name == "nose_tip_x" else "4.5" if name == "nose_tip_y" else "" for name in FACE15.columns]
    return [HEADER, [*complete, pictures[0]], [*nose, pictures[1]], [*[""] * 30, pictures[2]]]


def write(path: Path, grid: Grid, newline: str = "\n") -> None:
    path.write_bytes("".join(",".join(row) + newline for row in grid).encode())


def zip_up(path: Path, name: str | None = None) -> Path:
    """Replace a CSV file by a zip file that holds it."""
    archive = path.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(path, name or path.name)
    path.unlink()
    return archive


def read(folder: Path) -> FaceSet:
    return read_training(folder, FACE15, SIZE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "training.csv", training_grid())
    return tmp_path


def test_rows_are_read_as_they_stand(folder: Path) -> None:
    faces = read(folder)
    np.testing.assert_array_equal(faces.images, images(3))
    np.testing.assert_array_equal(faces.keypoints[0], [[k / 2, k / 4] for k in range(15)])
    np.testing.assert_array_equal(faces.keypoints[1, NOSE], [3.25, 4.5])
    assert faces.labelled.sum(axis=1).tolist() == [15, 1, 0]


def image_first(grid: Grid) -> Grid:
    return [row[::-1] for row in grid]


def quoted(grid: Grid) -> Grid:
    return [[f'"{cell}"' for cell in row] for row in grid]


def nan_written_out(grid: Grid) -> Grid:
    return [[cell or "NaN" for cell in row] for row in grid]


def byte_order_mark(grid: Grid) -> Grid:
    return [["\ufeff" + grid[0][0], *grid[0][1:]], *grid[1:]]


def doubled_blanks(grid: Grid) -> Grid:
    return [*grid[:2], [*grid[2][:-1], grid[2][-1].replace(" ", "  ") + " "], grid[3]]


def empty_last_lines(grid: Grid) -> Grid:
    return [*grid, [""], [""]]


@pytest.mark.parametrize(
    "resaved", [image_first, quoted, nan_written_out, byte_order_mark, doubled_blanks, empty_last_lines]
)
def test_files_saved_again_by_other_programs_read_the_same(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, resaved: Callable[[Grid], Grid]
) -> None:
    other = tmp_path_factory.mktemp("resaved")
    write(other / "training.csv", resaved(training_grid()))
    assert_same(read(other), read(folder))


def semicolons(grid: Grid) -> Grid:
    return [[";".join(cell.replace(".", ",") for cell in row)] for row in grid]


def tabs(grid: Grid) -> Grid:
    return [["\t".join(row)] for row in grid]


@pytest.mark.parametrize("separated", [semicolons, tabs])
def test_other_separators_are_read_with_the_decimal_comma_of_a_spreadsheet(folder: Path, separated) -> None:
    expected = read(folder)
    write(folder / "training.csv", separated(training_grid()))

    assert_same(read(folder), expected)


def packed(names: str) -> bytes:
    """``outer.zip/inner.zip/training.csv``: the table in archives, one in the other."""
    outer, _, inner = names.partition("/")
    if not inner:
        content = "".join(",".join(row) + "\n" for row in training_grid()).encode()
        return gzip.compress(content) if outer.endswith(".gz") else content
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(inner.partition("/")[0], packed(inner))
    return archive.getvalue()


@pytest.mark.parametrize(
    ("names", "data"),
    [
        ("training.zip/training.csv", "training.zip"),
        ("facial-keypoints-detection.zip/training.zip/training.csv", ""),
        ("facial-keypoints-detection.zip/training.zip/training.csv", "facial-keypoints-detection.zip"),
        ("archive (1).zip/training.csv", ""),
        ("training.csv.gz", ""),
        ("training.csv.zip/training.csv", ""),
        ("TRAINING.CSV", ""),
        ("training.csv", "training.csv"),
        ("Training.ZIP/training.csv", ""),
    ],
)
def test_the_table_is_found_where_people_keep_it(tmp_path: Path, folder: Path, names: str, data: str) -> None:
    expected = read(folder)
    (folder / "training.csv").unlink()
    (folder / names.partition("/")[0]).write_bytes(packed(names))

    assert_same(read(folder / data), expected)
    assert on_disk(training_sources(folder / data)[0]) == folder / names.partition("/")[0]


def test_the_table_is_found_in_a_folder_below_and_only_if_there_is_one(folder: Path) -> None:
    expected = read(folder)
    (folder / "training").mkdir()
    (folder / "training.csv").rename(folder / "training" / "training.csv")
    assert_same(read(folder), expected)

    (folder / "other").mkdir()
    write(folder / "other" / "training.csv", training_grid())
    with pytest.raises(DataError, match=r"other/training.csv and .*training/training.csv; name one of them"):
        read(folder)


def test_a_gzip_bomb_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_tables, "UNPACKED_FREELY", 2**16)
    (folder / "training.csv").unlink()
    (folder / "training.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 2**10))
    with pytest.raises(DataError, match="column 'a' is not known here"):
        read(folder)
    header = ",".join(HEADER).encode() + b"\n"
    (folder / "training.csv.gz").write_bytes(gzip.compress(header + b"\n" * 2**20))
    with pytest.raises(DataError, match="times what the archive has, which no table of faces does"):
        read(folder)


def test_crlf_and_zip_read_the_same(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("crlf")
    write(other / "training.csv", training_grid(), newline="\r\n")
    zip_up(other / "training.csv", name="some/folder/training.csv")
    assert_same(read(other), read(folder))


def assert_same(faces: FaceSet, others: FaceSet) -> None:
    np.testing.assert_array_equal(faces.images, others.images)
    np.testing.assert_array_equal(faces.keypoints, others.keypoints)
    np.testing.assert_array_equal(faces.subjects, others.subjects)


def test_many_rows_come_in_order(tmp_path: Path) -> None:
    """More text than is parsed at once, with numbers of one, two and three digits."""
    pictures = images(3000)
    grid = [["ImageId", "Image"], *([str(i), text(image)] for i, image in enumerate(pictures))]
    write(tmp_path / "test.csv", grid)
    np.testing.assert_array_equal(read_test(tmp_path, SIZE)[1], pictures)
    grid[2999][1] = "black"
    write(tmp_path / "test.csv", grid)
    with pytest.raises(DataError, match=r"line 3000 \(data row 2998\), column 'Image'"):
        read_test(tmp_path, SIZE)


# Errors name file, line, column and remedy.


def wrong_pixel(pixel: str) -> str:
    return " ".join([*["0"] * 47, pixel])


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("Image", " ".join(["0"] * 47), "47 pixels where the image has 48; write them all"),
        ("Image", " ".join(["0"] * 49), "49 pixels where the image has 48; write them all"),
        ("Image", "0  " + " ".join(["0"] * 46), "47 pixels where the image has 48; write them all"),
        ("Image", "", "0 pixels where the image has 48; write them all"),
        ("Image", wrong_pixel("300"), "pixel 47 is '300'; write a whole number from 0 to 255"),
        ("Image", wrong_pixel("-1"), "pixel 47 is '-1'; write a whole number"),
        ("Image", wrong_pixel("12.5"), "pixel 47 is '12.5'; write a whole number"),
        ("Image", wrong_pixel("black"), "pixel 47 is 'black'; write a whole number"),
        ("Image", wrong_pixel("0255"), "pixel 47 is '0255'; write a whole number"),
        ("Image", wrong_pixel("٣"), "pixel 47 is '٣'; write a whole number"),
        ("Image", ";".join(["0"] * 48), "pixel 0 is '0;0;0;0;0;0;...0;0;0;0;0;0;0'; write a whole number"),
        ("nose_tip_x", "left", "'left' is not a number; write pixels, or nothing"),
        ("nose_tip_x", "8.01", "'8.01' lies outside the image, which ends at 8; correct"),
        ("nose_tip_y", "6.01", "'6.01' lies outside the image, which ends at 6; correct"),
        ("nose_tip_y", "-0.51", "'-0.51' lies outside the image"),
        ("nose_tip_x", "inf", "'inf' lies outside the image"),
        ("nose_tip_x", "", "the cell is empty but the point's y is not; fill in both or neither"),
        ("nose_tip_y", "", "the cell is empty but the point's x is not; fill in both or neither"),
        ("Image", "1,2", "the line has 32 cells where the first has 31; write one for each"),
    ],
    ids=lambda value: value[:30],
)
def test_a_bad_cell_is_named(folder: Path, column: str, cell: str, problem: str) -> None:
    grid = training_grid()
    grid[2][HEADER.index(column)] = cell
    write(folder / "training.csv", grid)
    with pytest.raises(DataError) as error:
        read(folder)
    assert f"{folder / 'training.csv'}, line 3 (data row 1), column '{column}': {problem}" in str(error.value)


def test_neighbours_cannot_make_up_for_a_missing_pixel(folder: Path) -> None:
    grid = training_grid()
    grid[1][-1] += " 0"
    grid[2][-1] = grid[2][-1].rpartition(" ")[0]
    write(folder / "training.csv", grid)
    with pytest.raises(DataError, match=r"line 2 .* 49 pixels"):
        read(folder)


@pytest.mark.parametrize("point", [(8, 6), (-0.5, -0.3)])
def test_points_on_the_edge_of_the_first_and_the_last_pixel_are_allowed(
    folder: Path, point: tuple[float, float]
) -> None:
    grid = training_grid()
    grid[2][2 * NOSE : 2 * NOSE + 2] = [str(coordinate) for coordinate in point]
    write(folder / "training.csv", grid)
    np.testing.assert_array_equal(read(folder).keypoints[1, NOSE], np.float32(point))


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ([*HEADER[:-1], "Picture"], "line 1: column 'Picture' is not known here; remove or rename it"),
        (["nose_tip_x", *HEADER[1:]], "line 1: column 'nose_tip_x' stands there 2 times; keep one"),
        (HEADER[1:], "line 1: column 'left_eye_center_x' is missing (1 in all); add it"),
        ([], "line 1: column 'left_eye_center_x' is missing (31 in all); add it"),
        ([*HEADER, "Age"], "line 1: column 'Age' is not known here; remove or rename it"),
    ],
)
def test_a_bad_header_is_named(folder: Path, header: list[str], problem: str) -> None:
    write(folder / "training.csv", [header, *training_grid()[1:]] if header else [])
    with pytest.raises(DataError) as error:
        read(folder)
    assert f"{folder / 'training.csv'}, {problem}" in str(error.value)


def remove_folder(folder: Path) -> None:
    (folder / "training.csv").unlink()
    folder.rmdir()


def remove_file(folder: Path) -> None:
    (folder / "training.csv").unlink()


def zip_something_else(folder: Path) -> None:
    zip_up(folder / "training.csv", name="test.csv")


def truncate_zip(folder: Path) -> None:
    archive = zip_up(folder / "training.csv")
    archive.write_bytes(archive.read_bytes()[:-30])


def garble_zip(folder: Path) -> None:
    archive = zip_up(folder / "training.csv")
    content = bytearray(archive.read_bytes())
    content[60:80] = bytes(20)
    archive.write_bytes(content)


def zip_a_bomb(folder: Path) -> None:
    """A zip whose directory claims 3 GiB: sizes are judged before anything is unpacked."""
    archive = zip_up(folder / "training.csv")
    content = bytearray(archive.read_bytes())
    size = content.index(b"PK\x01\x02") + 24
    content[size : size + 4] = (3 << 30).to_bytes(4, "little")
    archive.write_bytes(content)


def zip_what_unpacks_to_a_thousand_times_more(folder: Path) -> None:
    with (folder / "training.csv").open("a") as file:
        file.write("\n" * (64 << 20))
    zip_up(folder / "training.csv")


def zip_in_a_rare_way(folder: Path) -> None:
    with zipfile.ZipFile(folder / "training.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.write(folder / "training.csv", "training.csv")
    (folder / "training.csv").unlink()


def write_a_line_without_end(folder: Path) -> None:
    (folder / "training.csv").write_text(",".join(HEADER) + "\n" + "1" * 100_000)


def repeat_a_column(folder: Path) -> None:
    (folder / "training.csv").write_text(",".join(["a"] * 100_000))


def save_as_utf16(folder: Path) -> None:
    (folder / "training.csv").write_bytes("Image".encode("utf-16"))


def leave_a_quote_open(folder: Path) -> None:
    write(folder / "training.csv", [HEADER, ['"1']])


def keep_the_header_only(folder: Path) -> None:
    write(folder / "training.csv", [HEADER])


def keep_unlabelled_rows_only(folder: Path) -> None:
    write(folder / "training.csv", [HEADER, training_grid()[3]])


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (remove_folder, "the data folder {} does not exist; name the folder"),
        (remove_file, "{} holds neither training.csv nor training.zip; put one of them there"),
        (zip_something_else, "{}/training.zip has no training.csv inside; zip that file"),
        (truncate_zip, "{}/training.zip cannot be unzipped (File is not a zip file); download or zip it again"),
        (garble_zip, "{}/training.zip cannot be unzipped"),
        (zip_a_bomb, "{}/training.zip: training.csv has 3.0 GiB, more than the 2 GiB that a table may have"),
        (zip_what_unpacks_to_a_thousand_times_more, "unpacks to 64 MiB, more than 50 times what the archive has"),
        (zip_in_a_rare_way, "{}/training.zip: training.csv is packed in a rare way; zip it again with the usual one"),
        (write_a_line_without_end, "{}/training.csv, line 2: has more than"),
        (repeat_a_column, "{}/training.csv, line 1: has more than"),
        (save_as_utf16, "{}/training.csv is not text (byte 0 is not UTF-8); save it as a UTF-8 CSV"),
        (leave_a_quote_open, "{}/training.csv, line 2 (data row 0): has cells that cannot be unquoted"),
        (keep_the_header_only, "{}/training.csv has no data rows below its first line; download"),
        (keep_unlabelled_rows_only, "{}/training.csv has no keypoint in any row; fill in the coordinates"),
    ],
)
def test_a_bad_file_is_named(folder: Path, damage: Callable[[Path], None], problem: str) -> None:
    damage(folder)
    with pytest.raises(DataError) as error:
        read(folder)
    assert problem.format(folder) in str(error.value)


# subjects.csv


def test_subjects_are_those_of_the_file_in_any_order(folder: Path) -> None:
    write(folder / "subjects.csv", [["Row", "Subject"], ["2", "Ann"], ["0", "Ann"], ["1", '"Lee, Bob"']])
    subjects = read(folder).subjects
    assert subjects[0] == subjects[2] != subjects[1]


def test_a_subjects_number_depends_on_its_name_alone(folder: Path) -> None:
    write(folder / "subjects.csv", [["Row", "Subject"], ["0", "Bob"], ["1", "Cy"], ["2", "Cy"]])
    before = read(folder).subjects
    write(folder / "subjects.csv", [["Row", "Subject"], ["0", "Bob"], ["1", "Ann"], ["2", "Cy"]])
    np.testing.assert_array_equal(read(folder).subjects[[0, 2]], before[[0, 2]])


def test_without_subjects_near_duplicates_belong_together(tmp_path: Path) -> None:
    grid = training_grid()
    write(tmp_path / "training.csv", [*grid, grid[2]])
    subjects = read(tmp_path).subjects
    assert subjects[3] == subjects[1]
    assert len(set(subjects.tolist())) == 3


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["0,a", "1,b"], " names no subject for data row 2 of 3; add a line for every row"),
        (["0,a", "1,b", "1,c", "2,d"], ", line 4 (data row 2), column 'Row': 1 occurred before; keep one row for each"),
        (["0,a", "1,b", "2,c", "3,d"], ", line 5 (data row 3), column 'Row': there is no data row 3 among 3"),
        (["0,a", "one,b", "2,c"], ", line 3 (data row 1), column 'Row': 'one' is not a whole number from 0"),
        (["0,a", "1,", "2,c"], ", line 3 (data row 1), column 'Subject': the cell is empty; name the person"),
        (["0,a", "1", "2,c"], ", line 3 (data row 1), column 'Subject': the line has 1 cells where the first has 2"),
    ],
)
def test_bad_subjects_are_named(folder: Path, lines: list[str], problem: str) -> None:
    write(folder / "subjects.csv", [["Row", "Subject"], *([line] for line in lines)])
    with pytest.raises(DataError) as error:
        read(folder)
    assert f"{folder / 'subjects.csv'}{problem}" in str(error.value)


def test_sources_are_the_files_that_count(folder: Path) -> None:
    assert [path.name for path in training_sources(folder)] == ["training.csv"]
    write(folder / "subjects.csv", [["Row", "Subject"]])
    zip_up(folder / "training.csv")
    assert [path.name for path in training_sources(folder)] == ["training.zip", "subjects.csv"]


# test.csv and IdLookupTable.csv


def test_test_images_come_with_their_ids(tmp_path: Path) -> None:
    write(
        tmp_path / "test.csv", [["ImageId", "Image"], *([f"{i + 7}", text(image)] for i, image in enumerate(images(2)))]
    )
    zip_up(tmp_path / "test.csv")
    ids, pictures = read_test(tmp_path, SIZE)
    assert ids.tolist() == [7, 8]
    np.testing.assert_array_equal(pictures, images(2))


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([["1", "0"], ["1", "0"]], "line 3 (data row 1), column 'ImageId': 1 occurred before"),
        ([["1.0", "0"]], "line 2 (data row 0), column 'ImageId': '1.0' is not a whole number"),
        ([["9" * 19, "0"]], "column 'ImageId': '9999999999999999999' is not a whole number"),
        ([["1", "0"], ["2", "256"]], "line 3 (data row 1), column 'Image': pixel 0 is '256'"),
    ],
)
def test_bad_test_rows_are_named(tmp_path: Path, rows: Grid, problem: str) -> None:
    write(tmp_path / "test.csv", [["ImageId", "Image"], *rows])
    with pytest.raises(DataError) as error:
        read_test(tmp_path, (1, 1))
    assert problem in str(error.value)


@pytest.mark.parametrize("location", [True, False])
def test_the_lookup_says_which_coordinate_each_row_is(tmp_path: Path, location: bool) -> None:
    rows = [["RowId", "ImageId", "FeatureName", "Location"], ["5", "2", "nose_tip_y", ""], ["6", "3", "nose_tip_x", ""]]
    write(tmp_path / "IdLookupTable.csv", rows if location else [row[:3] for row in rows])
    lookup = read_lookup(tmp_path, FACE15)
    assert lookup.row_ids.tolist() == [5, 6]
    assert lookup.image_ids.tolist() == [2, 3]
    assert lookup.keypoints.tolist() == [NOSE, NOSE]
    assert lookup.axes.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("2,1,nose_x", "line 3 (data row 1), column 'FeatureName': 'nose_x' is not a coordinate of layout 'face15'"),
        ("1,1,nose_tip_x", "line 3 (data row 1), column 'RowId': 1 occurred before"),
        ("2,,nose_tip_x", "line 3 (data row 1), column 'ImageId': '' is not a whole number"),
    ],
)
def test_bad_lookup_rows_are_named(tmp_path: Path, row: str, problem: str) -> None:
    write(tmp_path / "IdLookupTable.csv", [["RowId", "ImageId", "FeatureName"], ["1", "1", "nose_tip_x"], [row]])
    with pytest.raises(DataError) as error:
        read_lookup(tmp_path, FACE15)
    assert problem in str(error.value)


def test_real_files_read_whole() -> None:
    """The counts are those of the folder's own README."""
    default = Path(__file__).parents[3] / "shared" / "real-faces"
    real = Path(os.environ.get("HARNESS_REAL_FACES", default))
    if not real.is_dir():
        pytest.skip(f"no real faces at {real}; HARNESS_REAL_FACES may name another folder")
    faces = read_training(real, FACE15, (96, 96))
    assert (len(faces), faces.complete.sum(), len(np.unique(faces.subjects))) == (2853, 1206, 287)
    ids, pictures = read_test(real, (96, 96))
    assert len(ids) == len(pictures) == 609
    assert set(read_lookup(real, FACE15).image_ids) == set(ids)
