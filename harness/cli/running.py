"""What the commands that run submissions share: their arguments, the benchmark, the conditions, the executor."""

from __future__ import annotations

import argparse
import json
import math
import reprlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.parsing import device, duration, say, size, whole
from harness.errors import RecipeError, UsageError
from harness.files import read_regular
from harness.units import format_bytes

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.datasets.faces import Split
    from harness.runs.conditions import Conditions
    from harness.runs.executors import Local
    from harness.submission.source import Source

_LONGEST_RECIPE = 2**16
_RECIPE_FILE = '{"lr": 0.002, "rotation": 15}'


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """--benchmark, --data and --held-out."""
    parser.add_argument(
        "--benchmark", default="rendered", metavar="NAME|CARD", help="a benchmark's name or its card (rendered)"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR|FILE", help="where the data's files are, or a zip of them (data/NAME)"
    )
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="FILE",
        help="labelled faces to hold out, in the form of the benchmark's files, so that all others are learnt from",
    )


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """What decides how a submission is run."""
    add_data_arguments(parser)
    parser.add_argument(
        "--device",
        type=device,
        default="auto",
        metavar="NAME",
        help="where to train: cpu, mps, cuda, cuda:1, ... (auto)",
    )
    parser.add_argument(
        "--recipe", type=Path, metavar="FILE", help="changes to the submission, such as `harness tune` writes (JSON)"
    )
    parser.add_argument(
        "--threads", type=whole, metavar="N", help="threads to compute with on the CPU (chosen by the machine's load)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="instead of the recipe's seed")
    parser.add_argument("--epochs", type=whole, metavar="N", help="instead of the recipe's epochs")
    parser.add_argument("--time-limit", type=duration, metavar="30m", help="for one submission (from the card)")
    parser.add_argument("--memory-limit", type=size, metavar="8g", help="for one submission (from the card)")
    add_isolation_argument(parser)


def add_isolation_argument(parser: argparse._ActionsContainer) -> None:
    """``--isolation``; the names are those of `harness.isolation.tiers`."""
    parser.add_argument(
        "--isolation",
        default="auto",
        choices=("auto", "landlock", "bwrap", "container", "none"),
        help="what keeps the submission from everything else (auto: landlock)",
    )


def add_files_arguments(parser: argparse._ActionsContainer) -> None:
    """Where the faces are that an entry was scored on."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the data's files are (data/NAME)")
    parser.add_argument("--held-out", type=Path, metavar="FILE", help="the labelled faces that were held out")


def open_benchmark(arguments: argparse.Namespace) -> tuple[Benchmark, Split]:
    """The benchmark of ``--benchmark`` and its faces."""
    benchmark = load_card(arguments.benchmark)
    return benchmark, open_faces(benchmark, arguments)


def load_card(name_or_card: str | Path) -> Benchmark:
    """The benchmark of this name or card; says so where the card stands in for one that came with the harness."""
    from harness.benchmark import load_benchmark

    benchmark = load_benchmark(name_or_card)
    if benchmark.replaces_shipped:
        say(f"note: the card of {benchmark.name!r} is not the one that came with the harness")
    return benchmark


def open_faces(benchmark: Benchmark, arguments: argparse.Namespace) -> Split:
    """The faces of a benchmark, from ``--data`` and ``--held-out``, with a progress line while they are prepared."""
    from harness.datasets.opening import open_split
    from harness.reporting.progress import ProgressLine

    with ProgressLine(sys.stderr) as line:
        return open_split(
            benchmark,
            arguments.data,
            lambda done, total: line.count("preparing faces", done, total),
            arguments.held_out,
        )


def run_conditions(arguments: argparse.Namespace, benchmark: Benchmark, **more: Any) -> Conditions:
    """The conditions that ``--device``, ``--recipe``, ``--seed``, the limits and ``--isolation`` ask for."""
    from harness.isolation.limits import Limits
    from harness.isolation.tiers import choose
    from harness.places import prepared
    from harness.runs.conditions import Conditions

    board = getattr(arguments, "leaderboard", None)
    # The folder of kept runs holds what other submissions predicted.
    work = getattr(arguments, "work", None)
    held_out = (arguments.held_out, benchmark.held_out_file)
    secrets = (arguments.data, *held_out, prepared(benchmark.name), Path("data"), Path("submissions"), board, work)
    changes = read_recipe(arguments.recipe) if arguments.recipe else {}
    options = {name: getattr(arguments, name) for name in ("seed", "epochs")}
    limits = Limits(
        seconds=arguments.time_limit or benchmark.limits.time, memory=arguments.memory_limit or benchmark.limits.memory
    )
    return Conditions(
        device=arguments.device,
        overrides=changes | {name: value for name, value in options.items() if value is not None},
        limits=limits,
        tier=choose(arguments.isolation),
        threads=arguments.threads,
        secrets=tuple(path for path in secrets if path is not None),
        asked_while_training=benchmark.submission.held_out_images == "during",
        **more,
    )


def add_executor_arguments(parser: argparse.ArgumentParser, work: Path | None) -> None:
    """--jobs, --work and --retry-failed: how many runs at a time, and where finished ones are kept."""
    group = parser.add_argument_group("many runs")
    group.add_argument(
        "--jobs", type=whole, default=1, metavar="N", help="runs at a time; cores are divided between them (1)"
    )
    group.add_argument(
        "--work",
        type=Path,
        default=work,
        metavar="DIR",
        help="keep each finished run here; the same command, given again, goes on where it stopped"
        + (f" ({work})" if work else ""),
    )
    group.add_argument("--retry-failed", action="store_true", help="with --work: run again what failed")


def make_executor(arguments: argparse.Namespace, conditions: Conditions) -> Local:
    """The executor that ``--jobs``, ``--work`` and ``--retry-failed`` ask for.

    Raises:
        MachineError: the folder of ``--work`` cannot be written.
    """
    import psutil

    from harness.isolation.limits import usable_cores
    from harness.runs.executors import Local
    from harness.runs.kept import KeptRuns

    cores = usable_cores() // (conditions.threads or 1)
    fit = psutil.virtual_memory().total // conditions.limits.memory
    slots = max(1, min(arguments.jobs, cores, fit))
    if slots < arguments.jobs:
        memory = f"each may use {format_bytes(conditions.limits.memory)} of memory, and --memory-limit can lower that"
        why = f"there are {usable_cores()} cores" if slots == max(1, cores) else memory
        say(f"running {slots} at a time: {why}")
    store = arguments.work and KeptRuns(
        arguments.work, retry_failed=arguments.retry_failed, warn=lambda text: say(f"warning: {text}")
    )
    return Local(slots, store)


def located(source: Source, reason: str | None) -> str:
    """The reason why a submission failed, with its path in front; one that begins with a file's name names it once."""
    reason = reason or ""
    for name in source.files or ():
        if reason.startswith((f"{name}, ", f"{name}: ", f"{name} ")):
            return f"{source.path / name if source.path.is_dir() else source.path}{reason.removeprefix(name)}"
    return f"{source.path}: {reason}"


@contextmanager
def stopped_by_signals(executor: Local) -> Iterator[list[int]]:
    """Have Ctrl-C, TERM or HUP stop the runs: what is finished is still kept, recorded and written.

    A second one ends the command at once; one that is ignored, as under nohup, stays so.

    Yields:
        the signals that came.
    """
    import signal

    came: list[int] = []
    numbers = [signal.Signals[each] for each in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, each)]
    before = {each: signal.getsignal(each) for each in numbers if signal.getsignal(each) != signal.SIG_IGN}

    def stop(number: int, _: object) -> None:
        came.append(number)
        signal.signal(number, before[signal.Signals(number)])
        executor.stop()

    for each in before:
        signal.signal(each, stop)
    try:
        yield came
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def read_recipe(path: Path) -> dict[str, Any]:
    """The changes in a file of ``--recipe``: a JSON object of recipe fields and keywords of ``build_model``.

    Raises:
        UsageError: it cannot be read, is not such an object, or gives a recipe field an impossible value.
    """
    from harness.learning.recipe import Recipe

    try:
        changes = json.loads(read_regular(path, _LONGEST_RECIPE))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; `harness tune` writes such files") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not JSON ({error}); write an object such as {_RECIPE_FILE}") from None
    if not isinstance(changes, dict):
        raise UsageError(f"{path}: does not hold a JSON object; write one such as {_RECIPE_FILE}")
    for name, value in changes.items():
        try:
            if name in Recipe.__dataclass_fields__:  # other names are keywords, which only the submission knows
                Recipe.check_field(name, value)
            elif isinstance(value, dict | list):
                shown = reprlib.repr(value)
                raise UsageError(f"{path}: key {name!r} is {shown}; it must be a number, a string, true or false")
            elif isinstance(value, float) and not math.isfinite(value):
                raise UsageError(f"{path}: key {name!r} is {value}; it must be a finite number")
        except RecipeError as error:
            raise UsageError(f"{path}: {error}") from None
    return changes
