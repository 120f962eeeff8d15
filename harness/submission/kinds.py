"""The kinds of submission, each with the one function that opens it. None of them is run here.

To add a kind: write its opener, and put it into ``KINDS``.
"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import LoadError
from harness.folders import process_folder
from harness.submission.archives import unpack
from harness.submission.choosing import FOLDER_ENTRY, choose
from harness.submission.notebooks import read_notebook
from harness.submission.plain_files import MOST_BYTES, MOST_FILES, files_in, open_plain
from harness.submission.syntax import LONGEST_SOURCE, parsed
from harness.text import plain
from harness.units import format_bytes

_LONGEST_DESCRIPTION = 4000
_ZIP = ".zip"
_DEEPEST = 16
"""Folders of a submission in one another."""
_RUNS_ONNX = b"""from pathlib import Path

from harness.submission.onnx_model import OnnxModel


def build_estimator(layout, image_size):
    (path,) = Path(__file__).parent.glob("*.onnx")
    return OnnxModel(path, len(layout), image_size)
"""
_PICKLED = (".pt", ".pth", ".bin", ".ckpt")


@dataclass(frozen=True)
class Opened:
    """What a submission consists of.

    Attributes:
        name: what the leaderboard calls it.
        files: name in the worker's copy -> the file, or what the harness made of one.
        entry: the Python file to import, one of ``files``; None where there is no code to run.
        description: the beginning of the entry's docstring.
        remarks: what was left out or changed, a sentence each.
    """

    name: str
    files: Mapping[str, Path | bytes]
    entry: str | None = None
    description: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A form in which a submission may be handed in.

    Attributes:
        title: for messages.
        suffixes: of the file, in small letters; none for a folder.
        open: finds its files.
        has_code: whether there is something to train and run; a table of predictions is scored as it is.
    """

    title: str
    suffixes: tuple[str, ...]
    open: Callable[[Path], Opened]
    has_code: bool = True


def _open_folder(path: Path) -> Opened:
    if not (path / FOLDER_ENTRY).is_file():
        raise LoadError(f"{path}: has no {FOLDER_ENTRY}; a folder is a submission when that file is in it")
    files: dict[str, Path | bytes] = {
        str(file.relative_to(path)): file for file in sorted(files_in(path, deepest=_DEEPEST))
    }
    return Opened(path.resolve().name, files, FOLDER_ENTRY, _docstring(_tree_of(path / FOLDER_ENTRY, FOLDER_ENTRY)))


def _open_zip(path: Path) -> Opened:
    """What is in it, under the zip's name; it is unpacked for as long as this process lives."""
    folder = Path(tempfile.mkdtemp(dir=process_folder()))
    unpack(path, folder, most_files=MOST_FILES, most_bytes=MOST_BYTES)
    files = {str(file.relative_to(folder)): file for file in sorted(files_in(folder, deepest=_DEEPEST))}
    try:
        chosen = choose(files, UNZIPPED)
        kind = kind_of(chosen)
        if not kind.has_code:
            raise LoadError(f"{chosen.name} is {kind.title}; hand it in as it is, without a zip")
        return replace(kind.open(chosen), name=path.stem)
    except LoadError as error:
        raise LoadError(f"{path}: {error}") from error


def _open_python(path: Path) -> Opened:
    tree = _tree_of(path, path.name)
    entry = f"{path.stem}.py"
    return Opened(path.stem, {entry: path, **_weights_beside(path, tree)}, entry, _docstring(tree))


def _weights_beside(path: Path, tree: ast.Module | None) -> dict[str, Path | bytes]:
    """The weights that a single file asks for, if they are there."""
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
            f"or hand in a folder with {FOLDER_ENTRY} and all that it loads"
        )
    return {weights: path.parent / weights} if weights is not None and (path.parent / weights).is_file() else {}


def _open_notebook(path: Path) -> Opened:
    """Its Python, with the weights that lie beside it; what its cells showed is not taken along."""
    notebook = read_notebook(path)
    code, entry = notebook.code.encode(errors="replace"), f"{path.stem}.py"
    tree = parsed(code)
    description = _docstring(tree) or plain(notebook.about)[:_LONGEST_DESCRIPTION]
    return Opened(path.stem, {entry: code, **_weights_beside(path, tree)}, entry, description, notebook.remarks)


def _open_onnx(path: Path) -> Opened:
    """A model of another framework: no code of its author's runs, and nothing is trained."""
    return Opened(path.stem, {f"{path.stem}.onnx": path, "onnx_model.py": _RUNS_ONNX}, "onnx_model.py")


def _open_predictions(path: Path) -> Opened:
    return Opened(path.stem, {path.name: path})


KINDS = (
    Kind(f"a folder with {FOLDER_ENTRY}", (), _open_folder),
    Kind("a .py file", (".py",), _open_python),
    Kind("a notebook (.ipynb)", (".ipynb",), _open_notebook),
    Kind("a .zip of one of these", (_ZIP,), _open_zip),
    Kind("a model as .onnx", (".onnx",), _open_onnx),
    Kind("a .csv, .npy or .npz of predictions", (".csv", ".npy", ".npz"), _open_predictions, has_code=False),
)
SUFFIXES = tuple(suffix for kind in KINDS for suffix in kind.suffixes)
UNZIPPED = tuple(suffix for suffix in SUFFIXES if suffix != _ZIP)
"""Of files that are a submission as they are."""


def kind_of(path: Path) -> Kind:
    """The kind of the submission at this path.

    Raises:
        LoadError: the harness takes no such file.
    """
    for kind in KINDS:
        if path.is_file() and path.suffix.lower() in kind.suffixes if kind.suffixes else path.is_dir():
            return kind
    raise LoadError(f"{path}: is not a submission; hand in {forms()}")


def forms() -> str:
    """What may be handed in, for messages."""
    *most, last = (kind.title for kind in KINDS)
    return f"{', '.join(most)}, or {last}"


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


def _tree_of(file: Path, name: str) -> ast.Module | None:
    """The file's syntax tree; None where it does not parse, since the worker's message names the line."""
    if file.is_symlink():
        return None  # it will be refused, and what it leads to is not read
    with open_plain(file, name) as opened:
        text = opened.read(LONGEST_SOURCE + 1)
    if len(text) > LONGEST_SOURCE:
        raise LoadError(f"{file}: has more than {format_bytes(LONGEST_SOURCE)}; keep numbers in a data file beside it")
    return parsed(text)
