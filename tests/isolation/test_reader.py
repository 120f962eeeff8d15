import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from harness.errors import PredictionError
from harness.isolation.reader import parse_predictions, read_blob, read_predictions

SHAPE = (4, 15, 2)


@pytest.fixture
def points() -> np.ndarray:
    return np.arange(120, dtype=np.float32).reshape(SHAPE)


@pytest.fixture
def file(tmp_path: Path, points: np.ndarray) -> Path:
    path = tmp_path / "predictions.npy"
    np.save(path, points)
    return path


def as_npy(array: np.ndarray) -> bytes:
    buffer = BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def with_header(header: bytes, payload: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + payload


def test_what_numpy_saves_is_read(file: Path, points: np.ndarray) -> None:
    read = read_predictions(file, SHAPE)

    np.testing.assert_array_equal(read, points)
    assert read.dtype == np.float32 and read.flags.writeable


def test_the_longer_header_is_read_too(file: Path, points: np.ndarray) -> None:
    with file.open("wb") as out:
        np.lib.format.write_array(out, points, version=(2, 0))

    np.testing.assert_array_equal(read_predictions(file, SHAPE), points)


@pytest.mark.parametrize("dtype", ["<f2", "<f8", ">f4", ">f8", "<i8", ">i2", "u1"])
@pytest.mark.parametrize("shape", [SHAPE, (4, 30)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_numbers_that_somebody_hands_in_are_read_alike(
    points: np.ndarray, dtype: str, shape: tuple[int, ...], order: str
) -> None:
    content = as_npy(np.array(points.reshape(shape), dtype=dtype, order=order))

    read = parse_predictions("points.npy", content, SHAPE)

    np.testing.assert_array_equal(read, points)
    assert read.dtype == np.float32


ZEROS = np.zeros(SHAPE, np.float32)


@pytest.mark.parametrize(
    "odd", [ZEROS.astype(float), ZEROS.reshape(4, 30), np.asfortranarray(ZEROS)], ids=["float64", "flat", "Fortran"]
)
def test_what_a_worker_does_not_write_is_refused(file: Path, odd: np.ndarray) -> None:
    np.save(file, odd)

    with pytest.raises(
        PredictionError, match=r"predictions.npy declares .*; predictions are <f4 \(4, 15, 2\) in C order"
    ):
        read_predictions(file, SHAPE)


HUGE = b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000000, 15, 2), }"

FORGED = {
    "empty": (b"", "is not a .npy file"),
    "text": (b"nose_tip_x,nose_tip_y\n", "is not a .npy file"),
    "a pickle": (b"\x80\x04\x95", "is not a .npy file"),
    "pickled objects": (as_npy(np.array([{}], dtype=object)), r"values of type '\|O'; write .astype\(\"float32\"\)"),
    "one image less": (
        as_npy(ZEROS[1:]),
        r"has the shape \(3, 15, 2\), and predictions are \(4, 15, 2\), or \(4, 30\)",
    ),
    "complex numbers": (as_npy(ZEROS.astype(complex)), "values of type '<c16'; write"),
    "two rows an image": (as_npy(ZEROS.transpose(0, 2, 1)), r"write .transpose\(0, 2, 1\)"),
    "a single row": (as_npy(ZEROS.ravel()), r"has the shape \(120,\).*; write .reshape\(4, 15, 2\) if"),
    "other keys": (with_header(b"{'descr': '<f4'}"), "has a damaged header"),
    "more than it declares": (as_npy(ZEROS) + b"x", "holds 481 bytes of data where .* has 480"),
    "less than it declares": (as_npy(ZEROS)[:-4], "holds 476 bytes of data where .* has 480"),
    "a bomb": (with_header(HUGE), "has the shape .100000000"),
    "code in the header": (with_header(b"__import__('os').abort()"), "has a damaged header"),
    "depth in the header": (with_header(b"(" * 4000), "has a damaged header"),
    "an endless header": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 5000, "larger than|not a .npy file"),
    "another version": (b"\x93NUMPY\x09\x00" + as_npy(ZEROS)[8:], "is not a .npy file"),
    "too much": (as_npy(np.zeros((400, 15, 2), np.float32)), "larger than the 4.94 KiB"),
}


@pytest.mark.parametrize(("content", "complaint"), FORGED.values(), ids=FORGED)
def test_anything_else_is_refused(file: Path, content: bytes, complaint: str) -> None:
    file.write_bytes(content)

    with pytest.raises(PredictionError, match=complaint):
        read_predictions(file, SHAPE)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (np.nan, "2 of 60 predicted points are NaN or infinite, first keypoint 3 of image 1 "),
        (np.inf, "2 of 60 predicted points are NaN or infinite, first keypoint 3 of image 1 "),
        (-2e4, "2 of 60 predicted points are further than 10,000 pixels from the image, first keypoint 3 of image 1 "),
    ],
)
def test_points_are_finite_and_near(file: Path, points: np.ndarray, value: float, complaint: str) -> None:
    points[1, 3, 0] = points[2, 0] = value
    np.save(file, points)

    with pytest.raises(PredictionError, match=complaint):
        read_predictions(file, SHAPE)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match=r"there is no predictions\.npy: the worker ended before"):
        read_predictions(tmp_path / "predictions.npy", SHAPE)


def test_a_symbolic_link_is_not_followed(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link.npy").symlink_to(file)

    with pytest.raises(PredictionError, match=r"link\.npy cannot be opened"):
        read_predictions(tmp_path / "link.npy", SHAPE)


def test_a_second_name_is_refused(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link.npy").hardlink_to(file)

    with pytest.raises(PredictionError, match="is a link, a folder or a device"):
        read_predictions(file, SHAPE)


@pytest.mark.timeout(10)
def test_a_pipe_does_not_hang_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npy")

    with pytest.raises(PredictionError, match="is a link, a folder or a device"):
        read_predictions(tmp_path / "pipe.npy", SHAPE)


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match="is a link, a folder or a device"):
        read_blob(tmp_path, 100)


def test_a_blob_is_read_up_to_its_cap(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"12345")

    assert read_blob(tmp_path / "weights", 5) == b"12345"
    with pytest.raises(PredictionError, match="weights is larger than the 4 bytes"):
        read_blob(tmp_path / "weights", 4)


@pytest.mark.parametrize(
    "header", ["{[]: 1}", "{{}: 1}", "{{1}: 2}", "[" * 4000, "-" * 4000 + "1", "{'a': 1" + "0" * 4000]
)
def test_a_header_that_python_cannot_evaluate_is_damaged(tmp_path: Path, header: str) -> None:
    path = tmp_path / "predictions.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(480))

    with pytest.raises(PredictionError, match=r"predictions.npy has a damaged header; write it with numpy.save"):
        read_predictions(path, SHAPE)


def test_a_strange_header_is_shown_short(tmp_path: Path) -> None:
    path = tmp_path / "predictions.npy"
    header = repr({"descr": "x" * 3000}).encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(480))

    with pytest.raises(PredictionError) as caught:
        read_predictions(path, SHAPE)
    assert len(str(caught.value)) < 300


def test_a_nan_that_warns_is_refused_without_a_warning(tmp_path: Path, points: np.ndarray) -> None:
    points.view(np.uint32)[1, 3, 0] = 0x7F800001  # a signalling NaN
    np.save(tmp_path / "points.npy", points)

    with pytest.raises(PredictionError, match="1 of 60 predicted points are NaN"):
        read_predictions(tmp_path / "points.npy", SHAPE)
