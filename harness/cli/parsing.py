"""What the commands share: the parser, the arguments of a run, and how an error ends."""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from harness.errors import HarnessError, RecipeError, UsageError
from harness.units import format_bytes, parse_bytes, parse_seconds

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.datasets.faces import Split
    from harness.runs.conditions import Conditions
    from harness.runs.executors import Local

INTERRUPTED, CLOSED_PIPE = 130, 141
_RECIPE_FILE = '{"lr": 0.002, "rotation": 15}'


class Parser(argparse.ArgumentParser):
    """An argument parser whose help ends in examples, and whose errors are not the submission's fault (exit 2)."""

    def __init__(self, *, examples: str, **options: Any) -> None:
        super().__init__(**options, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.epilog = "examples:\n" + examples.strip("\n")
        self._intermixed = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; options may stand anywhere, also between arguments that may be repeated."""
        words = sys.argv[1:] if args is None else list(args)
        # argparse does so where it is asked to, and calls this method again for it; but it never asks the parser of a
        # subcommand, and it loses a "--" on the way.
        if self._intermixed or self._subparsers is not None or "--" in words:
            return super().parse_known_args(words, namespace)
        self._intermixed = True
        try:
            return self.parse_known_intermixed_args(words, namespace)
        finally:
            self._intermixed = False

    def error(self, message: str) -> NoReturn:
        """Print the usage and leave with the exit code of a usage error."""
        self.print_usage(sys.stderr)
        self.exit(UsageError.exit_code, f"{self.prog}: error: {message}\n")


class Version(argparse.Action):
    """--version: looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print it and leave."""
        from importlib.metadata import version

        print(f"{parser.prog} {version('facial-keypoint-harness')}")
        parser.exit()


def run(parser: Parser, argv: list[str] | None) -> int:
    """Parse, call the command's ``run`` and turn an error into a sentence and an exit code."""
    arguments = parser.parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        say("interrupted; nothing was recorded")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has seen enough. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except Exception as error:
        return report_error(error)
    return code


def report_error(error: Exception, about: str = "") -> int:
    """Say what went wrong, in a sentence; returns the exit code.

    Args:
        error: one of `harness.errors`, or any other, which is a fault of the harness.
        about: what it happened to, for a fault of the harness.
    """
    if isinstance(error, HarnessError):
        say(f"error: {error}")
        return error.exit_code
    say("".join(traceback.format_exception(error)))
    say(f"error: {about}{': ' if about else ''}the harness failed ({type(error).__name__}); please report it")
    return HarnessError.exit_code


def say(text: str) -> None:
    """Print to stderr. The words may be a submission's own, so they are made harmless."""
    from harness.reporting.console import plain  # imported late, as --help has no use for it

    print(plain(text), file=sys.stderr)


def duration(text: str) -> float:
    """An argument such as ``30m``, in seconds."""
    try:
        return parse_seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def size(text: str) -> int:
    """An argument such as ``8g``, in bytes."""
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def device(text: str) -> str:
    """An argument that names a device, as harness.learning.devices does, which would import torch here."""
    if not re.fullmatch("auto|cpu|mps|cuda(:[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a device; choose auto, cpu, mps, cuda, or cuda:1 and so on")
    return text


def whole(text: str) -> int:
    """An argument that counts from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def share(text: str) -> float:
    """An argument that is a share of the training faces, as much as a recipe may keep for validation."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 0.9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share of at most 0.9, such as 0.2")
    return value


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """--benchmark, --data and --held-out."""
    parser.add_argument(
        "--benchmark", default="rendered", metavar="NAME|CARD", help="a benchmark's name or its card (rendered)"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the data's files are (data/NAME)")
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="FILE",
        help="labelled faces in Kaggle's layout (.csv or .zip) to hold out, so that all others are learnt from",
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
        "--threads", type=whole, metavar="N", help="threads to compute with on the CPU (as suits the machine as it is)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="in place of the recipe's seed")
    parser.add_argument("--epochs", type=whole, metavar="N", help="in place of the recipe's epochs")
    parser.add_argument("--time-limit", type=duration, metavar="30m", help="for one submission (from the card)")
    parser.add_argument("--memory-limit", type=size, metavar="8g", help="for one submission (from the card)")
    # The names are those of harness.isolation.tiers.
    parser.add_argument(
        "--isolation",
        default="auto",
        choices=("auto", "landlock", "bwrap", "container", "none"),
        help="what keeps the submission from everything else (auto: the strongest default that holds here)",
    )


def open_benchmark(arguments: argparse.Namespace) -> tuple[Benchmark, Split]:
    """The benchmark of ``--benchmark`` and its faces."""
    from harness.benchmark import load_benchmark

    benchmark = load_benchmark(arguments.benchmark)
    return benchmark, open_faces(benchmark, arguments)


def open_faces(benchmark: Benchmark, arguments: argparse.Namespace) -> Split:
    """The faces of a benchmark, from ``--data`` and ``--held-out``, with a progress line while they are prepared."""
    from harness.datasets.opening import open_split
    from harness.reporting.progress import ProgressLine

    with ProgressLine(sys.stderr) as line:
        return open_split(
            benchmark,
            arguments.data,
            lambda done, total: line.count("rendering faces", done, total),
            arguments.held_out,
        )


def run_conditions(arguments: argparse.Namespace, benchmark: Benchmark, **more: Any) -> Conditions:
    """How ``--device``, ``--recipe``, ``--seed``, the limits and ``--isolation`` say that a submission is run."""
    from harness.isolation.limits import Limits
    from harness.isolation.tiers import choose
    from harness.places import prepared
    from harness.runs.conditions import Conditions

    board = getattr(arguments, "leaderboard", None)
    # What others predicted lies in the folder of kept runs.
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
        help="where each finished run is kept at once: the same command goes on from there, and does nothing twice"
        + (f" ({work})" if work else ""),
    )
    group.add_argument("--retry-failed", action="store_true", help="with --work: run again what failed before")


