"""A table at the end of a run of this folder: each check, what came of it, and the figure that it measured."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    yield  # pytest's own summary comes first
    asked = [Path(argument.partition("::")[0]).resolve() for argument in terminalreporter.config.args]
    if not any(path.is_relative_to(_HERE) for path in asked):
        return
    rows = {}
    for outcome in _OUTCOMES:
        for report in terminalreporter.stats.get(outcome, []):
            folder, _, name = report.nodeid.rpartition("/")
            if folder.endswith("tests/gpu"):
                figure = dict(report.user_properties).get("figure", "")
                rows[name.removeprefix("test_").replace(".py::test_", ": ").replace("_", " ")] = (
                    outcome,
                    report.duration,
                    figure,
                )
    terminalreporter.section("checks on the GPU")
    width = max(map(len, rows), default=0)
    for name, (outcome, seconds, figure) in sorted(rows.items()):
        terminalreporter.line(f"{name:<{width}}  {outcome:<8}{seconds:6.1f} s  {figure}".rstrip())
