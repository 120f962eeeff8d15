"""Reads the files that a worker left behind or a competitor handed in, none of which is to be trusted."""

from __future__ import annotations

import ast
import os
import reprlib
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import PredictionError
from harness.text import plain
from harness.units import format_bytes

LARGEST_COORDINATE = 1e4
"""Pixels; no image of a benchmark is wider, and sums of squares stay far from overflow."""

_HEADER_CAP = 4096
_MAGIC = b"\x93NUMPY"


def read_predictions(path: Path, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Predicted keypoints (N, K, 2) from a ``.npy`` file of little-endian float32 in C order.

    ``np.load`` is not used: it takes trailing bytes, follows links and lets the header say how much to allocate.

    Raises:
        PredictionError: the file is missing or not such a file, has another shape than ``shape``, or holds a value
            that is not finite or lies beyond ``LARGEST_COORDINATE``.
    """
    payload = int(np.prod(shape)) * 4
    content = read_blob(path, payload + _HEADER_CAP)
    start = _payload_start(path, content, shape)
    if len(content) - start != payload:
        raise PredictionError(
            f"{path.name} holds {len(content) - start:,} bytes of data where float32 {shape} has {payload:,}; "
            "write the array once, with numpy.save"
        )
    predictions = np.frombuffer(content, dtype="<f4", offset=start).reshape(shape)
    _assert_points(predictions)
    return predictions.astype(np.float32)  # a copy that can be written to, in the machine's own byte order


def read_blob(path: Path, cap: int) -> bytes:
    """The bytes of a regular file that has no second name, at most ``cap`` of them.

    Raises:
        PredictionError: there is no such file, it is a link or a device, or it is longer than ``cap``.
    """
    try:
        with _opened(path, getattr(os, "O_NOFOLLOW", 0)) as (file, about):  # Windows lacks it
            if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
                raise PredictionError(f"{path.name} is a link, a folder or a device; write a plain file")
            content = _read(file, cap + 1)
    except FileNotFoundError:
        raise PredictionError(f"there is no {path.name}: the worker ended before it had written one") from None
    except OSError as error:
        raise PredictionError(f"{path.name} cannot be opened ({error.strerror}); write a plain file") from None
    if len(content) > cap:
        raise PredictionError(f"{path.name} is larger than the {format_bytes(cap)} that it may have")
    return content


def read_given(path: Path, cap: int) -> bytes:
    """The bytes of a file of predictions that somebody handed in: a regular file, or a link to one.

    Raises:
        PredictionError: there is no such file, it is a folder, a pipe or a device, or it is longer than ``cap`` bytes,
            in which case none of it is read.
    """
    try:
        with _opened(path) as (file, about):
            if not stat.S_ISREG(about.st_mode):
                raise PredictionError(f"{path}: is a folder, a pipe or a device; name a plain file")
            if about.st_size > cap:
                raise PredictionError(
                    f"{path}: has {format_bytes(about.st_size)}, and predictions for these images need less than "
                    f"{format_bytes(cap)}; write one point for each keypoint and image"
                )
            return _read(file, cap)
    except OSError as error:
        raise PredictionError(f"{path}: cannot be read ({error.strerror}); name a plain file") from None


@contextmanager
def _opened(path: Path, flags: int = 0) -> Iterator[tuple[int, os.stat_result]]:
    """A descriptor to read from, and what it leads to, which may be anything."""
    # NONBLOCK, which Windows lacks: opening a named pipe would wait for its other end.
    flags |= os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        yield descriptor, os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _read(descriptor: int, most: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read(most)


def _payload_start(path: Path, content: bytes, shape: tuple[int, int, int]) -> int:
    """Where the data begins, once the header says what it must (numpy.lib.format, versions 1 and 2)."""
    version, width = content[6:8], 4 if content[6:7] == b"\x02" else 2
    length = int.from_bytes(content[8 : 8 + width], "little")
    if not content.startswith(_MAGIC) or version not in (b"\x01\x00", b"\x02\x00") or length > _HEADER_CAP:
        raise PredictionError(f"{path.name} is not a .npy file; write it with numpy.save")
    start = 8 + width + length
    try:
        with warnings.catch_warnings():  # about the header's style, which would be printed
            warnings.simplefilter("ignore")
            header = ast.literal_eval(content[8 + width : start].decode("latin-1").strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise PredictionError(f"{path.name} has a damaged header; write it with numpy.save") from None
    wanted = {"descr": "<f4", "fortran_order": False, "shape": shape}
    if header != wanted:
        raise PredictionError(f"{path.name} declares {plain(reprlib.repr(header))}; predictions are {wanted}")
    return start


def _assert_points(predictions: NDArray[np.float32]) -> None:
    for wrong, what in (
        (~np.isfinite(predictions), "NaN or infinite"),
        (np.abs(predictions) > LARGEST_COORDINATE, f"further than {LARGEST_COORDINATE:,.0f} pixels from the image"),
    ):
        points = wrong.any(axis=2)
        if points.any():
            image, keypoint = np.argwhere(points)[0]
            raise PredictionError(
                f"{int(points.sum()):,} of {points.size:,} predicted points are {what}, first keypoint {keypoint} of "
                f"image {image} (both counted from 0); predict one finite point for every keypoint of every image"
            )
