"""An exception as its author should see it: their own lines, and the one that raised it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from traceback import StackSummary, TracebackException

from harness.errors import HarnessError

_OURS = f"{Path(__file__).resolve().parents[1]}{os.sep}"


def trace_of(error: BaseException, submission: Path) -> str:
    """The traceback, with paths relative to the submission's folder; empty where the reason says all that there is.

    Lines of the harness are left out, and of those of libraries all but the last.
    """
    if isinstance(error, HarnessError) and error.__cause__ is not None:
        error = error.__cause__  # of which it is the explanation
    trace = TracebackException.from_exception(error)
    for each in _chain(trace):
        frames = [frame for frame in each.stack if not frame.filename.startswith((_OURS, "<frozen "))]
        each.stack = StackSummary.from_list(
            [frame for frame in frames if frame is frames[-1] or Path(frame.filename).is_relative_to(submission)]
        )
        for frame in each.stack:
            frame.filename = _short(frame.filename, submission)
        if isinstance(getattr(each, "filename", None), str):  # of a syntax error
            each.filename = _short(each.filename, submission)
    if isinstance(error, HarnessError) and not trace.stack:
        return ""
    return "".join(trace.format())


def _chain(trace: TracebackException) -> Iterator[TracebackException]:
    yield trace
    for other in (trace.__cause__, trace.__context__):
        if other is not None:
            yield from _chain(other)


def _short(file: str, submission: Path) -> str:
    path = Path(file)
    return str(path.relative_to(submission)) if path.is_relative_to(submission) else file
