"""The index knows what the files say, whatever happens to them or to itself."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from support.entries import entry

from harness.board.leaderboard import Leaderboard
from harness.grading.entry import Entry

TESTS = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])


@pytest.fixture
def board(tmp_path: Path) -> Leaderboard:
    board = Leaderboard(tmp_path, "tiny", lock_timeout=0.1)
    for name, error in {"a": 1.0, "b": 2.0}.items():
        board.record(entry(name, error))
    return board


@pytest.fixture
def was_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the entry files that are read from now on."""
    names, read = [], Entry.read

    def noting(path: Path) -> Entry:
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(Entry, "read", noting)
    return names


def index_of(board: Leaderboard) -> Path:
    return board.csv.parent / ".index" / "tiny.sqlite"


def names(board: Leaderboard) -> list[str]:
    return [row.submission for row in board.read().rows]


def test_recording_an_entry_reads_no_other(board: Leaderboard, was_read: list[str]) -> None:
    board.record(entry("c", 0.5))

    assert was_read == ["20260101T000000-c.json"]
    assert names(board) == ["c", "a", "b"]


def test_entries_that_were_copied_in_edited_or_deleted_are_noticed(board: Leaderboard) -> None:
    copied, edited = entry("c", 3.0), entry("b", 2.0)
    board.file(copied).write_text(copied.to_json())
    assert names(board) == ["a", "b", "c"]

    board.file(edited).write_text(board.file(edited).read_text().replace('"value": 2.0', '"value": 0.25'))
    assert names(board) == ["b", "a", "c"]

    board.file(copied).unlink()
    assert names(board) == ["b", "a"]


def test_what_was_mended_without_a_change_of_the_file_is_read_again(board: Leaderboard) -> None:
    path = board.file(entry("b", 2.0))
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))
    path.with_suffix(".moved").rename(path.with_suffix(".away"))
    assert len(board.read().problems) == 1

    path.with_suffix(".away").rename(path.with_suffix(".moved"))
    assert names(board) == ["a", "b"] and board.read().problems == []


@pytest.mark.parametrize("damage", ["missing", "not a database", "cut in half", "of another version"])
def test_an_index_that_cannot_be_used_is_made_again(board: Leaderboard, damage: str, was_read: list[str]) -> None:
    index = index_of(board)
    if damage == "of another version":
        with sqlite3.connect(index) as db:
            db.execute("ALTER TABLE files RENAME TO entries")
            db.execute("PRAGMA user_version = 7")
        db.close()
    else:
        whole = index.read_bytes()
        index.unlink()
        if damage == "not a database":
            index.write_bytes(b"rank,submission" * 1000)
        elif damage == "cut in half":
            index.write_bytes(whole[: len(whole) // 2])

    assert board.record(entry("c", 3.0)).rank == 3
    assert names(board) == ["a", "b", "c"]
    assert {"20260101T000000-a.json", "20260101T000000-b.json"} <= set(was_read)


def test_a_board_that_may_only_be_read_can_be_read(board: Leaderboard, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", refused)

    assert names(board) == ["a", "b"]


def test_reading_an_empty_board_leaves_nothing_behind(tmp_path: Path) -> None:
    assert Leaderboard(tmp_path / "leaderboard", "tiny").read().rows == []
    assert not (tmp_path / "leaderboard").exists()


def test_git_does_not_take_the_index_along(board: Leaderboard) -> None:
    folder = board.csv.parent
    subprocess.run(["git", "init", "--quiet", folder], check=True)

    untracked = subprocess.run(
        ["git", "-C", folder, "status", "--porcelain", "-uall"], capture_output=True, text=True, check=True
    ).stdout

    assert "entries/tiny" in untracked and ".index" not in untracked


KILLED = """
import os, sys
from pathlib import Path
from support.entries import entry
from harness.board.leaderboard import Leaderboard
from harness.board.table import Row

Row.to_json = lambda _: os.kill(os.getpid(), 9)
Leaderboard(Path(sys.argv[1]), "tiny").record(entry("c", 0.5))
"""


def test_a_kill_while_the_index_takes_an_entry_loses_nothing(board: Leaderboard) -> None:
    environment = {**os.environ, "PYTHONPATH": TESTS}
    command = [sys.executable, "-c", KILLED, board.csv.parent]
    killed = subprocess.run(command, env=environment, check=False)

    assert killed.returncode == -9
    assert names(board) == ["c", "a", "b"]
    assert board.record(entry("d", 0.25)).rank == 1
