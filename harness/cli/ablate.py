"""Measure what each trick is worth: grade a submission as it is, then once for each trick, with that one changed.

The tricks are the submission's own `variants`, or those of its recipe that can be switched off. Differences are paired:
each face is compared with itself, and intervals are over whole subjects. Nothing is recorded on a leaderboard.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.outputs import try_files, try_folder, write
from harness.cli.parsing import whole
from harness.cli.running import add_executor_arguments, add_run_arguments, make_executor, open_benchmark, run_conditions
from harness.errors import UsageError
from harness.text import first_line, one_line, printable, safe_cell

if TYPE_CHECKING:
    from harness.estimates import Estimate
    from harness.studies.ablation import Row

EXAMPLES = """
  harness ablate submissions/my_model.py
  harness ablate plain_cnn --seeds 3 --benchmark kaggle --data ~/facial-keypoints-detection

  # The same command goes on where it was left; each run can be compared with any other:
  harness compare my_model.ablation/flip=0-seed0-*.npz my_model.ablation/ema=0-seed0-*.npz
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness ablate``."""
    parser.add_argument("submission", metavar="SUBMISSION", help="a file, a folder, or a baseline's name")
    parser.add_argument("--seeds", type=whole, default=1, metavar="N", help="trainings of each trick (1)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the table as CSV (SUBMISSION.ablation.csv); without --work finished runs are kept in a folder beside it",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="the table as JSON")
    add_run_arguments(parser)
    add_executor_arguments(parser, work=None)


def run(arguments: argparse.Namespace) -> int:
    """Print and write the table, a row as soon as it is known."""
    from harness.reporting.progress import ProgressLine
    from harness.studies.ablation import Ablation
    from harness.submission.source import find_source

    source = find_source(arguments.submission)
    if not source.has_code:
        raise UsageError(f"{source.path}: a CSV of predictions has no tricks to change")
    out = arguments.out or Path(f"{source.name}.ablation.csv")
    if out.suffix != ".csv":
        raise UsageError(f"--out {out}: name a .csv file")
    benchmark, split = open_benchmark(arguments)
    try_files(arguments.json)
    try_folder(out.parent)
    arguments.work = arguments.work or out.with_suffix("")
    conditions = run_conditions(arguments, benchmark)
    ablation = Ablation(source, split, conditions, seeds=arguments.seeds)
    width = max(len("trick"), *map(len, ablation.tricks))
    print(f"  {'trick':<{width}}  {'mean pixel error':<21}  {'difference':<24}{'training':>12}", flush=True)
    rows: list[Row] = []
    with ProgressLine(sys.stderr) as line:
        for row in ablation.rows(make_executor(arguments, conditions), lambda _, event: line.listen(event)):
            rows.append(row)
            line.clear()
            print(_line(row, width), flush=True)
            write(out, _csv(rows, source.fingerprint, split.fingerprint))
    if arguments.json:
        write(arguments.json, json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    print(f"\n  Below 0 the change is an improvement. Intervals are 95 %, paired over subjects. Written to {out}.")
    return 0


def _line(row: Row, width: int) -> str:
    from harness.units import format_seconds

    trick = f"  {one_line(row.trick):<{width}}  "
    if row.error is None:
        return printable(f"{trick}failed: {first_line(row.reason or '')}")
    difference = _interval(row.difference, "+.3f") if row.difference else ""
    unclear = "  not significantly different" if row.difference and not row.difference.excludes_zero else ""
    return f"{trick}{_interval(row.error, '.3f')}  {difference:<24}{format_seconds(row.seconds):>12}{unclear}"


def _interval(estimate: Estimate, form: str) -> str:
    return f"{estimate.value:{form}}  [{estimate.low:{form}}, {estimate.high:{form}}]"


def _csv(rows: list[Row], source: str, data: str) -> str:
    """The table, with the beginnings of two fingerprints: a report of this very code on these faces shows it."""
    from harness.reporting.tricks import SHORT

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            "trick",
            *_columns("mean_pixel_error"),
            *_columns("difference"),
            "training_seconds",
            "reason",
            "source",
            "data",
        ]
    )
    for row in rows:
        figures = [*_cells(row.error), *_cells(row.difference), f"{row.seconds:.1f}"]
        writer.writerow([safe_cell(row.trick), *figures, safe_cell(row.reason or ""), source[:SHORT], data[:SHORT]])
    return text.getvalue()


def _columns(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def _cells(estimate: Estimate | None) -> list[str]:
    return [f"{value:.4f}" for value in (estimate.value, estimate.low, estimate.high)] if estimate else [""] * 3
