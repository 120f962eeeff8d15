from __future__ import annotations

import csv
import errno
import json
import os
import re
from pathlib import Path

import pytest
from filelock import FileLock
from support.entries import entry
from support.tiny import CARD, REPOSITORY

from harness.benchmark import Benchmark, load_benchmark
from harness.board.leaderboard import Leaderboard
from harness.board.results import Recorded
from harness.board.table import COLUMNS
from harness.errors import LeaderboardError, UsageError
from harness.estimates import Estimate
from harness.grading.entry import Entry
from harness.reporting.console import board_table


def rows(board: Leaderboard) -> list[dict[str, str]]:
    return list(csv.DictReader(board.csv.read_text().splitlines()))


@pytest.fixture
def board(tmp_path: Path) -> Leaderboard:
    return Leaderboard(tmp_path, "tiny", lock_timeout=0.1)


def card(folder: Path, *changes: tuple[str, str]) -> Benchmark:
    text = CARD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "tiny.toml").write_text(text)
    return load_benchmark(folder / "tiny.toml")


def test_the_csv_ranks_the_entries_and_puts_failures_last(board: Leaderboard) -> None:
    recorded = [
        board.record(each) for each in (entry("b", 2.0), entry("c", None, reason="it crashed"), entry("a", 1.0))
    ]

    assert [each.rank for each in recorded] == [1, None, 1]
    assert [(row["rank"], row["submission"], row["mean_pixel_error"]) for row in rows(board)] == [
        ("1", "a", "1.0000"),
        ("2", "b", "2.0000"),
        ("", "c", ""),
    ]
    assert rows(board)[2]["reason"] == "it crashed"
    assert tuple(rows(board)[0]) == COLUMNS


def test_a_row_says_who_handed_in_what_and_where_it_was_trained(board: Leaderboard) -> None:
    board.record(entry("model", 1.0, author="ana", trained="brought"))

    assert [(row["author"], row["submission"], row["trained"]) for row in rows(board)] == [("ana", "model", "brought")]
    assert board.read().rows[0].name == "ana/model"


def test_an_entry_comes_back_as_it_was_written(board: Leaderboard) -> None:
    written = entry("a", 1.25, overrides={"epochs": 3}, networks=[{"epochs": 3}], flags=["look"])
    recorded = board.record(written).entry

    assert Entry.read(board.file(written)) == recorded
    assert recorded.model_copy(update={"heads": None, "hash": ""}) == written


def test_an_entry_that_is_recorded_again_stays_as_it_is(board: Leaderboard) -> None:
    board.record(entry("a", 1.25))

    assert board.record(entry("a", 0.25)) == Recorded(1, [])
    assert [row["mean_pixel_error"] for row in rows(board)] == ["1.2500"]


@pytest.mark.parametrize("field", ["author", "submission", "device", "reason"])
def test_what_a_competitor_writes_is_one_line_and_no_formula(board: Leaderboard, field: str) -> None:
    board.record(entry("a", None).model_copy(update={field: '=HYPERLINK("evil")\nsecond line'}))

    assert rows(board)[0][field] == '\'=HYPERLINK("evil") second line'


def test_a_board_ranks_by_its_cards_metric_whatever_an_entry_says(tmp_path: Path) -> None:
    by_rmse = Leaderboard(tmp_path, "tiny", card(tmp_path, ('"mean_pixel_error"', '"rmse"')))
    sharp, even = entry("sharp", 1.0), entry("even", 1.1, metric="median")
    sharp.scores["rmse"] = Estimate(3, 2, 4)
    for each in (sharp, even):
        by_rmse.record(each)

    assert [each.submission for each in by_rmse.read().rows] == ["even", "sharp"]


def test_after_a_change_of_the_card_old_entries_are_ranked_and_banded_by_the_new_one(tmp_path: Path) -> None:
    board = Leaderboard(tmp_path, "tiny", card(tmp_path))
    precise, lucky, old = entry("precise", 1.0), entry("lucky", 1.1), entry("old", 0.9)
    precise.scores["auc"], lucky.scores["auc"] = Estimate(0.3, 0.2, 0.4), Estimate(0.7, 0.6, 0.8)
    for each in (precise, lucky, old):
        board.record(each)
    bands = (
        ("ok = 20.0", "ok = 0.2"),
        ("very_good = 10.0", "very_good = 0.4"),
        ("outstanding = 0.5", "outstanding = 0.6"),
    )
    changed = Leaderboard(tmp_path, "tiny", card(tmp_path, ('"mean_pixel_error"', '"auc"'), *bands))

    (problem,) = changed.rebuild()

    assert [(row["rank"], row["submission"], row["band"]) for row in rows(board)] == [
        ("1", "lucky", "outstanding"),
        ("2", "precise", "ok"),
    ]
    assert str(board.file(old)) in problem and "no number at key 'scores.auc'" in problem and "grade" in problem
    assert [row.submission for row in board.read().rows] == ["old", "precise", "lucky"]


