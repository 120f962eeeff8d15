"""Arrays that are made once, kept on disk and opened in milliseconds from then on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from harness.errors import DataError, MachineError
from harness.files import write_atomically

FORMAT = 2  # of the folders below; raise it whenever what stands in them changes


@dataclass(frozen=True)
class Stored:
    """Arrays kept on disk.

    Attributes:
        arrays: read-only memory maps by name.
        fingerprint: sha256 of the arrays' names, dtypes, shapes and bytes, whatever files they came from.
    """

    arrays: Mapping[str, NDArray[Any]]
    fingerprint: str


def stored(cache: Path, sources: Sequence[Path], make: Callable[[], dict[str, NDArray[Any]]], kind: str) -> Stored:
    """What ``make`` returns, made only if the cache does not hold it already.

    Kept below ``cache`` in a folder of its own for every ``kind`` (what was made, with its parameters) and state of the
    ``sources`` (name, size and time of change). A damaged or changed folder is made again. Safe against kills and
    between processes: a folder appears whole or not at all, and whoever comes second waits for the first.

    Raises:
        DataError: a source is missing.
        MachineError: the cache cannot be written, or belongs to somebody else.
    """
    folder = cache / _key(sources, kind)
    with _cache_errors(cache):
        _close_to_others(cache)
    found = _open(folder)
    if found is not None:
        return found
    with _cache_errors(cache):
        lock = FileLock(folder.with_suffix(".lock")).acquire()
    with lock:
        found = _open(folder)  # the one who had the lock may have made it
        if found is None:
            arrays = make()
            with _cache_errors(cache):
                _write(folder, arrays)
            found = _open(folder)
    if found is None:
        raise MachineError(f"{folder} cannot be read back after it was written; check the disk that holds {cache}")
    return found


def fingerprint(arrays: Mapping[str, NDArray[Any]]) -> str:
    """sha256, as hexadecimal digits, of the arrays' names, dtypes, shapes and bytes."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _key(sources: Sequence[Path], kind: str) -> str:
    states = []
    for source in sources:
        try:
            state = source.stat()
        except OSError as error:
            raise DataError(f"{source} cannot be read ({error.strerror}); put the file there") from error
        states.append([source.name, state.st_size, state.st_mtime_ns])
    return hashlib.sha256(json.dumps([FORMAT, kind, states]).encode()).hexdigest()[:20]


def _close_to_others(cache: Path) -> None:
    """Make the folder, which nobody else may read or have filled."""
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = cache.stat()
    if hasattr(os, "geteuid") and about.st_uid != os.geteuid():  # not on Windows
        raise MachineError(
            f"{cache} belongs to another user, so what lies in it is not believed; set XDG_CACHE_HOME to a folder of "
            "your own"
        )
    if about.st_mode & 0o077:
        cache.chmod(0o700)


def _open(folder: Path) -> Stored | None:
    """The folder's arrays, or None if it is not there, not whole, or not what was written.

    To hash the arrays each time would take longer than all else. It is done where a file is not as it was left.
    """
    try:
        meta = json.loads((folder / "meta.json").read_text())
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in meta["arrays"]}
        if {name: _describe(array) for name, array in arrays.items()} != meta["arrays"]:
            return None
        states = {name: _state(folder / f"{name}.npy") for name in arrays}
        if states != meta["states"]:
            if fingerprint(arrays) != meta["fingerprint"]:
                return None
            with suppress(OSError):
                write_atomically(folder / "meta.json", json.dumps(meta | {"states": states}).encode())
        return Stored(arrays, str(meta["fingerprint"]))
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def _write(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    unfinished = folder.with_suffix(".unfinished")  # what a killed process left there is overwritten
    for leftover in (unfinished, folder):
        if leftover.exists():
            shutil.rmtree(leftover)
    unfinished.mkdir()
    for name, array in arrays.items():
        with (unfinished / f"{name}.npy").open("wb") as file:
            np.save(file, array, allow_pickle=False)
            _sync(file)
    meta = {
        "arrays": {name: _describe(array) for name, array in arrays.items()},
        "states": {name: _state(unfinished / f"{name}.npy") for name in arrays},
        "fingerprint": fingerprint(arrays),
    }
    with (unfinished / "meta.json").open("w") as file:
        json.dump(meta, file)
        _sync(file)
    unfinished.rename(folder)


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _state(file: Path) -> list[int]:
    about = file.stat()
    return [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino]


def _describe(array: NDArray[Any]) -> list[Any]:
    return [array.dtype.str, list(array.shape)]


@contextmanager
def _cache_errors(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"prepared arrays cannot be kept in {cache} ({error.strerror or error}); "
            "free space there, make it writable or name another cache folder"
        ) from error
