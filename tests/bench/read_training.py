"""Reading training.zip with this harness, and the usual way: pandas, then numpy for each image.

    python tests/bench/read_training.py DIR

DIR holds Kaggle's training.zip. Both sides run in turn, three times; times are medians. Only this harness finds out
who is shown (from subjects.csv or by hashing the images), and its time includes that.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.datasets.readers.kaggle import read_training, training_sources
from harness.datasets.store import Stored, stored
from harness.keypoints import FACE15

ROUNDS = 3
T = TypeVar("T")
Arrays = dict[str, NDArray[np.generic]]


def with_pandas(folder: Path) -> Arrays:
    """The loader that the course's students start from."""
    frame = pd.read_csv(folder / "training.zip")
    images = np.vstack([np.fromstring(text, sep=" ") for text in frame["Image"]])
    keypoints = frame[list(FACE15.columns)].to_numpy(np.float32)
    return {"images": images.reshape(-1, 96, 96), "keypoints": keypoints.reshape(-1, 15, 2)}


def with_harness(folder: Path) -> Arrays:
    """What happens the first time."""
    faces = read_training(folder, FACE15, (96, 96))
    return {"images": faces.images, "keypoints": faces.keypoints, "subjects": faces.subjects}


def main(folder: Path) -> None:
    """Time both, compare what they read, print the table."""
    usual: list[float] = []
    ours: list[float] = []
    for _ in range(ROUNDS):
        seconds, expected = _timed(lambda: with_pandas(folder))
        usual.append(seconds)
        seconds, faces = _timed(lambda: with_harness(folder))
        ours.append(seconds)
        for name, array in expected.items():
            np.testing.assert_array_equal(faces[name], array)

    with tempfile.TemporaryDirectory() as cache:

        def open_store() -> Stored:
            return stored(Path(cache), training_sources(folder), lambda: faces, "bench")

        writing, _ = _timed(open_store)
        opening = [_timed(open_store)[0] for _ in range(ROUNDS)]

    print(f"{len(faces['images'])} rows, equal arrays, median of {ROUNDS} (least to most)")
    for name, times in (("pandas and np.fromstring", usual), ("read_training", ours), ("store, opened", opening)):
        print(f"{name:<26}{statistics.median(times):8.4f} s  ({min(times):.4f} to {max(times):.4f})")
    print(f"{'store, written once':<26}{writing:8.4f} s")
    print(f"ratio {statistics.median(usual) / statistics.median(ours):.1f}")


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main(Path(sys.argv[1]))