def test_the_bands_of_a_board_are_its_cards(tmp_path: Path) -> None:
    unknown = Leaderboard(tmp_path, "tiny")
    unknown.record(entry("a", 9.5, band="ok"))
    assert unknown.read().rows[0].band == "ok"

    assert Leaderboard(tmp_path, "tiny", card(tmp_path)).read().rows[0].band == "very_good"


def test_the_points_of_a_board_are_its_cards(tmp_path: Path) -> None:
    unknown = Leaderboard(tmp_path, "tiny")
    for each in (entry("a", 9.5, points=7.5, max_points=9), entry("b", None), entry("old", 30.0)):
        unknown.record(each)
    assert [(row["points"], row["max_points"]) for row in rows(unknown)] == [("7.5", "9"), ("", ""), ("", "")]

    known = Leaderboard(tmp_path, "tiny", card(tmp_path))
    known.rebuild()

    assert [(row["points"], row["max_points"]) for row in rows(known)] == [("2", "3"), ("0", "3"), ("0", "3")]
    assert [(row.points, row.max_points) for row in known.read().rows] == [(2, 3), (0, 3), (0, 3)]


@pytest.mark.parametrize("name", ["../x", "a/b", "..", ".hidden", "", "a b", "/tmp/x"])
def test_a_boards_name_never_leaves_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a board's name; take letters"):
        Leaderboard(tmp_path, name)


@pytest.mark.parametrize("name", ["spring-2026", "kaggle_v1.2", "größe"])
def test_a_boards_name_may_hold_letters_digits_and_a_few_signs(tmp_path: Path, name: str) -> None:
    board = Leaderboard(tmp_path, name)
    board.record(entry("a", 1.0))

    assert Leaderboard.boards(tmp_path) == [name]
    assert board.csv == tmp_path / f"{name}.csv" and board.csv.exists()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text[:-20], "is not an entry"),
        (lambda text: text.replace('"status": "graded"', '"status": "great"'), "key 'status'"),
        (
            lambda text: text.replace('"mean_pixel_error": {', '"mean_error": {'),
            "no number at key 'scores.mean_pixel_error'",
        ),
        (
            lambda text: text.replace('"value": 2.0', '"value": NaN'),
            "value': Input should be a finite number",
        ),
        (lambda text: json.dumps(json.loads(text) | {"seconds": 5}), "key 'seconds'"),
    ],
)
def test_a_badly_edited_entry_is_told_and_takes_no_other_along(board: Leaderboard, edit, message: str) -> None:
    board.record(entry("a", 1.0))
    board.record(entry("b", 2.0))
    bad = board.file(entry("b", 2.0))
    bad.write_text(edit(bad.read_text()))

    problems = board.rebuild()

    assert len(problems) == 1 and str(bad) in problems[0] and message in problems[0] and "restore" in problems[0]
    assert [row["submission"] for row in rows(board)] == ["a"]


def test_a_badly_edited_csv_is_derived_anew(board: Leaderboard) -> None:
    board.record(entry("a", 1.0))
    board.csv.write_text("rank,nonsense\n1,I won\n")

    board.rebuild()

    assert [row["submission"] for row in rows(board)] == ["a"]


def test_a_lock_held_by_another_process_leaves_the_board_safe_and_readable(board: Leaderboard, tmp_path: Path) -> None:
    board.record(entry("a", 1.0))

    with FileLock(tmp_path / ".lock"):
        with pytest.raises(LeaderboardError, match=r"another process.*what is on the board is safe"):
            board.rebuild()
        with pytest.raises(LeaderboardError, match=r"another process"):
            board.record(entry("b", 2.0))
        assert [row.submission for row in board.read().rows] == ["a"]

    assert board.record(entry("b", 2.0)) == Recorded(2, [])


def test_a_full_disk_keeps_the_old_csv(board: Leaderboard, monkeypatch: pytest.MonkeyPatch) -> None:
    board.record(entry("a", 1.0))
    before = board.csv.read_text()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(LeaderboardError, match="No space left on device; what is on the board is safe"):
            board.rebuild()
        with pytest.raises(LeaderboardError, match="the entry could not be written: No space left"):
            board.record(entry("b", 0.5))

    assert board.csv.read_text() == before
    assert not list(board.csv.parent.glob(".tiny*"))
    board.record(entry("b", 0.5))
    assert [row["submission"] for row in rows(board)] == ["b", "a"]


def test_entries_of_other_data_are_refused(board: Leaderboard) -> None:
    board.refuse_other_data("other")
    board.record(entry("a", 1.0))
    other = entry("b", 0.5, fingerprints={"source": "s", "data": "other"})

    board.refuse_other_data("d")
    with pytest.raises(LeaderboardError, match="--board NAME"):
        board.refuse_other_data("other")
    # Two first gradings of a board that ran at the same time both passed that check.
    with pytest.raises(LeaderboardError, match="--board NAME"):
        board.record(other)
    assert not board.file(other).exists()
    assert [row["submission"] for row in rows(board)] == ["a"]


