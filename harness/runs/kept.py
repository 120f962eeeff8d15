"""Kept runs: a finished run is found again by its key, also by another process and after a kill."""

from __future__ import annotations

import io
import json
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pydantic import ConfigDict, create_model

from harness.errors import LoadError, MachineError
from harness.files import read_regular, write_atomically
from harness.runs.facts import Facts
from harness.runs.run import Run
from harness.text import file_name, plain_values


class KeptRuns:
    """Finished runs in a folder, a file each. Failed ones are kept too, with their reason.

    A file is written whole or not at all. The run of a damaged one is made again, with a warning. Several processes may
    share the folder.

    Args:
        folder: made when it is missing.
        retry_failed: whether failed runs are made again.
        warn: called with a sentence for each damaged file.
    """

    def __init__(
        self, folder: Path, *, retry_failed: bool = False, warn: Callable[[str], None] = lambda _: None
    ) -> None:
        self.folder, self._retry_failed, self._warn = folder, retry_failed, warn

    def find(self, name: str, key: str) -> Run | None:
        """The run of this key, if it is there and may be used."""
        file = self._file(name, key)
        if not file.exists():
            return None
        try:
            run = read_run(file)
        except LoadError as error:
            self._warn(f"{error}; the run is made again")
            return None
        return None if run.reason is not None and self._retry_failed else run

    def keep(self, name: str, key: str, run: Run) -> None:
        """Write a run, whole or not at all.

        Raises:
            MachineError: it cannot be written.
        """
        file = self._file(name, key)
        try:
            write_atomically(file, _written(run))
        except OSError as error:
            raise self._unwritable(file, error) from error

    @contextmanager
    def claim(self, key: str, *, wait: bool) -> Iterator[bool]:
        """Make sure that no other process makes the run of this key meanwhile.

        Yields:
            whether it is ours; False only where another process has it and ``wait`` is false.

        Raises:
            MachineError: the folder cannot be made or written to.
        """
        try:
            (self.folder / ".locks").mkdir(parents=True, exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise self._unwritable(self.folder, error) from error
        lock = FileLock(self.folder / ".locks" / key[:20])
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _file(self, name: str, key: str) -> Path:
        return self.folder / f"{file_name(name)}-{key[:20]}.npz"

    def _unwritable(self, path: Path, error: OSError) -> MachineError:
        return MachineError(f"{path}: could not be written: {error.strerror}; name another folder with --work")


_APART = ("predictions", "weights", "facts")
_FIELDS: dict[str, Any] = {name: (kind, ...) for name, kind in get_type_hints(Run).items() if name not in _APART}
_ABOUT = create_model("_About", __config__=ConfigDict(extra="forbid", allow_inf_nan=False), **_FIELDS)
"""What is kept of a run as JSON."""


def _written(run: Run) -> bytes:
    about = {each.name: getattr(run, each.name) for each in fields(run) if each.name not in _APART}
    arrays = {"about": np.array(json.dumps({**about, "facts": run.facts.model_dump()}))}
    if run.predictions is not None:
        arrays["predictions"] = run.predictions
    if run.weights is not None:
        arrays["weights"] = np.frombuffer(run.weights, np.uint8)
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]  # numpy takes its own option for one of the arrays
    return content.getvalue()


def read_run(file: Path) -> Run:
    """A run that was kept.

    Raises:
        LoadError: the file cannot be read, or does not hold a whole run.
    """
    try:
        content = read_regular(file, _LARGEST)
        _check_members(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            about = plain_values(json.loads(str(kept["about"])))
            facts = Facts.model_validate(about.pop("facts"))
            weights = kept["weights"].tobytes() if "weights" in kept else None
            predictions = _checked(kept["predictions"]) if "predictions" in kept else None
            told = _ABOUT.model_validate(about).model_dump()
            return Run(predictions=predictions, weights=weights, facts=facts, **told)
    except OSError as error:
        raise LoadError(f"{file}: cannot be read: {error.strerror}") from error
    except _DAMAGES as error:
        raise LoadError(f"{file}: does not hold a whole run") from error


_LARGEST = 2**31
_DAMAGES = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy and zipfile raise at a file that is not what it says."""


def _check_members(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
    if any(each.compress_type != zipfile.ZIP_STORED or each.file_size > len(content) for each in members):
        raise ValueError("a run is kept as it is, and does not unpack to more than its file")


def _checked(points: NDArray[Any]) -> NDArray[np.float32]:
    if points.dtype != np.float32 or points.ndim != 3 or points.shape[2] != 2 or not np.isfinite(points).all():
        raise ValueError("predictions are finite points")
    return points
