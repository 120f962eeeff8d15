from __future__ import annotations

import csv
import errno
import json
from pathlib import Path

import pytest
from filelock import FileLock

from harness.board.leaderboard import COLUMNS, Leaderboard
from harness.errors import LeaderboardError
from harness.grading.entry import Entry, Score, Seconds


def entry(name: str, error: float | None, **changes: object) -> Entry:
    scores = {} if error is None else dict.fromkeys(("mean_pixel_error", "rmse"), Score(value=error, low=1, high=9))
    return Entry(
        id=f"20260101T000000-{name}",
        submission=name,
        benchmark="tiny",
        board="tiny",
        date="2026-01-01T00:00:00Z",
        status="failed" if error is None else "graded",
        metric="mean_pixel_error",
        scores=scores,
        isolation="landlock",
        device="cpu",
        seconds=Seconds(total=2, training=1),
        peak_memory=2**30,
        fingerprints={"source": "s", "data": "d"},
    ).model_copy(update=changes)


def rows(board: Leaderboard) -> list[dict[str, str]]:
    return list(csv.DictReader(board.csv.read_text().splitlines()))


@pytest.fixture
def board(tmp_path: Path) -> Leaderboard:
    return Leaderboard(tmp_path, "tiny", lock_timeout=0.1)


def test_the_csv_ranks_the_entries_and_puts_failures_last(board: Leaderboard) -> None:
    for each in (entry("b", 2.0), entry("c", None, reason="it crashed"), entry("a", 1.0)):
        board.record(each)
    board.rebuild()

    assert [(row["rank"], row["submission"], row["mean_pixel_error"]) for row in rows(board)] == [
        ("1", "a", "1.0000"),
        ("2", "b", "2.0000"),
        ("", "c", ""),
    ]
    assert rows(board)[2]["reason"] == "it crashed"
    assert tuple(rows(board)[0]) == COLUMNS


def test_an_entry_comes_back_as_it_was_written(board: Leaderboard) -> None:
    path = board.record(entry("a", 1.25))

    assert Entry.read(path) == entry("a", 1.25)


def test_what_a_competitor_writes_is_one_line_and_no_formula(board: Leaderboard) -> None:
    board.record(entry("a", None, reason='=HYPERLINK("evil")\nsecond line'))
    board.rebuild()

    assert rows(board)[0]["reason"] == '\'=HYPERLINK("evil") second line'


def test_a_board_may_rank_by_rmse(board: Leaderboard) -> None:
    first, second = entry("a", 1.0, metric="rmse"), entry("b", 1.0, metric="rmse")
    first.scores["rmse"] = Score(value=3, low=2, high=4)
    for each in (first, second):
        board.record(each)

    assert [each.submission for each in board.read().entries] == ["b", "a"]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text[:-20], "is not an entry"),
        (lambda text: text.replace('"status": "graded"', '"status": "great"'), "key 'status'"),
        (lambda text: text.replace('"mean_pixel_error": {', '"mean_error": {'), "'scores.mean_pixel_error' is missing"),
        (lambda text: json.dumps(json.loads(text) | {"seconds": 5}), "key 'seconds'"),
    ],
)
def test_a_badly_edited_entry_is_told_and_takes_no_other_along(board: Leaderboard, edit, message: str) -> None:
    board.record(entry("a", 1.0))
    bad = board.record(entry("b", 2.0))
    bad.write_text(edit(bad.read_text()))

    problems = board.rebuild()

    assert len(problems) == 1 and str(bad) in problems[0] and message in problems[0] and "restore" in problems[0]
    assert [row["submission"] for row in rows(board)] == ["a"]


def test_a_badly_edited_csv_is_derived_anew(board: Leaderboard) -> None:
    board.record(entry("a", 1.0))
    board.csv.write_text("rank,nonsense\n1,I won\n")

    board.rebuild()

    assert [row["submission"] for row in rows(board)] == ["a"]


def test_a_lock_held_by_another_process_leaves_the_entry_safe(board: Leaderboard, tmp_path: Path) -> None:
    path = board.record(entry("a", 1.0))

    with FileLock(tmp_path / ".lock"), pytest.raises(LeaderboardError, match=r"another process.*the entries are safe"):
        board.rebuild()

    assert path.exists()
    assert board.rebuild() == []


def test_a_full_disk_keeps_the_old_csv(board: Leaderboard, monkeypatch: pytest.MonkeyPatch) -> None:
    board.record(entry("a", 1.0))
    board.rebuild()
    before = board.csv.read_text()
    board.record(entry("b", 0.5))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(LeaderboardError, match="No space left on device; the entries are safe"):
            board.rebuild()
        with pytest.raises(LeaderboardError, match="could not be written: No space left"):
            board.record(entry("c", 0.5))

    assert board.csv.read_text() == before
    assert not list(board.csv.parent.glob(".tiny*"))
    board.rebuild()
    assert [row["submission"] for row in rows(board)] == ["b", "a"]


def test_entries_of_other_data_are_refused(board: Leaderboard) -> None:
    board.record(entry("a", 1.0))

    board.refuse_other_data("d")
    with pytest.raises(LeaderboardError, match="--board NAME"):
        board.refuse_other_data("other")


def test_an_entry_of_other_data_that_was_copied_in_is_told_and_not_ranked(board: Leaderboard) -> None:
    board.record(entry("a", 2.0))
    copied = board.record(entry("b", 1.0, fingerprints={"source": "s", "data": "other"}, date="2026-01-02T00:00:00Z"))

    (problem,) = board.rebuild()

    assert [row["submission"] for row in rows(board)] == ["a"]
    assert str(copied) in problem and "other data" in problem and "another board" in problem
