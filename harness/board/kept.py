"""Predictions and files of submissions, kept beside the entries that name them: compressed, and named by their content.

leaderboard/kept/predictions/AB/CDEF....npy.gz    float32 (N, K, 2) for the held-out faces; left out of git
leaderboard/kept/shares/AB/CDEF....npy.gz         float32 (T, M, 1 + G), what subjects add to scores; left out of git
leaderboard/kept/source/AB/CDEF....gz             a file of a submission, or the list of its files
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import LeaderboardError
from harness.files import read_regular, write_atomically
from harness.submission.plain_files import MOST_BYTES
from harness.submission.source import Source, fingerprint_of

FOLDER = "kept"
PREDICTIONS, SHARES, SOURCE = "predictions", "shares", "source"
_SUFFIXES = {PREDICTIONS: ".npy.gz", SHARES: ".npy.gz", SOURCE: ".gz"}
_LONGEST_SHARES = 2**22
_NPY_HEADER = 4096
_LONGEST_LIST = 2**22
_LONGEST_NAME = 255
"""Bytes, of a file or a folder."""
_IGNORE = b"# Who can read this can learn the answers from it. Keep it where only graders read.\n*\n"


@dataclass(frozen=True)
class Parcel:
    """What is to be kept of a grading.

    Attributes:
        hashes: kind -> hash, as an entry names them under ``kept``.
        files: path below the leaderboard's folder -> content.
    """

    hashes: Mapping[str, str]
    files: Mapping[str, bytes]


NOTHING = Parcel({}, {})


@dataclass(frozen=True)
class Manifest:
    """The list of a submission's files.

    Attributes:
        suffix: of the kind in which it was handed in; empty for a folder.
        entry: the Python file to import; None where there is no code to run.
        files: name in the worker's copy -> hash.
        remarks: what of it was left out or changed, a sentence each.
    """

    suffix: str
    entry: str | None
    files: Mapping[str, str]
    remarks: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """The one that `harness.submission.source.Source` has."""
        return fingerprint_of(self.files)


def pack(
    source: Source,
    predictions: NDArray[np.float32] | None,
    kinds: frozenset[str],
    shares: NDArray[np.float64] | None = None,
) -> Parcel:
    """What is to be kept of a grading.

    Args:
        source: what was graded; nothing is kept of one that could not be opened, nor of a blend, which has no files.
        predictions: float32 (T * N, K, 2), if there are any.
        kinds: which of ``predictions`` and ``source``.
        shares: (T, M, 1 + G), what subjects add to its scores; they are kept where predictions are.

    Raises:
        LoadError: a file of the source cannot be read, or was changed while it was being graded.
    """
    hashes: dict[str, str] = {}
    files: dict[str, bytes] = {}

    def add(kind: str, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        files[place(kind, digest)] = gzip.compress(content, mtime=0)
        return digest

    if PREDICTIONS in kinds:
        for kind, array in ((PREDICTIONS, predictions), (SHARES, shares)):
            if array is not None:
                written = io.BytesIO()
                np.save(written, array.astype(np.float32))
                hashes[kind] = add(kind, written.getvalue())
    if SOURCE in kinds and source.kind is not None and source.files:
        listed = {
            "suffix": next(iter(source.kind.suffixes), ""),
            "entry": source.entry,
            "files": {name: add(SOURCE, content) for name, content in source.contents().items()},
            "remarks": source.remarks,
        }
        hashes[SOURCE] = add(SOURCE, json.dumps(listed, indent=2).encode())
    return Parcel(hashes, files)


def place(kind: str, digest: str) -> str:
    """Where something of this hash is kept, below the leaderboard's folder."""
    return f"{FOLDER}/{kind}/{digest[:2]}/{digest[2:]}{_SUFFIXES[kind]}"


