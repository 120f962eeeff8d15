"""A notebook becomes a Python file: its tagged cells, or else what the contract's names need. Nothing of it is run."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LoadError
from harness.files import read_regular

TAG = "submission"
_LARGEST = 2**26
"""Bytes: pictures that cells have drawn are kept in a notebook too."""
_MOST_CODE, _MOST_REMARKS = 2**18, 20
_CONTRACT = {
    "build_model",
    "build_estimator",
    "recipe",
    "codec",
    "augment",
    "loss",
    "weights",
    "variants",
    "search_space",
}
_MAGIC = re.compile(r"(?P<indent>\s*)(?P<magic>[%!?].*|\S+\?{1,2}\s*)")


@dataclass(frozen=True)
class Notebook:
    """What is taken of a notebook.

    Attributes:
        code: Python; each cell's part begins with a comment that says where it stood.
        about: the first text cell.
        remarks: what was left out, a sentence each.
    """

    code: str
    about: str
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class _Cell:
    number: int
    lines: list[str]
    tagged: bool


def read_notebook(path: Path) -> Notebook:
    """The Python of a notebook.

    Raises:
        LoadError: it is not a notebook, holds too much code, or a tagged cell is not Python.
    """
    about, cells = _cells(path)
    tagged = [cell for cell in cells if cell.tagged]
    remarks: list[str] = []
    parts = [_python(path, cell, remarks) for cell in tagged or cells if not _is_other_language(path, cell)]
    code = "\n\n".join(parts) + "\n"
    if len(code.encode(errors="replace")) > _MOST_CODE:
        raise LoadError(f"{path}: holds too much code; tag the cells that are the submission with {TAG!r}")
    return Notebook(code if tagged else _needed(path, code), about, tuple(remarks[:_MOST_REMARKS]))


def _cells(path: Path) -> tuple[str, list[_Cell]]:
    """The first text and the code cells. Of the format, nbformat 4, no more is needed than these keys."""
    try:
        content = json.loads(read_regular(path, _LARGEST))
        if content["nbformat"] < 4:
            raise LoadError(f"{path}: is a notebook of format {content['nbformat']}; save it with a newer Jupyter")
        texts = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "markdown"]
        code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
        return "".join(texts[:1]), [
            _Cell(number, "".join(cell["source"]).splitlines(), TAG in cell.get("metadata", {}).get("tags", []))
            for number, cell in enumerate(code, 1)
        ]
    except OSError as error:
        raise LoadError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LoadError(f"{path}: is not a notebook that Jupyter could open; save it anew") from error


def _is_other_language(path: Path, cell: _Cell) -> bool:
    """Whether a cell begins with ``%%``, which makes it anything but Python; a tagged one may not."""
    first = next((line for line in cell.lines if line.strip()), "")
    if first.startswith("%%") and cell.tagged:
        raise LoadError(
            f"{path}, code cell {cell.number}: begins with {first.split()[0]}; take off the tag or that line"
        )
    return first.startswith("%%")


def _python(path: Path, cell: _Cell, remarks: list[str]) -> str:
    lines = [f"# {path.name}, code cell {cell.number}"]
    for line in cell.lines:
        if match := _MAGIC.fullmatch(line):
            remarks.append(f"{path.name}, code cell {cell.number}: left out {match['magic'].strip()!r}")
            lines.append(f"{match['indent']}pass  # {match['magic']}")
        else:
            lines.append(line)
    return "\n".join(lines)


def _needed(path: Path, code: str) -> str:
    """The top-level statements that the contract's names need, directly or through others; comments go with them."""
    try:
        statements = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code  # the worker's message names the line
    wanted = set(_CONTRACT)
    kept: set[int] = set()
    grown = True
    while grown:
        grown = False
        for number, statement in enumerate(statements):
            if number not in kept and not wanted.isdisjoint(_defined(statement)):
                kept.add(number)
                wanted |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
                grown = True
    lines = code.split("\n")
    spans = [range(_first(statements[number]) - 1, statements[number].end_lineno or 0) for number in sorted(kept)]
    taken = {line for span in spans for line in span} | {n for n, line in enumerate(lines) if _is_heading(line, path)}
    return "\n".join(line for number, line in enumerate(lines) if number in taken) + "\n"


def _is_heading(line: str, path: Path) -> bool:
    return line.startswith(f"# {path.name}, code cell ")


def _first(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return int(min([statement.lineno, *(each.lineno for each in decorators)]))


def _defined(statement: ast.stmt | ast.ExceptHandler) -> Iterator[str]:
    """The names that a statement gives a value."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            # What a star brings is not known, so it counts as needed.
            yield "build_model" if alias.name == "*" else alias.asname or alias.name.split(".")[0]
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
    elif isinstance(statement, ast.If | ast.Try | ast.With | ast.ExceptHandler):
        for inner in ast.iter_child_nodes(statement):
            if isinstance(inner, ast.stmt | ast.ExceptHandler):
                yield from _defined(inner)
