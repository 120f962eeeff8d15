"""Grade several submissions as one: a blend, whose weights are fitted on training faces alone.

The training faces are divided into folds of whole subjects. Each submission is trained once without each fold, then
predicts that fold and the held-out images. The weights are fitted to the predictions of the folds. The held-out
keypoints are used to score the blend, and for nothing else.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.cli.outputs import try_files, try_folder, write
from harness.cli.parsing import whole
from harness.cli.recording import add_recording_arguments, keep, open_board
from harness.cli.running import add_executor_arguments, add_run_arguments, make_executor, open_benchmark, run_conditions
from harness.errors import SubmissionError, UsageError
from harness.text import printable

EXAMPLES = """
  harness blend unet multiscale submissions/my_model.py
  harness blend unet hidden_layer --benchmark kaggle --data ~/facial-keypoints-detection --folds 5 --method greedy
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness blend``."""
    parser.add_argument("submissions", nargs="+", metavar="SUBMISSION", help="a file, a folder, or a baseline's name")
    parser.add_argument("--folds", type=whole, default=3, metavar="N", help="how many, from 2 (3)")
    # The names are those of harness.studies.blend_weights, which would import scikit-learn here.
    parser.add_argument(
        "--method",
        default="auto",
        choices=("auto", "mean", "stack", "greedy"),
        help="how members are weighted: all alike, by a ridge regression for each coordinate, by greedy selection for "
        "each keypoint; auto takes the one with the smallest error out of fold (auto)",
    )
    add_run_arguments(parser)
    add_executor_arguments(parser, work=Path("blends"))
    kept = add_recording_arguments(parser)
    kept.add_argument("--name", metavar="NAME", help="what the leaderboard calls it (blend- and the members' names)")


def run(arguments: argparse.Namespace) -> int:
    """Run what is not yet kept, then blend, score and record."""
    from harness.reporting.progress import ProgressLine
    from harness.studies.blending import blend
    from harness.submission.source import find_source

    try_files(arguments.json)
    if arguments.folds < 2:
        raise UsageError("--folds 1 would leave no face to learn from; use at least 2")
    members = [find_source(submission) for submission in arguments.submissions]
    benchmark, split = open_benchmark(arguments)
    try_folder(arguments.out)
    board = open_board(arguments, benchmark, split)
    conditions = run_conditions(arguments, benchmark)
    with ProgressLine(sys.stderr) as line:
        graded = blend(
            members,
            benchmark,
            split,
            conditions,
            make_executor(arguments, conditions),
            folds=arguments.folds,
            method=arguments.method,
            name=arguments.name,
            board=board.name,
            on_run=line.heading,
            listen=lambda _, event: line.listen(event),
        )
    print(printable(f"{graded.entry.description}\n"))
    entry = keep(graded, benchmark, board, arguments, split)
    if arguments.json:
        write(arguments.json, entry.to_json())
    return SubmissionError.exit_code if entry.status == "failed" else 0
