"""Grade submissions: train each away from the answers, score it on held-out faces, record it on the leaderboard.

A submission is a Python file (or a folder with submission.py) that keeps the contract of submissions/README.md, a CSV
of predictions, or the name of a baseline.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.parsing import Parser, add_run_arguments, open_benchmark, run_conditions
from harness.cli.parsing import run as run_command
from harness.cli.recording import add_recording_arguments, keep, open_board, write
from harness.errors import HarnessError, SubmissionError, UsageError

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.board.leaderboard import Leaderboard
    from harness.datasets.faces import Split
    from harness.grading.entry import Entry
    from harness.grading.grade import Graded

EXAMPLES = """
  grade submissions/example.py
  grade submissions/example.py --benchmark kaggle --data ~/facial-keypoints-detection
  grade submissions/*.py --time-limit 10m --json results.json
  grade submissions/my_model.py --require very_good --no-record   # in CI: exit code 1 below the band

exit code:
  0 graded   1 graded, below --require   2 the submission's fault   3 the harness's, the data's or the machine's
"""

BELOW_REQUIRED = 1


def main(argv: list[str] | None = None) -> int:
    """Entry point of the ``grade`` command; returns the exit code."""
    parser = Parser(prog="grade", description=__doc__, examples=EXAMPLES)
    parser.add_argument("submissions", nargs="+", metavar="SUBMISSION", help="a file, a folder, or a baseline's name")
    add_run_arguments(parser)
    parser.add_argument(
        "--require-isolation",
        choices=("landlock", "container", "bwrap"),
        help="refuse to grade behind anything weaker",
    )
    kept = add_recording_arguments(parser)
    kept.add_argument("--save-weights", type=Path, metavar="FILE", help="write the trained weights (.safetensors)")
    kept.add_argument(
        "--require", choices=("ok", "very_good", "outstanding"), help="exit with 1 when the band is not reached"
    )
    parser.set_defaults(run=run)
    return run_command(parser, argv)


def run(arguments: argparse.Namespace) -> int:
    """Grade every submission; one that fails does not take the others along."""
    from harness.reporting.console import report

    if arguments.save_weights and len(arguments.submissions) > 1:
        raise UsageError("--save-weights FILE goes with one submission; grade them one at a time")
    benchmark, split = open_benchmark(arguments)
    board = open_board(arguments, benchmark, split)
    codes, entries = [], []
    for submission in arguments.submissions:
        try:
            graded = _grade(submission, arguments, benchmark, split, board)
            entries.append(graded.entry)
            keep(graded, report(graded.entry, benchmark), board, arguments, split)
            codes.append(_exit_code(graded.entry, arguments.require, benchmark))
            if arguments.save_weights and graded.weights is not None:
                write(arguments.save_weights, graded.weights)
        except HarnessError as error:
            print(f"error: {error}", file=sys.stderr)
            codes.append(error.exit_code)
        except Exception as error:
            # A fault of ours in one grading must not lose the grades of the others.
            traceback.print_exc()
            print(
                f"error: {submission}: the harness failed ({type(error).__name__}); please report it", file=sys.stderr
            )
            codes.append(HarnessError.exit_code)
    if arguments.json and entries:
        records = [json.loads(entry.to_json()) for entry in entries]
        write(arguments.json, json.dumps(records if len(arguments.submissions) > 1 else records[0], indent=2) + "\n")
    return max(codes)


def _grade(
    submission: str, arguments: argparse.Namespace, benchmark: Benchmark, split: Split, board: Leaderboard
) -> Graded:
    from harness.grading.grade import grade
    from harness.isolation.tiers import require
    from harness.reporting.progress import ProgressLine
    from harness.submission.source import find_source

    source = find_source(submission)
    conditions = run_conditions(arguments, benchmark, save_weights=arguments.save_weights is not None)
    if arguments.require_isolation:
        require(conditions.tier, arguments.require_isolation)
    with ProgressLine(sys.stderr) as line:
        return grade(source, benchmark, split, conditions, board=board.csv.stem, on_progress=line.training)


def _exit_code(entry: Entry, required: str | None, benchmark: Benchmark) -> int:
    if entry.status == "failed":
        return SubmissionError.exit_code
    if required and not benchmark.reaches(entry.scores[benchmark.metric].value, required):
        print(f"  below {required}, which --require asks for", file=sys.stderr)
        return BELOW_REQUIRED
    return 0
