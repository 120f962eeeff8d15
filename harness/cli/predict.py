"""Train a submission and write its predictions: the untrusted half of `grade`, which needs no answer key."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.cli.outputs import try_files
from harness.cli.running import add_run_arguments, located, open_benchmark, run_conditions
from harness.errors import SubmissionError, UsageError
from harness.text import printable

EXAMPLES = """
  harness predict submissions/my_model.py --out predictions.npy
  harness score predictions.npy

  # What Kaggle's submission page takes:
  harness predict submissions/my_model.py --benchmark kaggle --data ~/facial-keypoints-detection \\
      --images test --all-faces --format kaggle --out submission.csv
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness predict``."""
    parser.add_argument("submission", metavar="SUBMISSION", help="a file, a folder, or a baseline's name")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write the predictions")
    parser.add_argument(
        "--images", choices=("held-out", "test"), default="held-out", help="which images to predict (held-out)"
    )
    parser.add_argument(
        "--all-faces",
        action="store_true",
        help="with --images test: learn from the held-out faces too, since those are not predicted then",
    )
    parser.add_argument(
        "--format",
        choices=("npy", "wide", "kaggle"),
        default="npy",
        help="npy: float32 (N, K, 2); wide: a CSV with an image a row; kaggle: RowId,Location (npy)",
    )
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the submission on the chosen images and write what it predicts."""
    import numpy as np

    from harness.datasets.opening import open_lookup, open_test
    from harness.grading.predictions import asked_locations, write_long, write_wide
    from harness.reporting.progress import ProgressLine
    from harness.runs.executors import Local, run_one
    from harness.runs.job import Job, Material
    from harness.submission.source import find_source

    source = find_source(arguments.submission)
    if not source.has_code:
        raise UsageError(f"{source.path}: holds predictions already; `harness score` scores them")
    if arguments.all_faces and arguments.images != "test":
        raise UsageError("--all-faces goes with --images test: faces that were learnt from are no test of a submission")
    try_files(arguments.out)
    benchmark, split = open_benchmark(arguments)
    images, image_ids = split.held_out.images, np.arange(1, len(split.held_out) + 1)
    if arguments.images == "test":
        image_ids, images = open_test(benchmark, arguments.data)
    material = Material(split.together() if arguments.all_faces else split.training, images)
    job = Job(source.label, source.pack(), material, run_conditions(arguments, benchmark))
    with ProgressLine(sys.stderr) as line:
        result = run_one(job, Local(), line.listen)
    if result.predictions is None:
        raise SubmissionError(located(source, result.reason))
    if arguments.format == "npy":
        with arguments.out.open("wb") as file:
            np.save(file, result.predictions)
    elif arguments.format == "wide":
        write_wide(arguments.out, result.predictions, image_ids, benchmark.layout)
    elif arguments.images == "test":
        lookup = open_lookup(benchmark, arguments.data)
        write_long(arguments.out, asked_locations(result.predictions, image_ids, lookup), lookup.row_ids)
    else:
        write_long(arguments.out, result.predictions.ravel(), np.arange(1, result.predictions.size + 1))
    print(printable(f"wrote predictions for {len(images)} images to {arguments.out}"))
    return 0
