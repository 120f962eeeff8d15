"""The contents of a board's entry files, in SQLite, so that recording one entry does not read the others again.

Derived from the entries: safe to delete, and made again if it is missing, damaged or of another version.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.benchmark import Benchmark
from harness.board import statements
from harness.board.links import MOST_HEADS, Node
from harness.board.listing import as_text, entry_files, entry_names, mark, name_mark
from harness.board.ranking import by_card, ranked
from harness.board.table import COLUMNS, Row
from harness.errors import LeaderboardError
from harness.grading.entry import Entry
from harness.metrics import METRICS

DEFAULT_METRIC = "mean_pixel_error"

_MAPPED = 2**32
_FORM = 3
"""Increase it when `Row.line` writes a cell differently, or nodes change: both are kept in the index."""
_VERSION = zlib.crc32(repr((statements.TABLES, COLUMNS, list(Row.__dataclass_fields__), _FORM)).encode()) & 0x7FFFFFFF


@dataclass(frozen=True)
class Holds:
    """What a board holds entries of, with one of them as an example."""

    data: str
    benchmark: str
    example: str


class Index:
    """The index of one board, open and brought up to date with the files.

    Args:
        path: its file; None keeps it in memory.
        entries: the folder of the board's entries.
        data: the fingerprint of the data that it ranks; None for that of most entries.
        edits: whether to look for files that were edited in their place, too; of many files, that takes longer.

    Raises:
        sqlite3.Error: the file is damaged, or cannot be written.
    """

    def __init__(self, path: Path | None, entries: Path, data: str | None = None, *, edits: bool = True) -> None:
        self._entries, self._data = entries, data
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None)
        try:
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(f"PRAGMA mmap_size = {_MAPPED}")
            with self._change():
                self._make_tables()
                if not self._is_up_to_date(edits):
                    self._follow_files()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def take(self, path: Path) -> None:
        """Read an entry file that was written just now."""
        about = path.stat()
        with self._change():
            self._read(path.name, (about.st_size, about.st_mtime_ns))

    def holds(self) -> Holds | None:
        """What the board holds entries of; None where it has none that can be read."""
        found = self._db.execute(statements.MOST, [self._data] * 2).fetchone()
        if found is None:
            return Holds(self._data, "", "") if self._data else None
        return Holds(*found[:3])

    def rank(self, benchmark: Benchmark | None) -> None:
        """Bring the table up to date with the card: its metric ranks, and its bands are shown.

        Without a card, mean pixel error ranks, and each entry keeps the band that it was given. Rows that this card has
        ranked before stay as they are.
        """
        self._metric = METRICS[benchmark.metric if benchmark else DEFAULT_METRIC]
        ranks = f"{self._metric.name} {benchmark.bands.model_dump_json() if benchmark else ''}"
        with self._change():
            if self._db.execute("SELECT ranks FROM card").fetchone() != (ranks,):
                self._db.execute("DELETE FROM card")
                self._db.execute("INSERT INTO card VALUES (?)", [ranks])
                self._db.execute("UPDATE files SET state = 'new' WHERE state IN ('ranked', 'lacking')")
            new = self._db.execute("SELECT file, row FROM files JOIN rows USING (file) WHERE state = 'new'").fetchall()
            for file, text in new:
                state, place = ranked(json.loads(text), self._metric)
                self._db.execute("UPDATE files SET state = ?, place = ? WHERE file = ?", [state, place, file])
            for file, text in new:
                row = by_card(Row.from_json(text, change=self._changed(file)), self._metric, benchmark)
                values = [row.band, row.points, row.max_points, row.change, file]
                self._db.execute(
                    "UPDATE files SET band = ?, points = ?, max_points = ?, change = ? WHERE file = ?", values
                )
                self._db.execute("UPDATE rows SET line = ? WHERE file = ?", [row.line(), file])

    def _changed(self, file: int) -> float | None:
        """An entry's score less that of its author's last one before it; None where one of them has none."""
        place, *about = self._db.execute(
            "SELECT place, who, date, id, data FROM files WHERE file = ?", [file]
        ).fetchone()
        before = self._db.execute(statements.BEFORE, about).fetchone() if place is not None else None
        return None if before is None else self._metric.place(place - before[0])

    def best(self, most: int | None = None) -> list[Row]:
        """The best row of each author's submission, ranked among themselves, failed ones last; at most so many."""
        chosen: dict[str, int] = {}
        labels = self._db.execute(f"SELECT label, file {statements.FILES} {statements.TABLE}", [self._held_data()])
        for label, file in labels:
            chosen.setdefault(label, file)
            if len(chosen) == most:
                break
        labels.close()
        wanted = json.dumps(list(chosen.values()))
        found = self._db.execute(f"SELECT file, {statements.CELLS} {statements.ROWS} {statements.CHOSEN}", [wanted])
        cells = {file: each for file, *each in found}
        return [_row(rank, *cells[file]) for rank, file in enumerate(chosen.values(), start=1)]

    def reasons(self) -> list[str]:
        """Why entries failed, of each that did."""
        found = self._table("json_extract(row, '$.reason')", "AND place IS NULL")
        return [reason or "" for (reason,) in found]

    def lines(self) -> list[tuple[str, bool, str]]:
        """(id, whether it was graded, line of the CSV) of each entry, best first, failed ones last."""
        return self._table("id, place IS NOT NULL, line")

    def rows(self) -> list[Row]:
        """The rows in the order of `lines`."""
        return [_row(rank, *each) for rank, each in enumerate(self._table(statements.CELLS), start=1)]

    def heads(self) -> dict[str, str]:
        """id -> hash of entries that no other names, those first that name some themselves."""
        found = self._db.execute(
            "SELECT id, hash FROM files WHERE named = 0 ORDER BY linked DESC, date, id LIMIT ?", [MOST_HEADS]
        )
        return dict(found.fetchall())

    def nodes(self) -> list[Node]:
        """Every entry that can be read, as a node of the graph."""
        found = self._db.execute("SELECT node FROM files WHERE state != 'unreadable'")
        return [Node(**json.loads(text)) for (text,) in found]

    def problems(self) -> list[str]:
        """A sentence for each file that is not in the table: not an entry, of other data, or not to be ranked."""
        return [
            problem or self._why_left_out(name, bool(other_data))
            for name, problem, other_data in self._db.execute(
                statements.LEFT_OUT, {"data": self._held_data()}
            ).fetchall()
        ]

    def _held_data(self) -> str:
        held = None if self._data else self.holds()
        return self._data or (held.data if held else "")

    def _why_left_out(self, name: str, other_data: bool) -> str:
        path = self._entries / name
        if other_data:
            held = self.holds() or Holds("", "", "")
            example = f" (such as {held.example})" if held.example else ""
            return f"{path}: is of other data than this board's{example}; move it to the folder of another board"
        return (
            f"{path}: has no number at key 'scores.{self._metric.name}', by which this board ranks; restore the file "
            "or grade the submission again"
        )

    def _table(self, columns: str, those: str = "") -> list[Any]:
        return self._db.execute(
            f"SELECT {columns} {statements.ROWS} {statements.TABLE.replace('ORDER', f'{those} ORDER')}",
            [self._held_data()],
        ).fetchall()

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        yield
        self._db.execute("COMMIT")  # without it, closing the file takes everything back

    def _make_tables(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == _VERSION:
            return
        names = [name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            self._db.execute(f'DROP TABLE "{name}"')
        for statement in statements.TABLES.split(";"):
            self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def _is_up_to_date(self, edits: bool) -> bool:
        """Whether the folder's files are those that were read."""
        # A file that could not be read is tried again each time, since that can be mended without changing the file.
        if self._db.execute("SELECT EXISTS (SELECT 1 FROM files WHERE state = 'unreadable')").fetchone()[0]:
            return False
        names, files = self._db.execute("SELECT names, files FROM seen").fetchone()
        if edits:
            return bool(files == sum(mark(name, *about) for name, about in entry_files(self._entries)))
        return bool(names == sum(map(name_mark, entry_names(self._entries))))

    def _follow_files(self) -> None:
        """Read what was added or changed, forget what is gone."""
        known = {
            name: (size, time) if state != "unreadable" else None
            for name, size, time, state in self._db.execute("SELECT name, size, mtime, state FROM files")
        }
        changed = []
        for name, about in entry_files(self._entries):
            if known.pop(as_text(name), None) != about:
                changed.append((name, about))
        # What is left is gone.
        for name in [*known, *(as_text(name) for name, _ in changed)]:
            self._forget(name)
        for name, about in sorted(changed):
            self._read(name, about)

    def _forget(self, name: str) -> None:
        about = self._db.execute(
            "SELECT file, name_mark, mark, who, date, id, replaces FROM files WHERE name = ?", [name]
        ).fetchone()
        if about is None:
            return
        found = about[:1]
        self._db.execute("UPDATE seen SET names = names - ?, files = files - ?", about[1:3])
        self._rank_again(*about[3:])
        parents = self._db.execute("SELECT parent FROM links WHERE file = ?", found).fetchall()
        self._db.execute("DELETE FROM rows WHERE file = ?", found)
        self._db.execute("DELETE FROM links WHERE file = ?", found)
        self._db.execute("DELETE FROM files WHERE file = ?", found)
        self._db.executemany(
            "UPDATE files SET named = EXISTS (SELECT 1 FROM links WHERE parent = files.id) WHERE id = ?", parents
        )

    def _read(self, name: str, about: tuple[int, int]) -> None:
        path = self._entries / name
        marks = [name_mark(os.fsencode(name)), mark(name, *about)]
        self._db.execute("UPDATE seen SET names = names + ?, files = files + ?", marks)
        try:
            entry = Entry.read(path)
        except LeaderboardError as error:
            self._db.execute(
                "INSERT INTO files (name, size, mtime, name_mark, mark, state, problem) "
                "VALUES (?, ?, ?, ?, ?, 'unreadable', ?)",
                [as_text(name), *about, *marks, str(error)],
            )
            return
        node = Node.of(entry, path)
        (named,) = self._db.execute("SELECT EXISTS (SELECT 1 FROM links WHERE parent = ?)", [entry.id]).fetchone()
        data = entry.fingerprints.get("data", "")
        values = [as_text(name), *about, *marks, "new", entry.id, entry.date, data, entry.benchmark]
        who = entry.author or f"/{entry.submission}"
        values += [node.hash, node.heads is not None, named, node.replaces, json.dumps(vars(node)), entry.name, who]
        file = self._db.execute(
            "INSERT INTO files (name, size, mtime, name_mark, mark, state, id, date, data, benchmark, hash, linked, "
            "named, replaces, node, label, who) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        ).lastrowid
        self._rank_again(who, entry.date, entry.id, node.replaces)
        self._db.execute("INSERT INTO rows (file, row) VALUES (?, ?)", [file, Row.of(entry).to_json()])
        self._db.executemany("INSERT INTO links VALUES (?, ?)", [(file, each) for each in node.heads or {}])
        self._db.executemany("UPDATE files SET named = 1 WHERE id = ?", [[each] for each in node.heads or {}])

    def _rank_again(self, who: str | None, date: str, entry_id: str, replaces: str | None) -> None:
        """Have an author's later entries ranked again, since they are compared with their author's last one."""
        self._db.execute(statements.LATER, [who, *(("", "") if replaces else (date, entry_id))])


def _row(rank: int, row: str, band: str, points: float, most: float, change: float, graded: bool) -> Row:
    return Row.from_json(row, band=band, points=points, max_points=most, change=change, rank=rank if graded else None)
