"""Score a file of predictions for the held-out images: a CSV (wide, or long as at Kaggle), a .npy or a .npz."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from harness.cli.outputs import try_files, write
from harness.cli.running import add_data_arguments, open_benchmark

EXAMPLES = """
  harness predict submissions/my_model.py --out predictions.npy
  harness score predictions.npy
  harness score predictions.csv --benchmark kaggle --data ~/facial-keypoints-detection --json scores.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness score``."""
    parser.add_argument("predictions", type=Path, metavar="FILE", help="a .npy, .npz or .csv file")
    add_data_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores")


def run(arguments: argparse.Namespace) -> int:
    """Score the file and print what came of it; nothing is recorded."""
    from harness.grading.diagnosis import find_mistakes
    from harness.grading.entry import strata_of
    from harness.grading.predictions import read_file
    from harness.grading.scoring import score
    from harness.reporting.console import scores

    try_files(arguments.json)
    benchmark, split = open_benchmark(arguments)
    held_out = split.held_out
    predictions = read_file(arguments.predictions, len(held_out), held_out.layout)
    strata = strata_of(score(predictions, held_out, split.strata))
    print("\n".join(scores(strata, benchmark, find_mistakes(predictions, held_out))))
    if arguments.json:
        table = {name: stratum.model_dump() for name, stratum in strata.items()}
        write(arguments.json, json.dumps(table, indent=2) + "\n")
    return 0
