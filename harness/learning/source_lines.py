"""Where in a submission something comes from, for messages: ``my_model.py, line 12, in forward``."""

from __future__ import annotations

import functools
import inspect
import traceback
from pathlib import Path
from types import CodeType
from typing import Any


def origin(error: BaseException, folder: Path) -> str:
    """The line of a submission's folder from which an exception came; empty if it came from outside the folder."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if folder in Path(frame.filename).parents]
    if isinstance(error, SyntaxError) and error.filename and folder in Path(error.filename).parents:
        return f"{Path(error.filename).name}, line {error.lineno}"
    if not frames:
        return ""
    last = frames[-1]
    return described(Path(last.filename), last.lineno, last.name, folder)


def where_it_returns(function: object, folder: Path | None = None) -> str:
    """The last line of a Python function, followed by a colon and a blank; empty for what was not written in Python.

    Args:
        function: a function, a method, or a partial of one.
        folder: that its file must lie in; its own folder if None.
    """
    code = _code(function)
    if code is None or not Path(code.co_filename).is_absolute():
        return ""
    file = Path(code.co_filename)
    folder = file.parent if folder is None else folder
    if folder not in file.parents:
        return ""
    last = max(line for *_, line in code.co_lines() if line is not None)
    return f"{described(file, last, code.co_name, folder)}: "


def where_made(model: object, build_model: object) -> str:
    """The line of a submission that makes what a model emits: the end of its ``forward`` or, where that is torch's own,
    of ``build_model``.
    """
    builder = _code(build_model)
    if builder is None:
        return ""
    folder = Path(builder.co_filename).parent
    return where_it_returns(getattr(type(model), "forward", None), folder) or where_it_returns(build_model)


def described(file: Path, line: int | None, function: str, folder: Path) -> str:
    """A line of a file as messages name it."""
    inside = "" if function == "<module>" else f", in {function}"
    return f"{file.relative_to(folder)}, line {line}{inside}"


def _code(function: Any) -> CodeType | None:
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    return code if isinstance(code, CodeType) else None
