"""Each entry names the hashes of those that stood when it was recorded."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.entries import entry

from harness.board.leaderboard import Leaderboard
from harness.board.links import MOST_HEADS, hash_of
from harness.grading.entry import Entry


@pytest.fixture
def board(tmp_path: Path) -> Leaderboard:
    return Leaderboard(tmp_path / "leaderboard", "tiny")


def record(board: Leaderboard, name: str) -> Entry:
    recorded = board.record(entry(name, 1.0)).entry
    assert recorded is not None
    return recorded


def test_each_entry_names_the_one_before_it(board: Leaderboard) -> None:
    first, second, third = (record(board, name) for name in "abc")

    assert first.heads == {}
    assert second.heads == {first.id: first.hash}
    assert third.heads == {second.id: second.hash}


def test_the_hash_is_that_of_the_file_without_its_last_two_lines(board: Leaderboard) -> None:
    recorded = record(board, "a")
    lines = board.file(recorded).read_bytes().splitlines(keepends=True)
    printed = subprocess.run(["sha256sum"], input=b"".join(lines[:-2]), capture_output=True, check=True).stdout

    assert recorded.hash == printed.split()[0].decode() == hash_of(board.file(recorded).read_bytes())
    assert hash_of(b"".join(lines).replace(b"\n", b"\r\n")) == recorded.hash


def test_entries_of_before_are_named_too(board: Leaderboard) -> None:
    old = entry("old", 1.0)
    board.file(old).parent.mkdir(parents=True)
    board.file(old).write_text(old.to_json())

    assert record(board, "new").heads == {old.id: hash_of(board.file(old).read_bytes())}


def test_more_heads_than_an_entry_names_are_named_by_the_next(board: Leaderboard) -> None:
    for number in range(MOST_HEADS + 10):
        old = entry(f"old{number:03}", 1.0)
        board.file(old).parent.mkdir(parents=True, exist_ok=True)
        board.file(old).write_text(old.to_json())

    first, second, third = (record(board, name) for name in "abc")

    assert len(first.heads or {}) == MOST_HEADS
    assert first.id in (second.heads or {}) and len(second.heads or {}) == 11
    assert third.heads == {second.id: second.hash}


def test_an_entry_that_is_gone_leaves_those_that_it_named_as_heads(board: Leaderboard) -> None:
    first, second = record(board, "a"), record(board, "b")
    board.file(second).unlink()

    assert record(board, "c").heads == {first.id: first.hash}


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", "-C", folder, *identity, *words], capture_output=True, text=True, check=True).stdout


def test_the_entries_of_two_branches_merge_without_a_conflict(tmp_path: Path, board: Leaderboard) -> None:
    git(tmp_path, "init", "--quiet")
    record(board, "first")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    git(tmp_path, "branch", "other")
    ours = record(board, "ours")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "ours")
    git(tmp_path, "checkout", "-q", "other")
    theirs = record(board, "theirs")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "theirs")

    git(tmp_path, "merge", "--no-edit", "main")

    assert sorted(row.submission for row in board.read().rows) == ["first", "ours", "theirs"]
    assert record(board, "both").heads == {ours.id: ours.hash, theirs.id: theirs.hash}
