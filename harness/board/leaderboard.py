"""The leaderboard: entries as JSON files, and what is derived from them.

leaderboard/entries/BOARD/ID.json     the record; never rewritten
leaderboard/entries/BOARD/data.txt    the fingerprint of the data that the board ranks; written with its first entry
leaderboard/BOARD.csv                 derived: every entry in a row, ranked
leaderboard/.index/BOARD.sqlite       derived: what the files hold, so that they need not be read again
leaderboard/kept/                     predictions and files of submissions; see `harness.board.kept`
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from harness.benchmark import Benchmark
from harness.board.compared import compared, more_faces, table_of, with_standings
from harness.board.index import DEFAULT_METRIC, Holds, Index
from harness.board.kept import NOTHING, Kept, Parcel
from harness.board.links import Node, linked
from harness.board.locking import patiently
from harness.board.pending import Pending
from harness.board.results import Examined, Reading, Recorded
from harness.errors import LeaderboardError, UsageError
from harness.files import read_regular, write_atomically
from harness.grading.entry import Entry
from harness.metrics import METRICS

_T = TypeVar("_T")
_LONGEST_DATA = 1024
_READER_WAITS = 5.0
"""Seconds that a reader waits for the index before it reads the entries themselves."""


class Leaderboard:
    """One board in a leaderboard folder.

    It holds entries of one data set: that of its first entry, whose fingerprint ``data.txt`` keeps. So no later entry,
    whatever it says of its date and its data, can take the board over. Two branches that began a board on the same data
    wrote the same file; if they began it on different data, merging them is a conflict, as it should be. A board
    without that file has the data of most entries.

    Args:
        folder: the leaderboard folder; made when the first entry is recorded.
        board: the board's name: letters, digits, ``_``, ``.`` and ``-``, not beginning with a dot.
        benchmark: the card whose metric ranks and whose bands are shown, whatever the entries say; without one, mean
            pixel error ranks.
        lock_timeout: seconds to wait for another process that is writing.

    Attributes:
        name: the board's.
        entries: the folder of its entries.
        csv: the path of its table.
        ranked_by: the name of the metric that ranks.
        kept: predictions and files of submissions.

    Raises:
        UsageError: the name cannot be a board's.
    """

    def __init__(self, folder: Path, board: str, benchmark: Benchmark | None = None, lock_timeout: float = 120) -> None:
        if not re.fullmatch(r"[\w-][\w.-]*", board):
            raise UsageError(
                f"{board!r} cannot be a board's name; take letters, digits, '_', '.' and '-', not beginning with a dot"
            )
        self.name = board
        self.csv = folder / f"{board}.csv"
        self.entries = folder / "entries" / board
        self._data = self.entries / "data.txt"
        self._index = folder / ".index" / f"{board}.sqlite"
        self._benchmark = benchmark
        self.ranked_by = benchmark.metric if benchmark else DEFAULT_METRIC
        self._lock = FileLock(folder / ".lock", timeout=lock_timeout)
        self._pending = Pending(folder, self._index.parent, board)
        self.kept = Kept(folder)

    @staticmethod
    def boards(folder: Path) -> list[str]:
        """The boards that have entries in this folder."""
        return sorted(path.name for path in (folder / "entries").glob("[!.]*") if path.is_dir())

    def file(self, entry: Entry) -> Path:
        """Where an entry is kept."""
        return self.entries / f"{entry.id}.json"

    def read(self, *, every: bool = True) -> Reading:
        """The table, and a sentence for each file that was left out of it.

        Args:
            every: whether to read every row; otherwise only the best of each author's submission, which is quicker.
        """
        return self._look(lambda index: self._reading(index, every)) or Reading([], [])

    def holds(self) -> Holds | None:
        """What the board holds entries of; None on an empty board."""
        return self._look(Index.holds)

    def nodes(self) -> list[Node]:
        """Every entry that can be read, with what it names."""
        return self._look(Index.nodes) or []

    def refuse_other_data(self, fingerprint: str) -> None:
        """Make sure that this board ranks entries of this data only.

        Raises:
            LeaderboardError: the board holds entries of other data.
        """
        self._compare_data(self.holds(), fingerprint)

    def record(self, entry: Entry, parcel: Parcel = NOTHING) -> Recorded:
        """Keep an entry, unless it is kept already, and rank it.

        Whenever this is killed, the board is whole: it has the entry with all that is kept with it, or nothing of it.

        Args:
            entry: of a grading.
            parcel: what to keep beside it.

        Raises:
            LeaderboardError: the board holds entries of other data, another process holds the lock, or something cannot
                be written. If the entry was kept, its `file` exists.
        """
        with self._locked():
            self._make_folder()
            if entry.regrade is not None:  # then the faces may be others, and the board is of those from now on
                self._write_data(entry)
            return self._with_index(lambda index: self._record(entry, parcel, index), edits=False)

    def examine(self) -> Examined:
        """What the entries' files say, all read anew, and the tables that were derived from them before.

        What a killed recording left behind is brought to its end first, unless this process may only read.
        """
        try:
            with self._locked():
                if self._pending.left_behind:
                    self._with_index(self._write_csv)
                return self._ask(None, self._examine)
        except LeaderboardError:
            return self._ask(None, self._examine)

    def rebuild(self) -> list[str]:
        """Make index and CSV again from the entries; returns a sentence for each file that was left out.

        Raises:
            LeaderboardError: another process holds the lock, or the CSV cannot be written.
        """
        with self._locked():
            self._make_folder()
            self._forget_index()
            return self._with_index(self._write_csv).problems

    def _reading(self, index: Index, every: bool) -> Reading:
        index.rank(self._benchmark)
        metric = METRICS[self.ranked_by]
        best = compared(index.best(), metric, self.kept)
        rows = with_standings(index.rows(), best) if every else []
        return Reading(rows, index.problems(), best, more_faces(best, metric, self.kept), index.reasons())

    def _record(self, entry: Entry, parcel: Parcel, index: Index) -> Recorded:
        if self._known_data() != entry.fingerprints.get("data"):
            self._compare_data(index.holds(), entry.fingerprints.get("data", ""))
        if not self._data.exists():
            self._write_data(entry)
        path = self.file(entry)
        if path.exists():
            with contextlib.suppress(LeaderboardError):
                entry = Entry.read(path)
        else:
            entry = linked(entry.model_copy(update={"kept": dict(parcel.hashes)}), index.heads())
            try:
                self._pending.begin(path, self.kept.missing(parcel.files))
                self.kept.write(parcel.files)
                write_atomically(path, entry.to_json().encode())
            except OSError as error:
                raise LeaderboardError(f"{path}: the entry could not be written: {error.strerror}") from error
            index.take(path)
        return replace(self._write_csv(index, entry.id), entry=entry)

    def _write_data(self, entry: Entry) -> None:
        if data := entry.fingerprints.get("data"):
            write_atomically(self._data, f"{data}\n".encode())

    def _write_csv(self, index: Index, entry_id: str = "") -> Recorded:
        index.rank(self._benchmark)
        own, table = table_of(index, METRICS[self.ranked_by], self.kept, entry_id)
        write_atomically(self.csv, table.encode())
        self._pending.end()
        return Recorded(own, index.problems())

    def _examine(self, index: Index) -> Examined:
        def lines(known: Index) -> list[tuple[str, bool, str]]:
            known.rank(self._benchmark)
            return known.lines()

        index.rank(self._benchmark)
        indexed = self._with_index(lines) if self._index.exists() else index.lines()
        changed = {each for each, _, _ in set(indexed) ^ set(index.lines())}
        return Examined(
            index.nodes(), table_of(index, METRICS[self.ranked_by], self.kept)[1], index.problems(), changed
        )

    def _compare_data(self, held: Holds | None, fingerprint: str) -> None:
        if held is not None and held.data != fingerprint:
            example = f" (such as {held.example})" if held.example else ""
            raise LeaderboardError(
                f"{self.csv}: holds entries of other data{example}, and scores on different data cannot be ranked "
                "together; name another board with --board NAME"
            )

    def _known_data(self) -> str | None:
        """What `data.txt` says.

        Raises:
            LeaderboardError: it does not say it.
        """
        if not self._data.exists():
            return None
        try:
            words = read_regular(self._data, _LONGEST_DATA).decode().split()
        except (OSError, ValueError):
            words = []
        if len(words) != 1:
            raise LeaderboardError(
                f"{self._data}: does not hold the fingerprint of one data set; write that of the board's data into it "
                "(key 'fingerprints.data' of an entry), or delete it: then the board has the data of most entries"
            )
        return words[0]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.csv.parent.mkdir(parents=True, exist_ok=True)
            with patiently(self._lock, self.csv.parent):
                self._pending.settle()
                yield
        except Timeout:
            raise LeaderboardError(
                f"{self._lock.lock_file}: another process has held the leaderboard's lock for "
                f"{self._lock.timeout:.0f} s; what is on the board is safe; wait until that process ends, then run "
                "`harness leaderboard rebuild`"
            ) from None
        except OSError as error:
            raise LeaderboardError(
                f"{self.csv}: could not be written: {error.strerror}; what is on the board is safe; mend that, then "
                "run `harness leaderboard rebuild`"
            ) from error

    def _make_folder(self) -> None:
        self.entries.mkdir(parents=True, exist_ok=True)
        attributes = self.csv.parent / ".gitattributes"
        if not attributes.exists():  # git puts two branches' tables together; the next recording derives one from both
            write_atomically(attributes, b"# Derived from the entries, each a file.\n*.csv merge=union\n")

    def _look(self, ask: Callable[[Index], _T]) -> _T | None:
        """Ask the index, or one in memory if there is none to open: reading a board needs no right to write."""
        if not self.entries.is_dir():
            return None
        try:
            with self._lock.acquire(timeout=min(_READER_WAITS, self._lock.timeout)):
                return self._with_index(ask)
        except (Timeout, OSError):
            pass
        try:
            return self._ask(None, ask)
        except OSError as error:
            raise LeaderboardError(f"{self.entries}: cannot be read: {error.strerror}") from error

    def _with_index(self, ask: Callable[[Index], _T], *, edits: bool = True) -> _T:
        """Ask the index; it is made again if it is damaged, and in memory if it cannot be written."""
        for prepare in (self._make_index_folder, self._forget_index):
            try:
                prepare()
            except OSError:
                break
            with contextlib.suppress(sqlite3.Error):
                return self._ask(self._index, ask, edits=edits)
        return self._ask(None, ask)

    def _ask(self, path: Path | None, ask: Callable[[Index], _T], *, edits: bool = True) -> _T:
        with contextlib.closing(Index(path, self.entries, self._known_data(), edits=edits)) as index:
            return ask(index)

    def _make_index_folder(self) -> None:
        ignored = self._index.parent / ".gitignore"
        if not ignored.exists():
            write_atomically(ignored, b"# Derived from the entries.\n*\n")

    def _forget_index(self) -> None:
        for path in (self._index, self._index.with_name(f"{self._index.name}-journal")):
            path.unlink(missing_ok=True)
