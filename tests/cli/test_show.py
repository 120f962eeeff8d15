"""``harness leaderboard show``, as a teacher types it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from support.entries import entry
from support.tiny import Tiny

from harness.board.kept import SHARES, pack
from harness.board.leaderboard import Leaderboard
from harness.cli import main
from harness.estimates import Bootstrap, Estimate
from harness.grading.entry import Seconds, Stratum
from harness.metrics import PAIRED
from harness.submission.source import Source

SHOW = ["leaderboard", "show", "--leaderboard", "results"]
RNG = np.random.default_rng(0)
HARD = RNG.normal(2, 0.5, 200)


def record(board: Leaderboard, author: str, errors: np.ndarray, **changes: object) -> None:
    """Record an entry with these errors of 200 people."""
    bootstrap = Bootstrap(np.arange(200))
    score = bootstrap.mean(errors)
    shares = np.tile(bootstrap.shares(errors), (1, len(PAIRED), 1))
    parcel = pack(Source(Path("x"), "model", None), None, frozenset(["predictions"]), shares)
    strata = {"full": Stratum(images=200, points=3000, subjects=200, scores={}, groups={}, keypoints={})}
    changes = {"author": author, "id": f"id-{author}-{len(board.read().rows)}", "strata": strata} | changes
    board.record(
        entry("model", score.value, **changes).model_copy(
            update={"scores": {"mean_pixel_error": score, "rmse": Estimate(1, 0.9, 1.1)}}
        ),
        parcel,
    )


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leaderboard:
    """Ana and Ben tie; Cyd, Dan, Eve and Fay are behind; Gil's entries fail."""
    monkeypatch.chdir(tmp_path)
    board = Leaderboard(tmp_path / "results", "spring")
    both = RNG.normal(0, 0.1, 200)
    slow = Seconds(total=90, training=80)
    record(board, "ana", HARD - both + both.mean(), parameters=9000, band="outstanding", seconds=slow)
    cheap = {"parameters": 100, "trained": "here", "seconds": Seconds(total=8, training=6), "band": "very_good"}
    record(board, "ben", HARD + RNG.normal(0.005, 0.1, 200), **cheap)
    for number, author in enumerate(("cyd", "dan", "eve", "fay"), start=1):
        record(board, author, HARD + number + RNG.normal(0, 0.1, 200))
    for number in (1, 2):
        reason = f"mine.py, line {number}: its time limit of {number} s is over"
        board.record(entry("model", None, author="gil", id=f"id-gil-{number}", reason=reason))
    return board


def test_ties_and_statistics_are_said(board: Leaderboard, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SHOW) == 0

    shown = capsys.readouterr().out
    assert [line.split()[:3] for line in shown.splitlines()[3:6]] == [
        ["1", "1", "ana/model"],
        ["2", "1", "ben/model"],
        ["3", "2", "cyd/model"],
    ]
    assert "The best, ana/model, is not significantly different from one other (tie group 1)." in shown
    assert "The cheapest entry tied with the best: ben/model with 100 parameters and 6 s of training." in shown
    assert "more held-out faces would separate the first two" in shown
    assert "7 authors, by their best entries: 1 outstanding, 1 very good, 4 below ok; median 3.5" in shown
    assert "2 entries failed:\n    2 x its time limit of 1 s is over" in shown


def test_the_csv_says_it_too_and_failed_entries_come_last(board: Leaderboard) -> None:
    rows = list(csv.DictReader(board.csv.read_text().splitlines()))

    assert [row["tie_group"] for row in rows] == ["1", "1", "2", "3", "4", "5", "", ""]
    assert rows[0]["p_best"] == "" and float(rows[1]["p_best"]) > 0.05 and rows[2]["p_best"] == "0.0000"
    assert rows[-1]["status"] == "failed" and rows[-1]["rank"] == ""


def test_an_authors_change_is_that_since_the_last_entry(board: Leaderboard) -> None:
    before = next(row for row in board.read().rows if row.author == "dan")
    later = {"date": "2026-01-03T00:00:00Z"}
    record(board, "dan", HARD + 1.5, **later)
    record(board, "dan", HARD + 1, date="2026-01-02T00:00:00Z")

    rows = {row.id: row for row in board.read().rows if row.author == "dan"}
    by_date = sorted(rows.values(), key=lambda row: row.date)

    assert before.change is None and by_date[0].change is None
    assert by_date[2].change == pytest.approx(0.5)
    assert by_date[1].change == pytest.approx(HARD.mean() + 1 - before.scores["mean_pixel_error"].value)
    assert [row.tie_group is None for row in by_date] == [True, False, True]


