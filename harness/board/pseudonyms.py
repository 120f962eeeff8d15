"""Pseudonyms for what a class sees of a board; who is who stays with the teacher.

leaderboard/names/key          made once; whoever has it and a list of the class can find out who is who
leaderboard/names/BOARD.csv    each author's pseudonym, for the teacher
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from harness.board.table import Row
from harness.errors import LeaderboardError
from harness.files import read_regular, write_atomically
from harness.text import csv_text

_FOLDER, _KEY = "names", "key"
_HOW_WORDS = """
amber azure bold brave bright brisk calm clever coral crisp dapper eager fair fleet gentle golden grand happy
hardy jolly keen kind lively lucky merry mild nimble noble quick quiet silver swift
"""
_WHO_WORDS = """
badger bear beaver bison crane deer dove eagle falcon finch fox gecko hare heron ibis jay koala lark lemur
lynx marten mole newt otter owl panda puffin raven robin seal swan wren
"""
_HOW, _WHO, _NUMBERS = _HOW_WORDS.split(), _WHO_WORDS.split(), 10_000
_SHORTEST_PART = 3
"""Letters of a part of a name that is taken out of texts, too."""


class Pseudonyms:
    """What the authors of a board are called.

    Args:
        folder: the leaderboard's.
        board: its name.
        names: of the card: ``authors`` (as they are), ``pseudonyms``, or ``top N``, which names the N best alone.
        best: the best row of each submission, best first; those of every author are among them.

    Raises:
        LeaderboardError: the key cannot be read or made.
    """

    def __init__(self, folder: Path, board: str, names: str, best: Sequence[Row]) -> None:
        authors = list(dict.fromkeys(row.author for row in best if row.author))
        graded = list(dict.fromkeys(row.author for row in best if row.author and row.status == "graded"))
        hidden = [] if names == "authors" else authors
        if names.startswith("top "):
            hidden = [each for each in authors if each not in graded[: int(names.removeprefix("top "))]]
        self._called = _called(_key(folder / _FOLDER), hidden) if hidden else {}
        self._mentions = _mentions(hidden)
        if hidden:
            _write_mapping(folder / _FOLDER / f"{board}.csv", self._called)

    def name(self, asked: str) -> str:
        """What an author, or ``author/submission``, is called."""
        author, slash, submission = asked.partition("/")
        return self._called.get(author, author) + slash + submission

    def text(self, text: str) -> str:
        """A text without the names that are not shown, nor their parts."""
        return self._mentions.sub("…", text) if self._mentions else text

    def rows(self, rows: Iterable[Row]) -> list[Row]:
        """Rows as they are shown. The ids of entries, which begin with names, are shortened."""
        return [self._row(row) if row.author in self._called else row for row in rows]

    def _row(self, row: Row) -> Row:
        return replace(
            row,
            author=self._called[row.author],
            submission=self.text(row.submission),
            id=f"{row.id.partition('-')[0]}-{hashlib.sha256(row.id.encode()).hexdigest()[:8]}",
            reason=None if row.reason is None else self.text(row.reason),
        )


def _called(key: bytes, authors: Iterable[str]) -> dict[str, str]:
    """A pseudonym for each; two of them never have the same."""
    called: dict[str, str] = {}
    for author in sorted(authors):
        for again in count():
            drawn = int.from_bytes(hmac.digest(key, f"{author}\0{again}".encode(), "sha256"))
            drawn, number = divmod(drawn, _NUMBERS)
            drawn, how = divmod(drawn, len(_HOW))
            name = f"{_HOW[how]}-{_WHO[drawn % len(_WHO)]}-{number:04}"
            if name not in called.values():
                called[author] = name
                break
    return called


def _mentions(authors: Iterable[str]) -> re.Pattern[str] | None:
    """What finds names and their parts in a text."""
    parts = {part for each in authors for part in re.findall(r"[^\W_]+", each) if len(part) >= _SHORTEST_PART}
    wanted = sorted({*authors, *parts}, key=len, reverse=True)
    if not wanted:
        return None
    return re.compile(rf"(?<![^\W_])({'|'.join(map(re.escape, wanted))})(?![^\W_])", re.IGNORECASE)


def _key(folder: Path) -> bytes:
    """The key of a leaderboard's pseudonyms; made where there is none."""
    path = folder / _KEY
    try:
        if not path.exists():
            write_atomically(folder / ".gitignore", b"# Who has this can find out who is who.\n*\n")
            made = folder / f".{_KEY}-{os.getpid()}"
            write_atomically(made, secrets.token_hex(32).encode())
            made.chmod(0o600)
            with contextlib.suppress(FileExistsError):  # another process was quicker
                os.link(made, path)
            made.unlink()
        key = read_regular(path, 1000).strip()
    except OSError as error:
        raise LeaderboardError(
            f"{path}: cannot be read or made ({error.strerror}), and pseudonyms come of it; restore it, or run this "
            "where the leaderboard's folder can be written"
        ) from error
    if len(key) < 32:
        raise LeaderboardError(f"{path}: does not hold a key; restore it, or delete it for other pseudonyms")
    return key


def _write_mapping(path: Path, called: dict[str, str]) -> None:
    content = csv_text([("author", "pseudonym"), *called.items()]).encode()
    with contextlib.suppress(OSError):  # for whoever may only read, the names are the same
        if not path.exists() or path.read_bytes() != content:
            write_atomically(path, content)
            path.chmod(0o600)
