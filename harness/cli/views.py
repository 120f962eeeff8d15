"""The views that `grade` writes of what it graded, whatever comes in between: files, and GitHub's annotations."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from harness.cli.outputs import append, try_files, write
from harness.cli.parsing import report_error
from harness.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.grading.entry import Entry
    from harness.reporting.classroom50 import Handed
    from harness.reporting.outcomes import Outcome


def add_view_arguments(parser: argparse.ArgumentParser) -> None:
    """--junit, --markdown, --gradescope and --classroom."""
    group = parser.add_argument_group("what others read", "written on failure too")
    group.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML, a suite for each submission")
    group.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="write a report of less than 64 KB, such as for a comment; where FILE is $GITHUB_STEP_SUMMARY, it is "
        "added to what is there",
    )
    group.add_argument("--gradescope", type=Path, metavar="FILE", help="write Gradescope's results.json")
    group.add_argument("--classroom", type=Path, metavar="FILE", help="write Classroom 50's result.json")


class Views:
    """What came of each submission, written when the command ends, however it ends.

    Args:
        arguments: of `grade`.

    Raises:
        UsageError: a view of one submission is asked for, and there are several; or a variable of Classroom 50's runner
            is missing.
        MachineError: a file cannot be written.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._names: list[str] = list(arguments.submissions)
        self._results: dict[str, Entry | BaseException] = {}
        self._handed: Handed | None = None
        files = (arguments.junit, arguments.markdown, arguments.gradescope, arguments.classroom)
        try_files(*(path for path in files if path and not _is_step_summary(path)))
        for option in ("gradescope", "classroom"):
            if getattr(arguments, option) and (len(self._names) > 1 or arguments.course):
                raise UsageError(f"--{option} FILE goes with one submission; grade them one at a time")
        if arguments.classroom:
            from harness.reporting.classroom50 import Handed

            self._handed = Handed.over(os.environ)

    def check(self, benchmark: Benchmark) -> None:
        """Make sure that a card's points can be shown.

        Raises:
            UsageError: they cannot.
        """
        if self._handed:
            from harness.reporting.classroom50 import refuse_parts_of_points

            refuse_parts_of_points(benchmark.marks(None))

    def expect(self, names: list[str]) -> None:
        """Name the submissions that are graded, in the order in which they are shown; those known by now come last."""
        self._names = [*names, *self._results]

    def take(self, name: str, result: Entry | BaseException) -> None:
        """Note the entry of a submission, or why it has none."""
        self._results.setdefault(name, result)

    def __enter__(self) -> Views:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcomes = self._outcomes(error)
        problems: list[Exception] = []
        for path, text in self._files(outcomes):
            try:
                append(path, text()) if _is_step_summary(path) else write(path, text())
            except Exception as failed:  # one view must not lose the others
                problems.append(failed)
        if os.environ.get("GITHUB_ACTIONS"):
            from harness.reporting.annotations import workflow_commands

            print("\n".join(workflow_commands(outcomes)), flush=True)
        for problem in problems[error is None :]:
            report_error(problem)
        if problems and error is None:
            raise problems[0]

    def _outcomes(self, error: BaseException | None) -> list[Outcome]:
        from harness.reporting.outcomes import Fault

        results = {name: self._results.get(name, error or KeyboardInterrupt()) for name in self._names}
        return [
            Fault(name, _reason(result)) if isinstance(result, BaseException) else result
            for name, result in results.items()
        ]

    def _files(self, outcomes: list[Outcome]) -> Iterator[tuple[Path, Callable[[], str]]]:
        """Each file that is asked for, and what makes its content."""
        asked = self._arguments
        if asked.junit:
            from harness.reporting.junit import junit

            yield asked.junit, lambda: junit(outcomes, asked.require)
        if asked.markdown:
            from harness.reporting.markdown import markdown

            yield asked.markdown, lambda: markdown(outcomes)
        if asked.gradescope:
            from harness.reporting.gradescope import gradescope

            yield asked.gradescope, lambda: gradescope(outcomes[0])
        if asked.classroom and (handed := self._handed):
            from harness.reporting.classroom50 import classroom50

            yield asked.classroom, lambda: classroom50(outcomes[0], handed, datetime.now(UTC))


def _reason(error: BaseException) -> str:
    if isinstance(error, HarnessError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "the grading was interrupted before this was done"
    return f"the harness failed ({type(error).__name__}); please report it"


def _is_step_summary(path: Path) -> bool:
    named = os.environ.get("GITHUB_STEP_SUMMARY")
    return bool(named) and path.absolute() == Path(named or "").absolute()
