"""Reads the files that a worker left behind or a competitor handed in, none of which is to be trusted."""

from __future__ import annotations

import ast
import math
import os
import re
import reprlib
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import PredictionError
from harness.text import plain
from harness.units import format_bytes

LARGEST_COORDINATE = 1e4
"""Pixels; no image of a benchmark is wider, and sums of squares stay far from overflow."""

_HEADER_CAP = 4096
_WIDEST = 8  # bytes of a number
_MAGIC = b"\x93NUMPY"


def read_predictions(path: Path, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Predicted keypoints (N, K, 2) from the ``.npy`` file of float32 in C order that a worker left behind.

    Raises:
        PredictionError: the file is missing, a link, or not one that a worker writes, or as for `parse_predictions`.
    """
    content = read_blob(path, npy_cap(shape))
    _, dtype, given, order = _declared(path.name, content, shape)
    if (dtype.str, given, order) != ("<f4", shape, "C"):  # then something else than the worker wrote it
        raise PredictionError(
            f"{path.name} declares {dtype.str} {given} in {order} order; predictions are <f4 {shape} in C order"
        )
    return parse_predictions(path.name, content, shape)


def npy_cap(shape: tuple[int, int, int]) -> int:
    """How many bytes a ``.npy`` file of predictions may have."""
    return int(np.prod(shape)) * _WIDEST + _HEADER_CAP


def parse_predictions(name: str, content: bytes, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Predicted keypoints (N, K, 2) from the bytes of a ``.npy`` file.

    It may hold (N, K, 2) or (N, 2K), x before y, of floats or whole numbers in either byte order, in C's or Fortran's.
    ``np.load`` is not used: it takes trailing bytes and lets the header say how much to allocate.

    Raises:
        PredictionError: it is not such a file, has another shape, or holds a value that is not finite or lies beyond
            ``LARGEST_COORDINATE``; the message begins with ``name``.
    """
    start, dtype, given, order = _declared(name, content, shape)
    payload = int(np.prod(shape)) * dtype.itemsize
    if len(content) - start != payload:
        raise PredictionError(
            f"{name} holds {len(content) - start:,} bytes of data where {dtype.name} {given} has {payload:,}; "
            "write the array once, with numpy.save"
        )
    array = np.frombuffer(content, dtype=dtype, offset=start).reshape(given, order=order)
    with np.errstate(invalid="ignore"):  # a NaN may be one that warns, which would be printed
        predictions = array.reshape(shape).astype(np.float64)
    _assert_points(predictions)
    return predictions.astype(np.float32)


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


def _declared(
    name: str, content: bytes, shape: tuple[int, int, int]
) -> tuple[int, np.dtype[Any], tuple[int, ...], Literal["C", "F"]]:
    """Where the data begins, its type, shape and order, where these may be so (numpy.lib.format, 1 and 2)."""
    version, width = content[6:8], 4 if content[6:7] == b"\x02" else 2
    length = int.from_bytes(content[8 : 8 + width], "little")
    if not content.startswith(_MAGIC) or version not in (b"\x01\x00", b"\x02\x00") or length > _HEADER_CAP:
        raise PredictionError(f"{name} is not a .npy file; write it with numpy.save")
    start = 8 + width + length
    try:
        with warnings.catch_warnings():  # about the header's style, which would be printed
            warnings.simplefilter("ignore")
            header = ast.literal_eval(content[8 + width : start].decode("latin-1").strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise PredictionError(f"{name} has a damaged header; write it with numpy.save") from None
    if not isinstance(header, dict) or header.keys() != {"descr", "fortran_order", "shape"}:
        raise PredictionError(f"{name} has a damaged header; write it with numpy.save")
    kind, given = header["descr"], header["shape"]
    if not (isinstance(kind, str) and re.fullmatch("[<>|=]?[iu][1248]|[<>=]?f[248]", kind)):
        raise PredictionError(
            f'{name} holds values of type {plain(reprlib.repr(kind))}; write .astype("float32") before numpy.save'
        )
    flat = shape[0], 2 * shape[1]
    if given not in (shape, flat):
        raise PredictionError(
            f"{name} has the shape {plain(reprlib.repr(given))}, and predictions are {shape}, or {flat} with x before "
            f"y; {_reshaped(given, shape)}"
        )
    return start, np.dtype(kind), shape if given == shape else flat, "F" if header["fortran_order"] else "C"


def _reshaped(given: Any, shape: tuple[int, int, int]) -> str:
    images, keypoints, _ = shape
    if given == (images, 2, keypoints):
        return "write .transpose(0, 2, 1)"
    sizes = given if isinstance(given, tuple) and all(isinstance(each, int) for each in given) else ()
    if math.prod(sizes) == math.prod(shape):
        return f"write .reshape{shape} if its numbers stand in that order"
    return "predict every keypoint of every held-out image"


def _assert_points(predictions: NDArray[np.float64]) -> None:
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
