"""What a recording is about to write, so that one that was killed is known as such and leaves nothing behind.

leaderboard/.index/BOARD.pending      while an entry is being recorded: its file, and what is kept with it
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from harness.board.kept import FOLDER
from harness.files import read_regular, remove_unfinished, write_atomically

_SUFFIX = ".pending"
_LONGEST = 2**22


class Pending:
    """The recording that goes on, or that was killed, on one board. Whoever uses it holds the leaderboard's lock.

    Args:
        folder: the leaderboard's.
        index: the folder of its derived files.
        board: the board's name.
    """

    def __init__(self, folder: Path, index: Path, board: str) -> None:
        self._folder, self._index = folder, index
        self._mark = index / f"{board}{_SUFFIX}"

    @property
    def left_behind(self) -> bool:
        """Whether a recording did not come to its end, so that the table may lack its entry."""
        return self._mark.exists()

    def begin(self, entry: Path, new_files: Iterable[str]) -> None:
        """Note what will be written: an entry, and files that nobody else needs, by their paths in the folder."""
        noted = {"entry": entry.relative_to(self._folder).as_posix(), "files": list(new_files)}
        write_atomically(self._mark, json.dumps(noted).encode())

    def end(self) -> None:
        """Everything is written."""
        self._mark.unlink(missing_ok=True)

    def settle(self) -> None:
        """Remove what killed recordings, of any board in the folder, have half written, or kept for no entry."""
        for mark in self._index.glob(f"*{_SUFFIX}"):
            try:
                noted = json.loads(read_regular(mark, _LONGEST))
                entry = _below(self._folder / "entries", self._folder / noted["entry"])
                files = [_below(self._folder / FOLDER, self._folder / name) for name in noted["files"]]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            for path in (entry, *files, self._folder / f"{mark.stem}.csv"):
                remove_unfinished(path)
            if not entry.exists():
                for file in files:
                    file.unlink(missing_ok=True)
                mark.unlink(missing_ok=True)


def _below(folder: Path, path: Path) -> Path:
    """The path, if it is below a folder: a mark that somebody else wrote removes nothing of anybody.

    Raises:
        ValueError: it is not.
    """
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{path} is not below {folder}")
    return path
