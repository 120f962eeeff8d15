"""``harness leaderboard``, and how ``grade`` records, as they are typed."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.entries import entry
from support.submissions import MEAN_FACE
from support.tiny import Tiny

from harness.board.leaderboard import Leaderboard
from harness.cli import main
from harness.cli.grade import main as grade
from harness.estimates import Estimate

BOARDS = "results"


@pytest.fixture
def boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two boards, of a benchmark that the harness knows and of one that it does not."""
    monkeypatch.chdir(tmp_path)
    for board, benchmark in {"real-faces": "kaggle", "spring": "ours"}.items():
        lucky, steady = entry("lucky", 1.45, benchmark=benchmark), entry("steady", 1.55, benchmark=benchmark)
        lucky.scores["rmse"], steady.scores["rmse"] = Estimate(1.3, 1, 2), Estimate(1.2, 1, 2)
        for each in (lucky, steady):
            Leaderboard(tmp_path / BOARDS, board).record(each)
    return tmp_path / BOARDS


@pytest.mark.parametrize(
    "words",
    [
        ["show", "--leaderboard", BOARDS, "real-faces"],
        ["--leaderboard", BOARDS, "show", "real-faces"],
        ["show", "real-faces", "--all", "--leaderboard", BOARDS],
        ["--leaderboard", BOARDS, "--", "show", "real-faces"],
    ],
)
def test_options_may_stand_anywhere(boards: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", *words]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("real-faces") and "spring" not in shown


def test_options_may_stand_between_submissions(capsys: pytest.CaptureFixture[str], tiny: Tiny) -> None:
    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data)]

    assert grade([str(tiny.submission(MEAN_FACE, "a.py")), *data, str(tiny.submission(MEAN_FACE, "b.py"))]) == 0
    assert [row.submission for row in Leaderboard(Path("leaderboard"), "tiny").read().rows] == ["a", "b"]


def test_an_unknown_option_is_still_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["leaderboard", "show", "--nonsense", "real-faces"])

    assert left.value.code == 3
    assert "unrecognized arguments: --nonsense" in capsys.readouterr().err


def test_the_card_is_found_by_the_benchmark_that_the_entries_name(
    boards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["leaderboard", "show", "--leaderboard", BOARDS, "real-faces"]) == 0

    shown = capsys.readouterr()
    assert [line.split()[2] for line in shown.out.splitlines()[3:5]] == ["lucky", "steady"]
    assert "very good" in shown.out  # the entries name no band
    assert shown.err == ""


def test_without_a_card_mean_pixel_error_ranks_and_a_line_says_so(
    boards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["leaderboard", "show", "--leaderboard", BOARDS, "spring"]) == 0

    shown = capsys.readouterr()
    assert [line.split()[2] for line in shown.out.splitlines()[3:5]] == ["lucky", "steady"]
    assert "spring: there is no card of benchmark 'ours'" in shown.err and "mean pixel error ranks" in shown.err
    assert "--benchmark" in shown.err


def test_a_card_that_is_named_ranks(boards: Path, tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.card.write_text(tiny.card.read_text().replace('"mean_pixel_error"', '"rmse"'))
    words = ["spring", "--leaderboard", str(boards), "--benchmark", str(tiny.card)]

    assert main(["leaderboard", "rebuild", *words]) == 0
    assert main(["leaderboard", "show", *words]) == 0

    table = list(csv.DictReader((boards / "spring.csv").read_text().splitlines()))
    assert [row["submission"] for row in table] == ["steady", "lucky"]
    shown = capsys.readouterr()
    assert [line.split()[2] for line in shown.out.splitlines()[4:6]] == ["steady", "lucky"]
    assert shown.err == ""


@pytest.mark.parametrize("command", ["grade", "show"])
def test_a_boards_name_never_leaves_the_leaderboard(
    tiny: Tiny, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if command == "show":
        code = main(["leaderboard", "show", "../../x"])
    else:
        data = ["--benchmark", str(tiny.card), "--data", str(tiny.data)]
        code = grade([str(tiny.submission(MEAN_FACE)), "--board", "../../x", *data])

    assert code == 3
    assert "'../../x' cannot be a board's name; take letters" in capsys.readouterr().err
    assert not list(tiny.root.parent.glob("x*"))


def test_who_comes_second_with_other_data_is_told_where_the_entry_is(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two first gradings at once: while this one trains, the other is recorded."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tiny.root))
    refuse = Leaderboard.refuse_other_data

    def others_follow(board: Leaderboard, fingerprint: str) -> None:
        refuse(board, fingerprint)
        board.record(entry("other", 0.1))

    monkeypatch.setattr(Leaderboard, "refuse_other_data", others_follow)
    code = grade([str(tiny.submission(MEAN_FACE)), "--benchmark", str(tiny.card), "--data", str(tiny.data)])

    assert code == 3
    (kept,) = tiny.root.glob("*-mine-*.json")
    shown = capsys.readouterr()
    assert json.loads(kept.read_text())["status"] == "graded" and "mean pixel error" in shown.out
    assert str(kept) in shown.err and "--board NAME" in shown.err and "rebuild" in shown.err
    assert [row.submission for row in Leaderboard(Path("leaderboard"), "tiny").read().rows] == ["other"]


def test_a_locale_without_the_letters_of_a_name_shows_the_board(tiny: Tiny) -> None:
    path = tiny.submission(MEAN_FACE, "größe.py")
    assert grade([str(path), "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 0
    ascii_only = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = "from harness.cli import main; raise SystemExit(main(['leaderboard', 'show']))"

    shown = subprocess.run([sys.executable, "-c", command], env=ascii_only, capture_output=True, text=True, check=False)

    assert shown.returncode == 0 and "gr\\xf6\\xdfe" in shown.stdout, shown.stderr


def test_a_board_is_written_for_excel(boards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["leaderboard", "show", "--leaderboard", BOARDS, "--csv", "excel.csv"]

    assert main([*words, "spring"]) == 0
    assert Path("excel.csv").read_bytes() == b"\xef\xbb\xbf" + (boards / "spring.csv").read_bytes()

    assert main(words) == 3
    assert "--csv excel.csv goes with show and one board" in capsys.readouterr().err