class Kept:
    """What is kept in a leaderboard's folder.

    Args:
        folder: the leaderboard's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, kind: str, digest: str) -> Path:
        """Where something of this hash is kept."""
        return self._folder / place(kind, digest)

    def has(self, kind: str, digest: str) -> bool:
        """Whether there is something under this name."""
        return self.path(kind, digest).exists()

    def predictions(self, digest: str, shape: tuple[int, int, int]) -> NDArray[np.float32]:
        """Predictions of this hash, float32 of this shape.

        Raises:
            LeaderboardError: they are missing, damaged, or not for so many faces.
        """
        array = self._array(PREDICTIONS, digest, 4 * int(np.prod(shape)) + _NPY_HEADER)
        if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
            raise self._wrong(PREDICTIONS, digest, f"does not hold finite points of shape {shape}")
        return np.asarray(array, np.float32)

    def shares(self, digest: str) -> NDArray[np.float64]:
        """What subjects add to an entry's scores, (T, M, 1 + G).

        Raises:
            LeaderboardError: they are missing or damaged.
        """
        array = self._array(SHARES, digest, _LONGEST_SHARES)
        if array.ndim != 3 or array.dtype != np.float32:
            raise self._wrong(SHARES, digest, "does not hold what subjects add to scores")
        return np.asarray(array, np.float64)

    def manifest(self, digest: str) -> Manifest:
        """The list of a submission's files.

        Raises:
            LeaderboardError: it is missing, damaged or not such a list.
        """
        content = self._read(SOURCE, digest, _LONGEST_LIST)
        try:
            return _manifest(json.loads(content))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise self._wrong(SOURCE, digest, "is not the list of a submission's files") from error

    def source_file(self, digest: str) -> bytes:
        """A file of a submission.

        Raises:
            LeaderboardError: it is missing or damaged.
        """
        return self._read(SOURCE, digest, MOST_BYTES)

    def all_files(self) -> Iterator[tuple[str, str]]:
        """(kind, hash) of everything that is kept under a name that it can have."""
        for kind, suffix in _SUFFIXES.items():
            for path in (self._folder / FOLDER / kind).glob(f"??/*{suffix}"):
                digest = path.parent.name + path.name.removesuffix(suffix)
                if re.fullmatch("[0-9a-f]{64}", digest):
                    yield kind, digest

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write what is not there yet, each file whole or not at all.

        Raises:
            OSError: something could not be written.
        """
        for name, content in files.items():
            path = self._folder / name
            if not path.exists() or path.read_bytes() != content:
                write_atomically(path, content)
        for kind in (PREDICTIONS, SHARES):
            ignored = self._folder / FOLDER / kind / ".gitignore"
            if files and not ignored.exists():
                write_atomically(ignored, _IGNORE)

    def missing(self, files: Mapping[str, bytes]) -> list[str]:
        """The names of those that are not there yet."""
        return [name for name in files if not (self._folder / name).exists()]

    def _array(self, kind: str, digest: str, most: int) -> NDArray[Any]:
        content = self._read(kind, digest, most)
        try:
            return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
        except (ValueError, EOFError, SyntaxError) as error:
            raise self._wrong(kind, digest, "does not hold an array") from error

    def _read(self, kind: str, digest: str, most: int) -> bytes:
        path = self.path(kind, digest)
        try:
            packed = read_regular(path, 2 * most + 1000)
            unpacker = zlib.decompressobj(wbits=31)
            content = unpacker.decompress(packed, most + 1)
        except FileNotFoundError:
            raise self._wrong(kind, digest, "is missing") from None
        except (OSError, zlib.error, EOFError) as error:
            raise self._wrong(kind, digest, f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise self._wrong(kind, digest, "was changed: its content does not have the hash that it is named by")
        return content

    def _wrong(self, kind: str, digest: str, what: str) -> LeaderboardError:
        return LeaderboardError(f"{self.path(kind, digest)}: {what}")


def _manifest(listed: dict[str, Any]) -> Manifest:
    suffix, entry, files = listed["suffix"], listed["entry"], dict(listed["files"])
    for name, digest in files.items():
        parts = PurePosixPath(name).parts
        fits = "\0" not in name and all(len(os.fsencode(part)) <= _LONGEST_NAME for part in parts)
        if not parts or not fits or {"/", ".."} & set(parts) or not re.fullmatch("[0-9a-f]{64}", digest):
            raise ValueError(f"not a file of a submission: {name!r}")
    if not files or not isinstance(suffix, str) or not (entry is None or entry in files):
        raise ValueError("not a submission")
    return Manifest(suffix, entry, files, tuple(map(str, listed["remarks"])))
