"""The kinds of submission, each with the one function that opens it. None of them is run here.

To add a kind (a zip, a notebook, an .onnx file): write its opener, and put it into ``KINDS``.
"""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LoadError
from harness.submission.plain_files import open_plain
from harness.text import plain
from harness.units import format_bytes

_FOLDER_ENTRY = "submission.py"
_LONGEST_SOURCE = 2**18
"""Bytes of a Python file; a syntax tree takes a thousand times as many."""
_MOST_FILES = 2000
_DEEPEST = 16
_LONGEST_DESCRIPTION = 4000
_PICKLED = (".pt", ".pth", ".bin", ".ckpt")


@dataclass(frozen=True)
class Opened:
    """What a submission consists of.

    Attributes:
        name: what the leaderboard calls it.
        files: name in the worker's copy -> the file.
        entry: the Python file to import, one of ``files``; None where there is no code to run.
        description: the beginning of the entry's docstring.
    """

    name: str
    files: Mapping[str, Path]
    entry: str | None = None
    description: str = ""


@dataclass(frozen=True)
class Kind:
    """A form in which a submission may be handed in.

    Attributes:
        title: for messages.
        takes: whether a path is of this kind.
        open: finds its files.
        has_code: whether there is something to train and run; a table of predictions is scored as it is.
    """

    title: str
    takes: Callable[[Path], bool]
    open: Callable[[Path], Opened]
    has_code: bool = True


def _open_folder(path: Path) -> Opened:
    if not (path / _FOLDER_ENTRY).is_file():
        raise LoadError(f"{path}: has no {_FOLDER_ENTRY}; a folder is a submission when that file is in it")
    files = {str(file.relative_to(path)): file for file in sorted(_files_in(path))}
    return Opened(path.resolve().name, files, _FOLDER_ENTRY, _docstring(_parsed(path / _FOLDER_ENTRY, _FOLDER_ENTRY)))


def _files_in(folder: Path) -> Iterator[Path]:
    """The files of a submission in a folder. What is hidden, and what Python compiled, is left out."""
    waiting, count = [(folder, 0)], 0
    while waiting:
        here, depth = waiting.pop()
        if depth > _DEEPEST:
            raise LoadError(f"{folder}: has folders in more than {_DEEPEST} others; keep its files closer to the top")
        with os.scandir(here) as inside:
            for found in inside:
                if found.name.startswith((".", "__pycache__")):
                    continue
                if count >= _MOST_FILES:
                    raise LoadError(f"{folder}: has more than {_MOST_FILES:,} files; keep only what is needed")
                count += 1
                if found.is_dir(follow_symlinks=False):
                    waiting.append((Path(found), depth + 1))
                elif found.is_file() or found.is_symlink():
                    # What is neither is a device or a pipe; a link is kept here, to be refused with a reason.
                    yield Path(found)


def _open_python(path: Path) -> Opened:
    files = {path.name: path}
    tree = _parsed(path, path.name)
    weights, own = _weights(tree), f"{path.stem}.safetensors"
    if weights is not None and weights != own:
        # Whatever else lies there may be somebody else's.
        how = (
            'convert them (python -c "import torch, safetensors.torch as s; '
            f's.save_file(torch.load({weights!r}, weights_only=True), {own!r})")'
            if weights.endswith(_PICKLED)
            else "rename the weights"
        )
        raise LoadError(
            f"{path}: weights = {weights!r}, and a single file loads only {own!r} from beside it; {how}, "
            f"or hand in a folder with {_FOLDER_ENTRY} and all that it loads"
        )
    if weights is not None and (path.parent / weights).is_file():
        files[weights] = path.parent / weights
    return Opened(path.stem, files, path.name, _docstring(tree))


def _open_predictions(path: Path) -> Opened:
    return Opened(path.stem, {path.name: path})


KINDS = (
    Kind(f"a folder with {_FOLDER_ENTRY}", Path.is_dir, _open_folder),
    Kind("a .py file", lambda path: path.suffix == ".py" and path.is_file(), _open_python),
    Kind(
        "a .csv, .npy or .npz of predictions",
        lambda path: path.suffix.lower() in (".csv", ".npy", ".npz") and path.is_file(),
        _open_predictions,
        has_code=False,
    ),
)


def kind_of(path: Path) -> Kind:
    """The kind of the submission at this path.

    Raises:
        LoadError: the harness takes no such file.
    """
    for kind in KINDS:
        if kind.takes(path):
            return kind
    *most, last = (kind.title for kind in KINDS)
    raise LoadError(f"{path}: is not a submission; hand in {', '.join(most)}, or {last}")


def _docstring(tree: ast.Module | None) -> str:
    return plain((ast.get_docstring(tree) or "") if tree else "")[:_LONGEST_DESCRIPTION]


def _weights(tree: ast.Module | None) -> str | None:
    """The text that a top-level ``weights = "..."`` assigns, if any."""
    for node in tree.body if tree else ():
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if (
            any(isinstance(target, ast.Name) and target.id == "weights" for target in targets)
            and isinstance(value, ast.Constant)
            and isinstance(value.value, str)
        ):
            return value.value
    return None


def _parsed(file: Path, name: str) -> ast.Module | None:
    """The file's syntax tree; None where it does not parse, since the worker's message names the line."""
    if file.is_symlink():
        return None  # it will be refused, and what it leads to is not read
    with open_plain(file, name) as opened:
        text = opened.read(_LONGEST_SOURCE + 1)
    if len(text) > _LONGEST_SOURCE:
        raise LoadError(f"{file}: has more than {format_bytes(_LONGEST_SOURCE)}; keep numbers in a data file beside it")
    try:
        with warnings.catch_warnings():  # about its style, which would be printed
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
