"""Grade submissions: train each away from the answers, score it on held-out faces, record it on the leaderboard.

A submission is a Python file (or a folder with submission.py) that keeps the contract of submissions/README.md, a CSV
of predictions, or the name of a baseline.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.grade_class import add_class_arguments, open_course
from harness.cli.outputs import try_files, try_folder, write
from harness.cli.parsing import INTERRUPTED, Parser, Version, report_error, say, show, whole
from harness.cli.parsing import run as run_command
from harness.cli.recording import add_recording_arguments, keep, open_board
from harness.cli.running import (
    add_executor_arguments,
    add_run_arguments,
    make_executor,
    open_benchmark,
    run_conditions,
    stopped_by_signals,
)
from harness.cli.views import Views, add_view_arguments
from harness.errors import SubmissionError, UsageError

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.board.leaderboard import Leaderboard
    from harness.cli.grade_class import Course
    from harness.datasets.faces import Split
    from harness.grading.entry import Entry
    from harness.grading.grade import Graded
    from harness.runs.conditions import Conditions
    from harness.submission.source import Source

EXAMPLES = """
  grade submissions/example.py
  grade submissions/example.py --benchmark kaggle --data ~/facial-keypoints-detection
  grade submissions/my_model.py --seeds 5 --jobs 2 --work runs    # one training's luck does not decide
  grade submissions/my_model.py --require very_good --no-record   # in CI: exit code 1 below the band

  # A whole class, two at a time; the same command goes on where it was interrupted:
  grade --class moodle.zip --roster worksheet.csv --jobs 2 --work grading --time-limit 10m --out reports

  # What others read, written on failure too:
  grade submissions/my_model.py --junit junit.xml --markdown "$GITHUB_STEP_SUMMARY"
  grade /autograder/submission --benchmark card.toml --gradescope /autograder/results/results.json

exit code:
  0 graded   1 graded, below --require   2 the submission's fault   3 the harness's, the data's or the machine's
