"""The leaderboard: entries as JSON files, and a ranked CSV per board that is derived from them.

leaderboard/entries/BOARD/ID.json     the record; never rewritten
leaderboard/BOARD.csv                 derived; safe to delete, rebuilt from the entries
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from harness.errors import LeaderboardError
from harness.files import write_atomically
from harness.grading.entry import Entry

COLUMNS = (
    "rank",
    "submission",
    "status",
    "mean_pixel_error",
    "mean_pixel_error_low",
    "mean_pixel_error_high",
    "rmse",
    "rmse_low",
    "rmse_high",
    "band",
    "nme",
    "failure_rate",
    "parameters",
    "training_seconds",
    "total_seconds",
    "peak_memory_mib",
    "device",
    "isolation",
    "held_out",
    "seed",
    "date",
    "id",
    "reason",
)


@dataclass(frozen=True)
class Reading:
    """What a board's folder of entries holds.

    Attributes:
        entries: the valid ones, best first, failed ones last.
        problems: a sentence for each file that was left out: no entry, or one of other data.
    """

    entries: list[Entry]
    problems: list[str]


class Leaderboard:
    """One board in a leaderboard folder.

    Args:
        folder: the leaderboard folder; made when the first entry is recorded.
        board: the board's name.
        lock_timeout: seconds to wait for another process that is writing.
    """

    def __init__(self, folder: Path, board: str, lock_timeout: float = 30) -> None:
        self.csv = folder / f"{board}.csv"
        self._entries = folder / "entries" / board
        self._lock = FileLock(folder / ".lock", timeout=lock_timeout)

    @staticmethod
    def boards(folder: Path) -> list[str]:
        """The boards that have entries in this folder."""
        return sorted(path.name for path in (folder / "entries").glob("*") if path.is_dir())

    def read(self) -> Reading:
        """All entries of the board's data, which is that of its oldest entry, ranked.

        Other data's entries, as somebody may copy them in, and files that are no entries are told, not hidden.
        """
        found, problems = [], []
        for path in sorted(self._entries.glob("*.json")):
            try:
                found.append((path, Entry.read(path)))
            except LeaderboardError as error:
                problems.append(str(error))
        entries: list[Entry] = []
        for path, entry in sorted(found, key=lambda each: (each[1].date, each[1].id)):
            if entries and entry.fingerprints.get("data") != entries[0].fingerprints.get("data"):
                problems.append(
                    f"{path}: is of other data than {entries[0].id}; move it to the folder of another board"
                )
            else:
                entries.append(entry)
        return Reading(sorted(entries, key=lambda entry: (entry.ranking_value, entry.date)), problems)

    def refuse_other_data(self, fingerprint: str) -> None:
        """Make sure that this board ranks entries of this data only.

        Raises:
            LeaderboardError: the board holds entries of other data.
        """
        others = [e for e in self.read().entries if e.fingerprints.get("data") != fingerprint]
        if others:
            raise LeaderboardError(
                f"{self.csv}: holds entries of other data (such as {others[0].id}), and scores on different data "
                "cannot be ranked together; name another board with --board NAME"
            )

    def record(self, entry: Entry) -> Path:
        """Keep an entry; `rebuild` then ranks it. Returns its file.

        Raises:
            LeaderboardError: it could not be written.
        """
        path = self._entries / f"{entry.id}.json"
        try:
            write_atomically(path, entry.to_json().encode())
        except OSError as error:
            raise LeaderboardError(f"{path}: the entry could not be written: {error.strerror}") from error
        return path

    def rebuild(self) -> list[str]:
        """Derive the CSV from the entries; returns a sentence for each file that is no entry.

        Raises:
            LeaderboardError: another process holds the lock, or the CSV cannot be written.
        """
        try:
            self.csv.parent.mkdir(parents=True, exist_ok=True)
            with self._lock:
                reading = self.read()
                write_atomically(self.csv, _table(reading.entries).encode())
        except Timeout:
            raise LeaderboardError(
                f"{self._lock.lock_file}: another process has held the leaderboard's lock for "
                f"{self._lock.timeout:.0f} s; the entries are safe; wait until it ends, then run "
                "`harness leaderboard rebuild`"
            ) from None
        except OSError as error:
            raise LeaderboardError(
                f"{self.csv}: could not be written: {error.strerror}; the entries are safe; mend that, then run "
                "`harness leaderboard rebuild`"
            ) from error
        return reading.problems


def _table(entries: list[Entry]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for rank, entry in enumerate(entries, start=1):
        writer.writerow({column: safe_cell(value) for column, value in _row(rank, entry).items()})
    return text.getvalue()


def _row(rank: int, entry: Entry) -> dict[str, object]:
    row: dict[str, object] = {
        "rank": rank if entry.status == "graded" else "",
        "submission": entry.submission,
        "status": entry.status,
        "band": entry.band or "",
        "parameters": entry.parameters if entry.parameters is not None else "",
        "training_seconds": f"{entry.seconds.training:.1f}",
        "total_seconds": f"{entry.seconds.total:.1f}",
        "peak_memory_mib": round(entry.peak_memory / 2**20),
        "device": entry.device,
        "isolation": entry.isolation,
        "held_out": entry.held_out,
        "seed": entry.seed if entry.seed is not None else "",
        "date": entry.date,
        "id": entry.id,
        "reason": entry.reason or "",
    }
    for name in ("mean_pixel_error", "rmse"):
        if name in entry.scores:
            score = entry.scores[name]
            row |= {name: f"{score.value:.4f}", f"{name}_low": f"{score.low:.4f}", f"{name}_high": f"{score.high:.4f}"}
    for name in ("nme", "failure_rate"):
        if name in entry.scores:
            row[name] = f"{entry.scores[name].value:.4f}"
    return row


def safe_cell(value: object) -> object:
    """One line, and never a formula: a spreadsheet runs cells that begin with one of these signs."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
