"""Source: the files of a submission, found and copied without running any of it."""

from __future__ import annotations

import ast
import difflib
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LoadError
from harness.places import shipped
from harness.units import format_bytes

_FOLDER_ENTRY = "submission.py"
_MOST_FILES = 2000
_MOST_BYTES = 2**30
_LONGEST_SOURCE = 2**20
_LONGEST_DESCRIPTION = 4000


@dataclass(frozen=True)
class Source:
    """What a competitor handed in.

    Attributes:
        path: as it was found.
        name: what the leaderboard calls it.
        entry: the Python file to import, relative to the copy; None for a CSV of predictions.
        files: name in the copy -> the file.
        description: the beginning of the entry's docstring.
        fingerprint: sha256 over the files' names and bytes.
    """

    path: Path
    name: str
    entry: str | None
    files: Mapping[str, Path]
    description: str
    fingerprint: str

    def copy_to(self, folder: Path) -> None:
        """Copy the files, and nothing that lies beside them."""
        for name, file in self.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


def find_source(submission: str | Path) -> Source:
    """The submission at this path, or the baseline of this name.

    Raises:
        LoadError: there is none, or it is of a kind that the harness does not take.
    """
    path = _locate(str(submission))
    if not (path.is_file() or path.is_dir()):
        raise LoadError(f"{path}: is a pipe or a device, which could be waited for without end; name a plain file")
    if path.is_dir():
        if not (path / _FOLDER_ENTRY).is_file():
            raise LoadError(f"{path}: has no {_FOLDER_ENTRY}; a folder is a submission when that file is in it")
        files = {
            str(file.relative_to(path)): file
            for file in sorted(path.rglob("*"))
            # What is neither is a device or a pipe; a link is kept here, to be refused with a reason.
            if (file.is_file() or file.is_symlink())
            and not any(part.startswith((".", "__pycache__")) for part in file.relative_to(path).parts)
        }
        return _source(path, path.resolve().name, _FOLDER_ENTRY, files)
    if path.suffix == ".py":
        files = {path.name: path}
        weights = _weights(path)
        if weights is not None and (path.parent / weights).is_file():
            files[weights] = path.parent / weights
        return _source(path, path.stem, path.name, files)
    if path.suffix == ".csv":
        return _source(path, path.stem, None, {path.name: path})
    raise LoadError(f"{path}: a submission is a .py file, a folder with {_FOLDER_ENTRY}, or a .csv of predictions")


def baselines() -> dict[str, Path]:
    """Name -> file of each baseline that came with the harness."""
    return {path.stem: path for path in sorted(shipped("baselines").glob("[a-z]*.py"))}


def _locate(submission: str) -> Path:
    path = Path(submission)
    if path.exists():
        return path
    if baseline := baselines().get(submission):
        return baseline
    near = [
        str(file)
        for file in path.parent.glob("*.py")
        if difflib.SequenceMatcher(None, file.stem, path.stem).ratio() > 0.6
    ]
    raise LoadError(
        f"{submission}: there is no such file"
        + (f"; did you mean {near[0]}?" if near else "")
        + " (`harness new NAME` writes a submission that runs as it stands)"
    )


def _source(path: Path, name: str, entry: str | None, files: Mapping[str, Path]) -> Source:
    _assert_acceptable(path, entry, files)
    digest = hashlib.sha256()
    try:
        for relative, file in files.items():
            with file.open("rb") as content:
                inner = hashlib.file_digest(content, "sha256").hexdigest()
            digest.update(os.fsencode(f"{relative}\0{inner}\0"))
        description = _docstring(files[entry]) if entry else ""
    except OSError as error:
        raise LoadError(f"{error.filename}: cannot be read: {error.strerror}") from error
    plain = re.sub(r"[^\w.-]+", "-", name)
    return Source(path, plain, entry, files, description, digest.hexdigest())


def _assert_acceptable(path: Path, entry: str | None, files: Mapping[str, Path]) -> None:
    """Refuse what leads elsewhere or is too large, before the grader, whose time and memory it is, reads any of it."""
    for file in files.values():
        if file.is_symlink():
            # Its target would be copied to where the submission may read it.
            raise LoadError(f"{file}: is a symbolic link, which may lead anywhere; put the file itself there")
    size = sum(file.stat().st_size for file in files.values())
    if len(files) > _MOST_FILES or size > _MOST_BYTES:
        raise LoadError(
            f"{path}: holds {len(files):,} files of {format_bytes(size)} together; a submission has at most "
            f"{_MOST_FILES:,} files and {format_bytes(_MOST_BYTES)}"
        )
    if entry and files[entry].stat().st_size > _LONGEST_SOURCE:
        raise LoadError(
            f"{files[entry]}: has more than {format_bytes(_LONGEST_SOURCE)}; keep numbers in a data file beside it"
        )


def _docstring(file: Path) -> str:
    tree = _parsed(file)
    text = (ast.get_docstring(tree) or "") if tree else ""
    return (
        text[:_LONGEST_DESCRIPTION].encode("utf-8", "replace").decode()
    )  # an escape can write half a character, which no file can hold


def _weights(file: Path) -> str | None:
    """The plain file name that a top-level ``weights = "..."`` assigns, if any."""
    tree = _parsed(file)
    for node in tree.body if tree else ():
        if (
            isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == "weights" for target in node.targets)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
            and Path(node.value.value).name == node.value.value
        ):
            return node.value.value
    return None


def _parsed(file: Path) -> ast.Module | None:
    # A file that does not parse is graded all the same: the worker's message names the line.
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
