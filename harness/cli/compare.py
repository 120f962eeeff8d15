"""Compare two predictions of the same held-out faces, face by face.

The difference is B's mean pixel error less A's on the headline stratum. Both predict the same faces, so its 95 %
interval (a bootstrap over whole subjects) is far narrower than those of the two scores. The difference can be
significant even where the scores' intervals overlap.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.outputs import try_files, write
from harness.cli.running import add_data_arguments, open_benchmark
from harness.errors import LoadError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.datasets.faces import Split
    from harness.estimates import Estimate

EXAMPLES = """
  grade unet multiscale --out result
  harness compare result/unet result/multiscale
  harness compare before.npy after.npy --benchmark kaggle --data ~/facial-keypoints-detection --json difference.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness compare``."""
    what = "a .npy or .csv file of predictions, a run that ablate kept, or a submission's folder of grade --out"
    parser.add_argument("first", type=Path, metavar="A", help=what)
    parser.add_argument("second", type=Path, metavar="B", help="another")
    add_data_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write scores and differences")


def run(arguments: argparse.Namespace) -> int:
    """Print both scores and their difference; nothing is recorded."""
    from harness.grading.scoring import compare, score

    try_files(arguments.json)
    benchmark, split = open_benchmark(arguments)
    held_out = split.held_out
    stratum, rows = next(iter(split.strata.items()))
    predictions = [_read(path, split) for path in (arguments.first, arguments.second)]
    scores = [score(each, held_out, {stratum: rows}).headline.metrics["mean_pixel_error"] for each in predictions]
    comparison = compare(predictions[0], predictions[1], held_out, rows)
    difference = comparison.difference

    faces = held_out.take(rows)
    print(f"mean pixel error on {len(faces):,} held-out faces of {len(set(faces.subjects.tolist())):,} subjects\n")
    for letter, path, each in zip("AB", (arguments.first, arguments.second), scores, strict=True):
        print(f"  {letter}      {_interval(each, '.3f')}  {path}")
    print(f"  B - A  {_interval(difference, '+.3f')}\n\n  {_verdict(difference)}\n")
    for group, each in comparison.groups.items():
        print(f"  {group:<16}{_interval(each, '+.3f')}{'' if each.excludes_zero else '  not significant'}")
    if arguments.json:
        table = {
            "benchmark": benchmark.name,
            "stratum": stratum,
            "first": asdict(scores[0]),
            "second": asdict(scores[1]),
            "difference": asdict(difference),
            "excludes_zero": difference.excludes_zero,
            "groups": {group: asdict(each) for group, each in comparison.groups.items()},
        }
        write(arguments.json, json.dumps(table, indent=2) + "\n")
    return 0


def _read(path: Path, split: Split) -> NDArray[np.float32]:
    from harness.grading.entry import Entry
    from harness.grading.predictions import read_file
    from harness.reporting.folder import ENTRY, PREDICTIONS

    if path.suffix == ".npz":
        return _kept(path, split)
    if path.is_dir():
        if not (path / PREDICTIONS).is_file():
            raise LoadError(f"{path}: has no {PREDICTIONS}; name the folder of one graded submission in it")
        if Entry.read(path / ENTRY).fingerprints.get("data") != split.fingerprint:
            raise UsageError(f"{path}: was graded on other data; name its --benchmark and --data")
        path /= PREDICTIONS
    return read_file(path, len(split.held_out), split.held_out.layout)


def _kept(path: Path, split: Split) -> NDArray[np.float32]:
    """What a kept run predicted for the held-out faces."""
    from harness.runs.kept import read_run

    predictions = read_run(path).predictions
    count = len(split.held_out)
    if predictions is None or len(predictions) < count:
        raise LoadError(
            f"{path}: holds no predictions for these {count} faces; name their --benchmark, --data and --held-out"
        )
    return predictions[:count]


def _verdict(difference: Estimate) -> str:
    if not difference.excludes_zero:
        return "The interval includes zero: on these faces they are not significantly different."
    better, worse = ("B", "A") if difference.value < 0 else ("A", "B")
    return f"The interval excludes zero: {better} has a smaller error than {worse}."


def _interval(estimate: Estimate, form: str) -> str:
    return f"{estimate.value:{form}}  [{estimate.low:{form}}, {estimate.high:{form}}]"