def make_executor(arguments: argparse.Namespace, conditions: Conditions) -> Local:
    """The executor that ``--jobs``, ``--work`` and ``--retry-failed`` ask for.

    Raises:
        MachineError: the folder of ``--work`` cannot be written.
    """
    import psutil

    from harness.runs.executors import Local
    from harness.runs.kept import KeptRuns

    slots = max(1, min(arguments.jobs, psutil.virtual_memory().total // conditions.limits.memory))
    if slots < arguments.jobs:
        say(
            f"running {slots} at a time, since each may use {format_bytes(conditions.limits.memory)} of memory; "
            "a lower --memory-limit lets more run"
        )
    store = arguments.work and KeptRuns(
        arguments.work, retry_failed=arguments.retry_failed, warn=lambda text: say(f"warning: {text}")
    )
    return Local(slots, store)


def read_recipe(path: Path) -> dict[str, Any]:
    """The changes in a file of ``--recipe``: a JSON object of recipe fields and keywords of ``build_model``.

    Raises:
        UsageError: it cannot be read, is no such object, or gives a recipe field an impossible value.
    """
    from harness.learning.recipe import Recipe

    try:
        changes = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; `harness tune` writes such files") from None
    except ValueError as error:
        raise UsageError(f"{path}: is not JSON ({error}); write an object such as {_RECIPE_FILE}") from None
    if not isinstance(changes, dict):
        raise UsageError(f"{path}: holds no JSON object; write one such as {_RECIPE_FILE}")
    for name, value in changes.items():
        try:
            if name in Recipe.__dataclass_fields__:  # other names are keywords, which only the submission knows
                Recipe.check_field(name, value)
            elif isinstance(value, dict | list):
                raise UsageError(f"{path}: key {name!r} is {value!r}; it must be a number, a text, true or false")
        except RecipeError as error:
            raise UsageError(f"{path}: {error}") from None
    return changes
