"""Which of several files is the submission."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import LoadError
from harness.files import read_regular
from harness.places import shipped
from harness.submission.syntax import BUILDERS, LONGEST_SOURCE, parsed

FOLDER_ENTRY = "submission.py"


def choose(files: Mapping[str, Path], suffixes: Sequence[str]) -> Path:
    """The submission among files by their names: a folder with submission.py, or one file.

    A Python file that builds a model goes before others, and the example of the harness counts only alone.

    Args:
        files: all that there are.
        suffixes: of files that are a submission by themselves.

    Raises:
        LoadError: there is none, or there are several.
    """
    folders = [path.parent for path in files.values() if path.name == FOLDER_ENTRY]
    if folders:
        return min(folders, key=lambda folder: len(folder.parts))
    taken = [name for name, path in files.items() if path.suffix.lower() in suffixes]
    example = _text(shipped("submissions") / "example.py")
    own = [name for name in taken if _text(files[name]) != example] or taken
    candidates = [name for name in own if _builds(files[name])] or own
    if len(candidates) == 1:
        return files[candidates[0]]
    if candidates:
        raise LoadError(f"there are several submissions: {_listed(candidates)}; hand in one")
    raise LoadError(
        f"no file of these is a submission: {_listed(list(files))}; hand in one that ends in {', '.join(suffixes)}, "
        f"or a folder or zip with {FOLDER_ENTRY}"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _text(path: Path) -> bytes:
    try:
        return read_regular(path, LONGEST_SOURCE)
    except OSError:
        return b""


def _builds(path: Path) -> bool:
    """Whether a Python file defines what the contract asks for."""
    tree = parsed(_text(path)) if path.suffix.lower() == ".py" else None
    return any(isinstance(node, ast.FunctionDef) and node.name in BUILDERS for node in (tree.body if tree else ()))
