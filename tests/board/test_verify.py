"""`harness leaderboard verify` names each row that somebody changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.entries import entry
from support.tampering import KINDS, Board, copy_of, honest, made_anew
from support.tiny import CARD

from harness.benchmark import load_benchmark
from harness.board.leaderboard import Leaderboard

LATER = {"hash", "heads", "kept", "asked", "regrade"}
"""Keys that entries of earlier versions lack."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Board:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return honest(tmp_path_factory.mktemp("honest"))


@pytest.fixture
def board(original: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return copy_of(original, tmp_path)


def test_an_honest_board_is_as_it_was_recorded(board: Board) -> None:
    code, said = board.command("verify")

    assert code == 0, said
    assert "tiny: 4 entries, 3 of them scored again" in said
    assert f"last entry: dan/dan ({board.entry('dan').id}), hash {board.entry('dan').hash}" in said
    assert "Nothing was changed" in said and "changed:" not in said and "note:" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_tampered_with_is_named(board: Board, kind: str) -> None:
    name = KINDS[kind](board)

    code, said = board.command("verify")

    assert code == 1
    assert any(name in line for line in said.splitlines() if "changed:" in line), f"{name} is not named in:\n{said}"


def test_what_was_changed_is_said_with_the_true_score(board: Board) -> None:
    true = board.entry("dan").scores["mean_pixel_error"].value
    KINDS["a better score of the last entry, with its hash made anew"](board)

    said = board.command("verify")[1]

    assert f"mean_pixel_error 0.5000 where its predictions give {true:.4f}" in said


def test_nobody_else_is_accused(board: Board) -> None:
    KINDS["a better score"](board)

    said = board.command("verify")[1]

    accused = [line for line in said.splitlines() if "changed:" in line]
    assert accused and all("ben/ben" in line.split(" (")[0] for line in accused), said


def test_a_board_that_was_made_anew_is_betrayed_by_a_hash_that_was_noted_elsewhere(board: Board) -> None:
    noted = board.entry("dan").hash
    assert board.command("verify", "--from", noted)[0] == 0
    made_anew(board)

    assert board.command("verify")[0] == 0
    code, said = board.command("verify", "--from", noted[:16])
    assert code == 1 and f"no entry has the hash {noted[:16]} any more" in said


def test_without_the_faces_the_rest_is_verified(board: Board) -> None:
    (board.folder / "faces" / "training.csv").unlink()

    code, said = board.command("verify")

    assert code == 0 and "note: no score can be computed again" in said and "training.csv" in said


def test_other_faces_than_those_of_the_entries_are_a_note(board: Board) -> None:
    (board.folder / "tiny.toml").write_text((board.folder / "tiny.toml").read_text().replace("seed = 0", "seed = 1"))

    said = board.command("verify")[1]

    assert "note: 3 entries were scored on other faces than those here" in said


def test_a_copy_that_git_made_has_no_predictions(board: Board) -> None:
    for path in (board.folder / "leaderboard" / "kept" / "predictions").rglob("*.gz"):
        path.unlink()

    code, said = board.command("verify")

    assert code == 0 and "note: the predictions of 3 entries are not here" in said


def test_entries_of_earlier_versions_are_read_and_ranked_and_said_to_be_unlinked(tmp_path: Path) -> None:
    old = Leaderboard(tmp_path / "leaderboard", "tiny")
    for name in "ab":
        each = entry(name, 1.0)
        old.file(each).parent.mkdir(parents=True, exist_ok=True)
        known_then = {key: value for key, value in json.loads(each.to_json()).items() if key not in LATER}
        old.file(each).write_text(json.dumps(known_then))
    board = Board(tmp_path)
    (tmp_path / "tiny.toml").write_text(CARD)
    board.rebuild()

    assert len(board.rows()) == 2
    code, said = board.command("verify")
    assert code == 0 and "not linked, since an earlier version recorded them: 2 of 2 entries" in said


def test_an_edited_entry_of_an_earlier_version_is_named_once_another_names_it(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(CARD)
    board = Leaderboard(tmp_path / "leaderboard", "tiny", load_benchmark(tmp_path / "tiny.toml"))
    old = entry("old", 1.0)
    board.file(old).parent.mkdir(parents=True)
    board.file(old).write_text(old.to_json())
    board.record(entry("new", 2.0))
    assert Board(tmp_path).command("verify")[0] == 0

    board.file(old).write_text(old.to_json().replace('"value": 1.0', '"value": 0.1'))
    code, said = Board(tmp_path).command("verify")

    assert code == 1 and f"changed: old ({old.id}): is not what it was when new" in said
