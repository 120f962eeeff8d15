"""Search for a better recipe: many trainings, each judged by what it predicts for a part of the training people.

The first trial is the submission as it is. The search is over its own search_space(trial), or over the recipe's main
fields around their present values. Held-out faces are not used, and nothing is recorded. `grade --recipe` takes the
result.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.parsing import INTERRUPTED, duration, share, whole
from harness.cli.running import add_run_arguments, open_benchmark, read_recipe, run_conditions
from harness.errors import SubmissionError, UsageError
from harness.text import first_line, one_line, printable

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from harness.learning.recipe import Recipe
    from harness.studies.tuning import Tuner

EXAMPLES = """
  harness tune submissions/my_model.py --trials 30 --timeout 2h
  grade submissions/my_model.py --recipe my_model.recipe.json

  # The same command goes on where a study was left, here until 60 trials are finished:
  harness tune submissions/my_model.py --trials 60

  # Two processes on one study, each on a core of its own:
  taskset -c 0 harness tune submissions/my_model.py &
  taskset -c 1 harness tune submissions/my_model.py & wait
"""

_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness tune``."""
    parser.add_argument("submission", metavar="SUBMISSION", help="a file, a folder, or a baseline's name")
    parser.add_argument(
        "--trials", type=whole, default=30, metavar="N", help="stop when so many trials of the study are finished (30)"
    )
    parser.add_argument("--timeout", type=duration, metavar="2h", help="start no trial after this long")
    parser.add_argument("--study", type=Path, metavar="FILE", help="its file (studies/SUBMISSION-BENCHMARK.journal)")
    parser.add_argument(
        "--validation", type=share, default=0.2, metavar="SHARE", help="how much of the training faces judges (0.2)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the best (SUBMISSION.recipe.json)")
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run trials until there are enough, then write and print the best."""
    from harness.cli.outputs import try_folder, write
    from harness.studies.tuning import Task, Tuner
    from harness.submission.source import find_source

    source = find_source(arguments.submission)
    if not source.has_code:
        raise UsageError(f"{source.path}: a CSV of predictions has nothing to tune")
    out = arguments.out or Path(f"{source.name}.recipe.json")
    try_folder(out.parent)
    benchmark, split = open_benchmark(arguments)
    task = Task(source, split.training, split.fingerprint, arguments.validation, run_conditions(arguments, benchmark))
    tuner = Tuner(task, arguments.study or Path("studies") / f"{source.name}-{benchmark.name}.journal")
    try:
        _run_trials(tuner, arguments)
    except KeyboardInterrupt:
        print(f"interrupted; {tuner.journal} keeps the finished trials, the same command goes on", file=sys.stderr)
        return INTERRUPTED
    if not tuner.ranking:
        raise SubmissionError(f"{source.path}: none of {len(tuner.finished)} trials in {tuner.journal} is complete")
    given = read_recipe(arguments.recipe) if arguments.recipe else {}
    write(out, json.dumps(given | tuner.ranking[0].user_attrs["changes"], indent=2) + "\n")
    print(_result(tuner))
    print(printable(f"\n  grade {arguments.submission} --recipe {out}"))
    return 0


def _run_trials(tuner: Tuner, arguments: argparse.Namespace) -> None:
    from harness.reporting.progress import ProgressLine

    began = time.monotonic()
    print(f"{tuner.journal}: {len(tuner.finished)} of {arguments.trials} trials are finished", flush=True)
    while arguments.timeout is None or time.monotonic() - began < arguments.timeout:
        with ProgressLine(sys.stderr) as line:
            trial = tuner.run_trial(arguments.trials, line.training)
        if trial is None:
            break
        print(_line(trial), flush=True)


def _line(trial: FrozenTrial) -> str:
    """A trial's number, its outcome, how long it took and what it changed."""
    from harness.units import format_seconds

    if "reason" in trial.user_attrs:
        outcome = "failed"
    elif trial.state.name == "PRUNED":
        outcome = f"pruned at epoch {trial.last_step}"
    else:
        outcome = f"{trial.values[0]:.3f} px"
    seconds = format_seconds(trial.duration.total_seconds()) if trial.duration else ""
    changes = _settings(trial.user_attrs.get("changes", {})) or "as it is"
    if "reason" in trial.user_attrs:
        changes += f": {first_line(trial.user_attrs['reason'])}"
    return f"  {trial.number:>4}  {outcome:<19}{seconds:>11}   {one_line(changes)}"


def _result(tuner: Tuner) -> str:
    """The best trials, and the first of them as code."""
    from harness.learning.recipe import Recipe

    ranking = tuner.ranking
    lines = ["", f"The best of {len(tuner.finished)} trials, {len(ranking)} of them complete:", ""]
    lines += [_line(trial) for trial in ranking[:_SHOWN]]
    changes = ranking[0].user_attrs["changes"]
    in_recipe = {name: value for name, value in changes.items() if name in Recipe.__dataclass_fields__}
    in_model = {name: value for name, value in changes.items() if name not in in_recipe}
    lines += ["", f"  {_code(tuner.recipe.with_changes(**in_recipe))}"]
    lines += [f"  build_model: {_settings(in_model)}"] if in_model else []
    return printable("\n".join(lines))


def _code(recipe: Recipe) -> str:
    """A recipe as one writes it: the fields that differ from their default."""
    default = type(recipe)().as_dict()
    return f"recipe = Recipe({_settings({k: v for k, v in recipe.as_dict().items() if v != default[k]})})"


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