def test_an_entry_of_other_data_that_was_copied_in_is_told_and_not_ranked(board: Leaderboard) -> None:
    board.record(entry("a", 2.0))
    copied = entry("b", 1.0, fingerprints={"source": "s", "data": "other"}, date="2026-01-02T00:00:00Z")
    board.file(copied).write_text(copied.to_json())

    (problem,) = board.rebuild()

    assert [row["submission"] for row in rows(board)] == ["a"]
    assert str(board.file(copied)) in problem and "other data" in problem and "another board" in problem


def test_the_readme_explains_every_column_in_order() -> None:
    table = (REPOSITORY / "leaderboard" / "README.md").read_text().split("## Columns")[1]
    lines = [line for line in table.splitlines() if line.startswith("| `")]

    assert tuple(name for line in lines for name in re.findall(r"`(\w+)`", line.split(" | ")[0])) == COLUMNS


OTHER = {"source": "s", "data": "other"}


def put(board: Leaderboard, each: Entry) -> None:
    """Copy an entry in by hand."""
    board.file(each).parent.mkdir(parents=True, exist_ok=True)
    board.file(each).write_text(each.to_json())


def test_no_entry_takes_a_board_over_by_its_date(board: Leaderboard) -> None:
    board.record(entry("a", 1.0))
    put(board, entry("z", 0.1, date="0001-01-01T00:00:00Z", fingerprints=OTHER, benchmark="mine"))

    assert board.record(entry("b", 2.0)).rank == 2
    assert [row["submission"] for row in rows(board)] == ["a", "b"]
    assert board.holds().benchmark == "tiny"
    (problem,) = board.read().problems
    assert "20260101T000000-z.json: is of other data than this board's (such as 20260101T000000-a)" in problem


def test_however_many_entries_of_other_data_are_copied_in_the_first_decides(board: Leaderboard) -> None:
    board.record(entry("a", 1.0))
    for number in range(3):
        put(board, entry(f"z{number}", 0.1, fingerprints=OTHER))

    assert [row.submission for row in board.read().rows] == ["a"]
    board.refuse_other_data("d")


def test_a_board_that_does_not_say_its_data_has_that_of_most_entries(board: Leaderboard) -> None:
    for name in "ab":
        put(board, entry(name, 1.0))
    put(board, entry("z", 0.1, date="0001-01-01T00:00:00Z", fingerprints=OTHER))

    assert [row.submission for row in board.read().rows] == ["a", "b"]


@pytest.mark.parametrize("text", ["", "<<<<<<< ours\nd\n=======\nother\n>>>>>>> theirs\n", "\udcff"])
def test_a_board_whose_data_is_in_conflict_says_so(board: Leaderboard, text: str) -> None:
    board.record(entry("a", 1.0))
    path = board.file(entry("a", 1.0)).parent / "data.txt"
    path.write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(LeaderboardError, match=r"data.txt: does not hold the fingerprint of one data set; write"):
        board.read()


@pytest.mark.timeout(10)
def test_a_pipe_in_the_place_of_an_entry_is_not_waited_for(board: Leaderboard) -> None:
    board.record(entry("a", 1.0))
    os.mkfifo(board.file(entry("z", 1.0)))

    reading = board.read()

    assert [row.submission for row in reading.rows] == ["a"]
    assert "z.json: is not an entry (it is a folder, a pipe or a device" in reading.problems[0]


@pytest.mark.parametrize(
    "change",
    [
        {"peak_memory": 10**400},
        {"parameters": 10**400},
        {"seconds": {"total": 1e999, "training": 1}},
        {"scores": {"mean_pixel_error": {"value": 1, "low": float("-inf"), "high": 1}}},
        {"scores": {"mean_pixel_error": {"value": 1, "low": 1, "high": 1}}},
        {"submission": "a\x1b[31m\u202e\n::error::", "reason": "\x1b"},
        {"log_tail": "[" * 100_000},
        {"recipe": {"a": [[[[[[]]]]]]}},
    ],
    ids=str,
)
def test_a_forged_entry_is_shown_or_left_out_with_a_sentence(board: Leaderboard, change: dict[str, object]) -> None:
    board.record(entry("a", 1.0))
    forged = json.loads(entry("z", 2.0).to_json()) | change
    board.file(entry("z", 2.0)).write_text(json.dumps(forged))

    board.rebuild()
    reading = board.read()

    assert len(reading.rows) + len(reading.problems) == 2
    shown = board_table("tiny", reading.rows, "mean_pixel_error", every=True) + board.csv.read_text()
    assert not set(shown) & {"\x1b", "\u202e"}
