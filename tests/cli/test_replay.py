"""``harness replay`` and ``harness leaderboard regrade``, as they are typed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from support.submissions import NETWORK
from support.tiny import SIDE, Tiny

from harness.benchmark import load_benchmark
from harness.board.kept import SOURCE, Kept
from harness.board.leaderboard import Leaderboard
from harness.cli import main
from harness.cli.grade import main as grade
from harness.datasets.opening import open_split
from harness.grading.entry import Entry
from harness.grading.predictions import write_wide


def entries() -> list[Entry]:
    return [Entry.read(path) for path in sorted(Path("leaderboard/entries/tiny").glob("*.json"))]


def table(tiny: Tiny, author: str, offset: float, rows: int | None = None) -> None:
    """Grade a table of predictions, which needs no worker."""
    held_out = open_split(load_benchmark(tiny.card), tiny.data).held_out
    count = rows or len(held_out)
    path = tiny.root / "mine.csv"
    points = np.full((count, 15, 2), SIDE / 2 + offset, np.float32)
    write_wide(path, points, np.arange(1, count + 1), held_out.layout)
    grade([str(path), "--author", author, "--benchmark", str(tiny.card), "--data", str(tiny.data)])
    path.unlink()


def replay(tiny: Tiny, entry: str, *words: str) -> int:
    return main(["replay", entry, "--benchmark", str(tiny.card), "--data", str(tiny.data), *words])


def regrade(tiny: Tiny, *words: str) -> int:
    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data)]
    return main(["leaderboard", "regrade", "tiny", *data, *words])


def shift_labels(tiny: Tiny, pixels: float) -> None:
    """The teacher mends the labels."""
    path = tiny.data / "training.csv"
    header, *lines = path.read_text().splitlines()
    moved = [
        ",".join([*(str(float(cell) + pixels) if cell else "" for cell in line.split(",")[:-1]), line.split(",")[-1]])
        for line in lines
    ]
    path.write_text("\n".join([header, *moved]) + "\n")


def test_a_network_is_trained_again_with_the_entrys_own_conditions(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data)]
    path = tiny.submission(NETWORK)
    assert grade([str(path), *data, "--epochs", "1", "--seed", "7", "--threads", "1", "--device", "cpu"]) == 0
    path.unlink()
    (entry,) = entries()
    capsys.readouterr()

    assert replay(tiny, entry.id[:20]) == 0

    said = capsys.readouterr().out
    assert f"mine ({entry.id})" in said and "then: the same" in said and "note:" not in said
    assert len(entries()) == 1


def test_a_score_outside_the_old_interval_is_said_by_the_exit_code(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tiny, "ana", 0)
    (entry,) = entries()
    low, high = entry.scores["mean_pixel_error"].low, entry.scores["mean_pixel_error"].high
    path = Path(f"leaderboard/entries/tiny/{entry.id}.json")
    boasting = json.loads(path.read_text())
    boasting["scores"]["mean_pixel_error"] = {"value": 0.5, "low": 0.4, "high": 0.6}
    path.write_text(json.dumps(boasting))

    assert replay(tiny, str(path)) == 1
    assert "0.50  [0.40, 0.60] then: outside" in capsys.readouterr().out and low < high


def test_a_failure_fails_again(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    table(tiny, "ana", 0, rows=2)

    assert replay(tiny, entries()[0].id) == 0
    assert "it failed again" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["not kept", "missing", "another's"])
def test_without_the_source_that_was_graded_nothing_is_graded_again(
    tiny: Tiny, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tiny, "ana", 0)
    table(tiny, "ben", 1)
    entry, other = sorted(entries(), key=lambda entry: entry.author)
    path = Path(f"leaderboard/entries/tiny/{entry.id}.json")
    if damage == "missing":
        Kept(Path("leaderboard")).path(SOURCE, entry.kept[SOURCE]).unlink()
    else:
        kept = {} if damage == "not kept" else {SOURCE: other.kept[SOURCE]}
        path.write_text(json.dumps(json.loads(path.read_text()) | {"kept": kept}))

    assert replay(tiny, entry.id) == 3
    said = capsys.readouterr().err
    assert {"not kept": "no source was kept", "missing": "is missing", "another's": "is not the one"}[damage] in said


def test_an_entry_on_other_faces_is_not_compared(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    table(tiny, "ana", 0)
    shift_labels(tiny, 0.5)

    assert replay(tiny, entries()[0].id) == 3
    assert "other faces than those here" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "message"), [("nobody", "no entry's id begins"), ("20", "2 entries' ids begin")])
def test_an_entry_that_is_not_meant_clearly_is_asked_for(
    tiny: Tiny, words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tiny, "ana", 0)
    table(tiny, "ben", 1)

    assert replay(tiny, words) == 3
    assert message in capsys.readouterr().err


def changes() -> list[dict[str, str]]:
    (path,) = Path("leaderboard/regrades").glob("tiny-*.csv")
    return list(csv.DictReader(path.read_text().splitlines()))


def test_after_a_fix_of_the_labels_the_board_is_graded_anew(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.card.write_text(tiny.card.read_text().replace("very_good = 10.0", "very_good = 8.0"))
    table(tiny, "ana", 0)
    table(tiny, "ben", 4)
    old = {entry.author: entry for entry in entries()}
    shift_labels(tiny, 4)
    capsys.readouterr()

    assert regrade(tiny, "--reason", "labels were 4 px off") == 0

    said = capsys.readouterr()
    board = Leaderboard(Path("leaderboard"), "tiny", load_benchmark(tiny.card)).read()
    assert [row.author for row in board.rows] == ["ben", "ana"] and board.problems == []
    new = {row.author: Entry.read(Path(f"leaderboard/entries/tiny/{row.id}.json")) for row in board.rows}
    assert {author: entry.regrade.of for author, entry in new.items()} == {"ana": old["ana"].id, "ben": old["ben"].id}
    assert {entry.regrade.reason for entry in new.values()} == {"labels were 4 px off"}
    assert "fell: ana/mine: " in said.out and "very good to ok, 2 to 1 points" in said.out
    assert "fell: ben" not in said.out and "2 of 2 entries graded anew, 1 grades fell" in said.out
    rows = {row["author"]: row for row in changes()}
    assert (rows["ana"]["fell"], rows["ben"]["fell"]) == ("yes", "no")
    assert rows["ana"]["before_id"] == old["ana"].id and rows["ana"]["after_id"] == new["ana"].id
    assert float(rows["ana"]["change"]) == pytest.approx(
        float(rows["ana"]["after"]) - float(rows["ana"]["before"]), abs=1e-3
    )
    assert main(["leaderboard", "verify", "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 0


def test_after_a_change_of_the_card_a_board_that_was_graded_anew_is_as_recorded(tiny: Tiny) -> None:
    table(tiny, "ana", 0)
    tiny.card.write_text(tiny.card.read_text().replace("very_good = 10.0", "very_good = 1.0"))
    verify = ["leaderboard", "verify", "--benchmark", str(tiny.card), "--data", str(tiny.data)]
    assert main(verify) == 1

    assert regrade(tiny) == 0

    assert main(verify) == 0


def test_what_was_graded_anew_for_a_reason_is_not_graded_anew_for_it_again(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tiny, "ana", 0)
    assert regrade(tiny, "--reason", "a fix") == 0
    table(tiny, "ben", 1)

    assert regrade(tiny, "--reason", "a fix") == 0
    assert [entry.author for entry in entries()].count("ana") == 2
    assert [entry.author for entry in entries()].count("ben") == 2

    assert regrade(tiny, "--reason", "a fix") == 0
    assert "was graded anew already for this reason" in capsys.readouterr().err and len(entries()) == 4
    assert regrade(tiny, "--reason", "another fix") == 0
    assert len(entries()) == 6 and len(Leaderboard(Path("leaderboard"), "tiny").read().rows) == 2


def test_one_author_can_be_graded_anew(tiny: Tiny) -> None:
    table(tiny, "ana", 0)
    table(tiny, "ben", 1)

    assert regrade(tiny, "--author", "ben") == 0
    assert [row["author"] for row in changes()] == ["ben"] and len(entries()) == 3


def test_one_author_alone_is_not_moved_to_other_faces(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    table(tiny, "ana", 0)
    shift_labels(tiny, 1)

    assert regrade(tiny, "--author", "ana") == 3
    assert "leave --author out" in capsys.readouterr().err and len(entries()) == 1


def test_an_entry_that_cannot_be_graded_anew_is_named_and_takes_no_other_along(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tiny, "ana", 0)
    table(tiny, "ben", 1)
    ana = next(entry for entry in entries() if entry.author == "ana")
    Kept(Path("leaderboard")).path(SOURCE, ana.kept[SOURCE]).unlink()

    assert regrade(tiny) == 3
    shown = capsys.readouterr()
    assert "1 of 2 entries graded anew" in shown.out and "is missing" in shown.err
    assert [row["author"] for row in changes()] == ["ben"]


def test_an_unknown_author_is_told_who_there_is(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    table(tiny, "ana", 0)

    assert regrade(tiny, "--author", "nobody") == 3
    assert "no entry of author 'nobody'; it has those of ana" in capsys.readouterr().err