"""

BELOW_REQUIRED = 1


def main(argv: list[str] | None = None) -> int:
    """Entry point of the ``grade`` command; returns the exit code."""
    parser = Parser(prog="grade", description=__doc__, examples=EXAMPLES)
    parser.add_argument("--version", action=Version, nargs=0, help="print the version and exit")
    parser.add_argument("submissions", nargs="+", metavar="SUBMISSION", help="a file, a folder, or a baseline's name")
    parser.add_argument(
        "--author",
        metavar="NAME",
        help="who handed in (without it, where two submissions have the same name: the names of their folders)",
    )
    add_class_arguments(parser)
    add_run_arguments(parser)
    parser.add_argument(
        "--require-isolation",
        choices=("landlock", "container", "bwrap"),
        help="refuse to grade behind anything weaker",
    )
    parser.add_argument(
        "--seeds",
        type=whole,
        metavar="N",
        help="train N times, with seeds from --seed (0) on, and score the mean (from the card, or once)",
    )
    add_executor_arguments(parser, work=None)
    kept = add_recording_arguments(parser)
    kept.add_argument("--save-weights", type=Path, metavar="FILE", help="write the trained weights (.safetensors)")
    kept.add_argument(
        "--require", choices=("ok", "very_good", "outstanding"), help="exit with 1 when the band is not reached"
    )
    add_view_arguments(parser)
    parser.set_defaults(run=run)
    return run_command(parser, argv)


def run(arguments: argparse.Namespace) -> int:
    """Grade every submission; one that fails does not stop the others."""
    with Views(arguments) as views:
        return _run(arguments, views)


def _run(arguments: argparse.Namespace, views: Views) -> int:
    from harness.isolation.tiers import require

    try_files(arguments.json, arguments.save_weights)
    if arguments.save_weights and (len(arguments.submissions) > 1 or arguments.course):
        raise UsageError("--save-weights FILE goes with one submission; grade them one at a time")
    with open_course(arguments) as course:
        sources, codes = (course.sources, []) if course else _find(arguments, views)
        views.expect([source.label for source in sources])
        try_folder(arguments.out)
        benchmark, split = open_benchmark(arguments)
        views.check(benchmark)
        board = open_board(arguments, benchmark, split)
        seeds = _seeds(arguments, benchmark)
        conditions = run_conditions(arguments, benchmark, save_weights=arguments.save_weights is not None, seeds=seeds)
        if arguments.require_isolation:
            require(conditions.tier, arguments.require_isolation)
        if arguments.save_weights:
            for source in sources:
                _refuse_without_weights(source, split, conditions)
        return _grade(sources, codes, arguments, benchmark, split, conditions, board, views, course)


def _find(arguments: argparse.Namespace, views: Views) -> tuple[list[Source], list[int]]:
    """The submissions, and an exit code for each that the harness itself failed on."""
    from harness.submission.source import find_or_refuse, name_authors

    sources, codes = [], []
    for submission in arguments.submissions:
        try:
            sources.append(find_or_refuse(submission))
        except Exception as error:
            codes.append(report_error(error, submission))
            views.take(submission, error)
    return name_authors(sources, arguments.author), codes


def _seeds(arguments: argparse.Namespace, benchmark: Benchmark) -> int:
    """How often each submission is trained."""
    from harness.card_values import MOST_SEEDS

    seeds: int = arguments.seeds or benchmark.seeds
    if seeds > MOST_SEEDS:
        raise UsageError(f"--seeds {seeds}: a submission is trained at most {MOST_SEEDS} times")
    if seeds > 1 and arguments.save_weights:
        raise UsageError(f"--save-weights goes with one training, and this is {seeds}; say --seeds 1")
    return seeds


def _grade(
    sources: Sequence[Source],
    codes: list[int],
    arguments: argparse.Namespace,
    benchmark: Benchmark,
    split: Split,
    conditions: Conditions,
    board: Leaderboard,
    views: Views,
    course: Course | None,
) -> int:
    """Grade, record and report each; then write all entries and print a summary. Returns the exit code."""
    from harness.grading.grade import grade_all
    from harness.reporting.batch import BatchDisplay

    several = len(arguments.submissions) > 1 or course is not None
    entries: dict[str, Entry] = {}

    def take(source: Source, graded: Graded | Exception) -> int:
        try:
            if isinstance(graded, Exception):
                raise graded
            entries[source.label] = graded.entry
            views.take(source.label, graded.entry)
            if arguments.save_weights and graded.weights is not None:
                write(arguments.save_weights, graded.weights)
            entries[source.label] = keep(graded, benchmark, board, arguments, split, brief=several)
            return _exit_code(graded.entry, arguments.require, benchmark)
        except Exception as error:
            # Whatever fails in one grading must not lose the others.
            views.take(source.label, error)
            return report_error(error, source.label)

    executor = make_executor(arguments, conditions)
    with stopped_by_signals(executor) as signals, BatchDisplay(sys.stderr, len(sources)) as display:
        grading = grade_all(
            sources,
            benchmark,
            split,
            conditions,
            executor,
            board=board.name,
            listen=display.listen,
            on_training=display.trained,
        )
        with closing(grading):
            for source, graded in grading:
                display.finished(source.label)
                codes.append(take(source, graded))
    ordered = [entries[source.label] for source in sources if source.label in entries]
    if arguments.json and ordered:
        records = [json.loads(entry.to_json()) for entry in ordered]
        write(arguments.json, json.dumps(records if several else records[0], indent=2) + "\n")
    if course:
        course.write(entries)
    if several:
        show(display.summary(ordered))
    if signals:
        say(_how_to_go_on(len(ordered), len(sources), arguments))
        return INTERRUPTED
    return max(codes, default=0)


def _refuse_without_weights(source: Source, split: Split, conditions: Conditions) -> None:
    """Refuse before training a submission that will have no weights to save.

    Raises:
        UsageError: the submission has no weights of its own to save.
    """
    from harness.grading.asking import material_for, sampled_rows
    from harness.runs.executors import Local, ask_facts
    from harness.runs.job import Job

    saves = False
    if source.has_code:
        material = material_for(split, sampled_rows(split.training), brought=source.brings_data)
        try:
            saves = ask_facts(Job(source.label, source.pack(), material, conditions), Local()).facts.can_save_weights
        except SubmissionError:
            return  # grading will fail, too, and say why
    if not saves:
        raise UsageError(
            f"--save-weights: {source.path} has no weights of one network to save; only a submission with build_model "
            "does. Leave --save-weights out"
        )


def _how_to_go_on(done: int, total: int, arguments: argparse.Namespace) -> str:
    kept = "graded" if arguments.no_record else "graded and recorded"
    how = (
        "the same command goes on from there"
        if arguments.work
        else "with --work DIR the same command would go on where it stopped"
    )
    return f"interrupted; {done} of {total} submissions were {kept}; {how}"


def _exit_code(entry: Entry, required: str | None, benchmark: Benchmark) -> int:
    if entry.status == "failed":
        return SubmissionError.exit_code
    if required and not benchmark.reaches(entry.scores[benchmark.metric].value, required):
        say(f"  below {required}, which --require asks for")
        return BELOW_REQUIRED
    return 0