def test_one_author_or_those_around_one_are_shown(board: Leaderboard, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHOW, "--author", "dan"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[3:] if line] == ["4"]

    assert main([*SHOW, "--around", "fay"]) == 0
    names = [line.split()[2] for line in capsys.readouterr().out.splitlines()[3:] if line]
    assert names == ["cyd/model", "dan/model", "eve/model", "fay/model"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--author", "anna"], "--author anna: has no entry on this board; did you mean 'ana'?"),
        (["--around", "nobody at all"], "--around nobody at all: has no entry on this board"),
        (["--around", "gil"], "--around gil: has only entries that failed"),
        (["--json", "x.json", "--leaderboard", "two"], "--json x.json goes with show and one board; name it, such as"),
    ],
)
def test_what_cannot_be_shown_is_said(
    board: Leaderboard, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "other"):
        Leaderboard(Path("two"), name).record(entry("a", 1.0))

    assert main([*SHOW, *words]) == 3
    assert told in capsys.readouterr().err


def test_the_rows_are_written_for_others_to_read(board: Leaderboard, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--csv", "b.csv", "--json", "b.json", "--markdown", "b.md"]

    assert main([*SHOW, "--author", "ben", *files]) == 0

    (row,) = csv.DictReader(Path("b.csv").read_text(encoding="utf-8-sig").splitlines())
    read = json.loads(Path("b.json").read_text())
    assert (row["rank"], row["tie_group"], row["author"]) == ("2", "1", "ben")
    assert [each["rank"] for each in read["rows"]] == [2] and read["statistics"]["authors"] == 7
    assert "shares" not in read["rows"][0] and read["rows"][0]["p_above"] > 0.05
    assert "| 2 | 1 | `ben/model` |" in Path("b.md").read_text()


def test_without_each_persons_errors_the_intervals_are_compared(
    board: Leaderboard, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a clone, since they stay out of git; the table that came along is not called changed for it."""
    for file in (board.csv.parent / "kept" / SHARES).rglob("*.gz"):
        file.unlink()

    assert [row.tie_group for row in board.read().best[:3]] == [1, 1, 2]
    assert main(["leaderboard", "verify", "--leaderboard", "results"]) == 0


def test_a_class_sees_pseudonyms_and_the_teacher_knows_who_is_who(
    board: Leaderboard, tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    board.record(entry("hal_k", None, author="Hal K", id="id-Hal-K-1", reason="Hal-K/hal_k.py: of HAL K, in hal_k"))
    tiny.card.write_text('names = "pseudonyms"\n' + tiny.card.read_text())
    words = [*SHOW, "--benchmark", str(tiny.card)]

    files = ["--csv", "b.csv", "--json", "b.json", "--markdown", "b.md"]
    assert [main(words), main([*words, "--all"]), main([*words, *files])] == [0, 0, 0]

    shown = capsys.readouterr().out + "".join(Path(file).read_text() for file in files[1::2])
    for name in ("ana", "ben", "cyd", "dan", "eve", "fay", "gil", "hal", "Hal"):
        assert not re.search(rf"(?<![^\W_]){name}(?![^\W_])", shown), name
    called = dict(csv.reader(Path("results/names/BOARD.csv".replace("BOARD", "spring")).read_text().splitlines()))
    assert called["ana"] in shown and len(set(called.values())) == 9

    # The same names the next time, whichever of the two is asked for, and never in git.
    for asked in ("fay", called["fay"]):
        assert main([*words, "--author", asked]) == 0
        assert f"{called['fay']}/model" in capsys.readouterr().out
    assert Path("results/names/.gitignore").read_text().endswith("*\n")


def test_only_the_best_authors_are_named(board: Leaderboard, tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.card.write_text('names = "top 2"\n' + tiny.card.read_text())

    assert main([*SHOW, "--benchmark", str(tiny.card)]) == 0

    shown = capsys.readouterr().out
    assert "ana/model" in shown and "ben/model" in shown and not re.search(r"\b(cyd|dan|eve|fay|gil)\b", shown)


def test_other_ways_to_call_authors_are_refused(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.card.write_text('names = "top ten"\n' + tiny.card.read_text())

    assert main(["leaderboard", "show", "--leaderboard", "results", "--benchmark", str(tiny.card)]) == 3
    Leaderboard(Path("results"), "one").record(entry("a", 1.0))
    assert main(["leaderboard", "show", "--leaderboard", "results", "--benchmark", str(tiny.card)]) == 3
    assert 'key \'names\': should be "authors", "pseudonyms", or "top 10"' in capsys.readouterr().err
