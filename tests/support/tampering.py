"""A small board that was graded honestly, and everything that somebody may do to it afterwards."""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.benchmark import load_benchmark
from harness.board.kept import Parcel
from harness.board.leaderboard import Leaderboard
from harness.board.links import hash_of
from harness.cli import main
from harness.cli.grade import main as grade
from harness.datasets.opening import open_split
from harness.grading.entry import Entry
from harness.grading.predictions import write_wide
from support.entries import entry
from support.tiny import CARD, SIDE, draw_faces, write_kaggle

AUTHORS = ("ana", "ben", "cat", "dan")
"""In the order in which they were graded; cat's submission failed."""


@dataclass(frozen=True)
class Board:
    """A copy of the board, in a folder with its card and its data."""

    folder: Path

    @property
    def entries(self) -> Path:
        return self.folder / "leaderboard" / "entries" / "tiny"

    @property
    def csv(self) -> Path:
        return self.folder / "leaderboard" / "tiny.csv"

    def file(self, author: str) -> Path:
        return next(self.entries.glob(f"*-{author}-*.json"))

    def entry(self, author: str) -> Entry:
        return Entry.read(self.file(author))

    def kept(self, author: str, kind: str) -> Path:
        digest = self.entry(author).kept[kind]
        return next((self.folder / "leaderboard" / "kept" / kind / digest[:2]).glob(f"{digest[2:]}*"))

    def edit(self, author: str, old: str, new: str, *, hash_anew: bool = False) -> None:
        """Put a text into an entry in the place of another."""
        path = self.file(author)
        text = path.read_text()
        assert old in text, old
        text = text.replace(old, new)
        if hash_anew:
            stated = json.loads(text)["hash"]
            text = text.replace(stated, hash_of(text.encode()))
        path.write_text(text)

    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(self.csv.read_text().splitlines()))

    def write_rows(self, rows: list[dict[str, str]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.csv.write_text(text.getvalue())

    def rebuild(self) -> None:
        """As whoever does not want to be noticed does."""
        assert self.command("rebuild")[0] == 0

    def command(self, *words: str) -> tuple[int, str]:
        """Exit code and output of ``harness leaderboard`` with these words."""
        out = io.StringIO()
        data = ["--data", str(self.folder / "faces")] if words[0] == "verify" else []
        folder = ["--leaderboard", str(self.folder / "leaderboard"), "--benchmark", str(self.folder / "tiny.toml")]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = main(["leaderboard", *words, *folder, *data])
        return code, out.getvalue()


def honest(folder: Path) -> Board:
    """Grade the submissions, one after another."""
    images, keypoints = draw_faces(48)
    write_kaggle(folder / "faces", images, keypoints, [f"S{row % 12}" for row in range(48)])
    (folder / "tiny.toml").write_text(CARD)
    held_out = open_split(load_benchmark(folder / "tiny.toml"), folder / "faces").held_out
    for number, author in enumerate(AUTHORS):
        points = np.full((len(held_out), 15, 2), SIDE / 2 + number, np.float32)
        path = folder / f"{author}.csv"
        rows = len(points) - (author == "cat")
        write_wide(path, points[:rows], np.arange(1, rows + 1), held_out.layout)
        words = ["--author", author, "--benchmark", str(folder / "tiny.toml"), "--data", str(folder / "faces")]
        with contextlib.redirect_stdout(io.StringIO()):
            code = grade([str(path), *words, "--leaderboard", str(folder / "leaderboard")])
        assert code == (2 if author == "cat" else 0)
    return Board(folder)


def copy_of(board: Board, folder: Path) -> Board:
    """Another board like it."""
    shutil.copytree(board.folder, folder, dirs_exist_ok=True, copy_function=shutil.copy2)
    return Board(folder)


def score_of(board: Board, author: str) -> str:
    """How the entry writes its mean pixel error."""
    return f'"value": {board.entry(author).scores["mean_pixel_error"].value!r}'


Tampering = Callable[[Board], str]
"""Does it, and returns what `verify` has to name."""
KINDS: dict[str, Tampering] = {}


def kind(name: str) -> Callable[[Tampering], Tampering]:
    def keep(tampering: Tampering) -> Tampering:
        KINDS[name] = tampering
        return tampering

    return keep


def _edits() -> Iterator[tuple[str, str, str, str]]:
    """(what, author, old, new) of edits of an entry."""
    yield "the author", "ben", '"author": "ben"', '"author": "eve"'
    yield "the date", "ben", '"date": "20', '"date": "19'
    yield "the seconds", "ben", '"total": ', '"total": 1'
    yield "the isolation", "ben", '"isolation": "no code"', '"isolation": "landlock"'
    yield "a failure", "cat", '"status": "failed"', '"status": "graded"'
    yield "the reason of a failure", "cat", '"reason": "', '"reason": "forgiven: '
    source = '"fingerprints": {\n    "source": "'
    yield "the fingerprint of the source", "ben", source, f"{source}f"
    yield "a key that no version knows", "ben", '"board": "tiny"', '"board": "tiny",\n  "blessed": true'
    yield "the last entry's advice", "dan", '"advice": [', '"advice": ["Well done!", '


def _edited(author: str, old: str, new: str) -> Tampering:
    def edit(board: Board) -> str:
        name = board.entry(author).id
        board.edit(author, old, new)
        board.rebuild()
        return name

    return edit


for _what, *_edit in _edits():
    KINDS[f"an edit of {_what}"] = _edited(*_edit)


@kind("a better score")
def _(board: Board) -> str:
    board.edit("ben", score_of(board, "ben"), '"value": 0.5')
    return board.entry("ben").id


@kind("a better score, and the table made again")
def _(board: Board) -> str:
    board.edit("ben", score_of(board, "ben"), '"value": 0.5')
    board.rebuild()
    return board.entry("ben").id


@kind("a better score, with its hash made anew")
def _(board: Board) -> str:
    board.edit("ben", score_of(board, "ben"), '"value": 0.5', hash_anew=True)
    board.rebuild()
    return board.entry("ben").id


@kind("a better score of the last entry, with its hash made anew")
def _(board: Board) -> str:
    board.edit("dan", score_of(board, "dan"), '"value": 0.5', hash_anew=True)
    board.rebuild()
    return board.entry("dan").id


@kind("a narrower interval of the last entry, with its hash made anew")
def _(board: Board) -> str:
    low = board.entry("dan").scores["rmse"].low
    board.edit("dan", f'"low": {low!r}', f'"low": {low + 0.01!r}', hash_anew=True)
    board.rebuild()
    return board.entry("dan").id


@kind("a better band of the last entry, with its hash made anew")
def _(board: Board) -> str:
    band = board.entry("dan").band
    board.edit("dan", f'"band": "{band}"', '"band": "outstanding"', hash_anew=True)
    board.rebuild()
    return board.entry("dan").id


@kind("a score edited without a trace in the file's size and time")
def _(board: Board) -> str:
    path, said = board.file("ben"), score_of(board, "ben")
    about = path.stat()
    board.edit("ben", said, '"value": 0.' + "5" * (len(said) - len('"value": 0.')))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert path.stat().st_size == about.st_size
    return board.entry("ben").id


@kind("heads that name other entries, with the hash made anew")
def _(board: Board) -> str:
    heads = board.entry("ben").heads
    assert heads
    board.edit("ben", next(iter(heads.values())), "0" * 64, hash_anew=True)
    return board.entry("ben").id


@kind("an entry cut in half")
def _(board: Board) -> str:
    path = board.file("ben")
    path.write_text(path.read_text()[:500])
    return path.name


def _removed(author: str, *, rebuilt: bool) -> Tampering:
    def remove(board: Board) -> str:
        path = board.file(author)
        name = path.stem
        if rebuilt and author == AUTHORS[-1]:
            name = board.kept(author, "source").name
        path.unlink()
        if rebuilt:
            board.rebuild()
        return name

    return remove


for _author, _which in (("ana", "first"), ("cat", "failed"), ("dan", "last")):
    KINDS[f"the {_which} entry removed"] = _removed(_author, rebuilt=False)
    KINDS[f"the {_which} entry removed, and the table made again"] = _removed(_author, rebuilt=True)


@kind("a forged entry")
def _(board: Board) -> str:
    data = board.entry("ana").fingerprints
    forged = entry("forged", 0.1, fingerprints=data)
    (board.entries / f"{forged.id}.json").write_text(forged.to_json())
    board.rebuild()
    return forged.id


@kind("another's entry under one's own name")
def _(board: Board) -> str:
    text = board.file("ana").read_text().replace("-ana-", "-eve-").replace('"author": "ana"', '"author": "eve"')
    path = board.entries / f"{json.loads(text)['id']}.json"
    path.write_text(text)
    board.rebuild()
    return path.stem


@kind("an entry doubled")
def _(board: Board) -> str:
    shutil.copy(board.file("ana"), board.entries / "again.json")
    board.rebuild()
    return "again.json"


@kind("predictions swapped between two entries")
def _(board: Board) -> str:
    first, second = board.kept("ana", "predictions"), board.kept("dan", "predictions")
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    return board.entry("dan").id


def _named_by_the_last(board: Board, what: str) -> str:
    """Have the last entry name what is kept of another one."""
    own, others = board.entry("dan").kept[what], board.entry("ana").kept[what]
    board.edit("dan", own, others, hash_anew=True)
    board.rebuild()
    return board.entry("dan").id


@kind("another's predictions named by the last entry, with its hash made anew")
def _(board: Board) -> str:
    return _named_by_the_last(board, "predictions")


@kind("predictions put in the place of others")
def _(board: Board) -> str:
    path = board.kept("ben", "predictions")
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    path.write_bytes(gzip.compress(bytes(content)))
    return board.entry("ben").id


@kind("another's errors of its faces named by the last entry, with its hash made anew")
def _(board: Board) -> str:
    return _named_by_the_last(board, "shares")


@kind("predictions removed")
def _(board: Board) -> str:
    board.kept("ben", "predictions").unlink()
    return board.entry("ben").id


@kind("the source edited")
def _(board: Board) -> str:
    digest = hashlib.sha256((board.folder / "ben.csv").read_bytes()).hexdigest()
    path = board.folder / "leaderboard" / "kept" / "source" / digest[:2] / f"{digest[2:]}.gz"
    path.write_bytes(gzip.compress(b"# what I hand in looks like this"))
    return board.entry("ben").id


@kind("the source removed")
def _(board: Board) -> str:
    board.kept("ben", "source").unlink()
    return board.entry("ben").id


@kind("another's source named by the last entry, with its hash made anew")
def _(board: Board) -> str:
    board.edit("dan", board.entry("dan").kept["source"], board.entry("ana").kept["source"], hash_anew=True)
    board.rebuild()
    return board.entry("dan").id


@kind("a score in the table")
def _(board: Board) -> str:
    rows = board.rows()
    rows[-2]["mean_pixel_error"] = "0.5000"
    board.write_rows(rows)
    return rows[-2]["id"]


@kind("a name in the table")
def _(board: Board) -> str:
    rows = board.rows()
    rows[0]["author"] = "eve"
    board.write_rows(rows)
    return rows[0]["id"]


@kind("the ranks in the table")
def _(board: Board) -> str:
    rows = board.rows()
    rows[0]["rank"], rows[1]["rank"] = rows[1]["rank"], rows[0]["rank"]
    board.write_rows(rows)
    return rows[1]["id"]


@kind("the order of the table's rows")
def _(board: Board) -> str:
    rows = board.rows()
    board.write_rows([rows[1], rows[0], *rows[2:]])
    return "tiny.csv"


@kind("a row taken out of the table")
def _(board: Board) -> str:
    rows = board.rows()
    board.write_rows(rows[1:])
    return rows[0]["id"]


@kind("a row added to the table")
def _(board: Board) -> str:
    rows = board.rows()
    board.write_rows([rows[0] | {"author": "eve", "id": "19990101T000000-eve"}, *rows])
    return "19990101T000000-eve"


@kind("a row doubled in the table")
def _(board: Board) -> str:
    rows = board.rows()
    board.write_rows([rows[0], *rows])
    return rows[0]["id"]


@kind("a cell of the table that no reader takes")
def _(board: Board) -> str:
    rows = board.rows()
    rows[0]["reason"] = "x" * 200_000
    board.write_rows(rows)
    return "tiny.csv"


@kind("a table without ids")
def _(board: Board) -> str:
    board.csv.write_text("rank,author\n1,eve\n")
    return "tiny.csv"


@kind("the index, so that `show` shows another score")
def _(board: Board) -> str:
    with contextlib.closing(sqlite3.connect(board.folder / "leaderboard" / ".index" / "tiny.sqlite")) as index:
        name = board.entry("ben").id
        index.execute("UPDATE rows SET line = replace(line, 'ben', 'eve') WHERE line LIKE '%ben%'")
        index.commit()
    return name


@kind("the card")
def _(board: Board) -> str:
    card = board.folder / "tiny.toml"
    card.write_text(card.read_text().replace("outstanding = 0.5", "outstanding = 6.5"))
    return board.entry("ana").id


@kind("the data that the board is of")
def _(board: Board) -> str:
    (board.entries / "data.txt").write_text("0" * 64 + "\n")
    return board.entry("ana").id


@kind("the data that the board is of, removed")
def _(board: Board) -> str:
    (board.entries / "data.txt").unlink()
    return "data.txt"


def made_anew(board: Board) -> None:
    """Ben's entry taken out and the rest recorded again, as if it had never been: the folder shows no trace of it."""
    kept = board.folder / "leaderboard" / "kept"
    for each in ("predictions", "shares", "source"):
        board.kept("ben", each).unlink()
    digest = hashlib.sha256((board.folder / "ben.csv").read_bytes()).hexdigest()
    (kept / "source" / digest[:2] / f"{digest[2:]}.gz").unlink()
    others = [board.entry(author) for author in AUTHORS if author != "ben"]
    shutil.rmtree(board.entries)
    again = Leaderboard(board.folder / "leaderboard", "tiny", load_benchmark(board.folder / "tiny.toml"))
    for each in others:
        again.record(each, Parcel(each.kept, {}))
