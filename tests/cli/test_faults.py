"""How commands end when something other than the submission goes wrong, and that nothing is lost by it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.submissions import MEAN_FACE, NETWORK, estimator, grade
from support.tiny import Tiny

from harness.cli import main
from harness.cli.grade import main as grade_main
from harness.cli.running import read_recipe
from harness.errors import UsageError
from harness.runs import executors


def data(tiny: Tiny) -> list[str]:
    return ["--benchmark", str(tiny.card), "--data", str(tiny.data)]


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker may be started."""

    def fail(*_: Any) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(executors, "run_job", fail)


@pytest.mark.parametrize("command", [["new", "mine"], ["baselines"], ["doctor"], ["leaderboard", "show"]])
def test_a_fault_of_the_harness_exits_with_3_and_a_sentence(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(f"harness.cli.{command[0]}.run", fail)

    assert main(command) == 3
    assert capsys.readouterr().err.endswith("error: the harness failed (ZeroDivisionError); please report it\n")


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize(
    "command",
    [
        ["predict", "mine.py", "--out", "file/points.npy"],
        ["predict", "mine.py", "--out", "folder"],
        ["ablate", "mine.py", "--out", "file/table.csv"],
        ["tune", "mine.py", "--out", "file/best.json"],
        ["blend", "mine.py", "other.py", "--json", "file/entry.json"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_written_is_found_before_anything_is_trained(
    command: list[str], tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.py").write_text(MEAN_FACE)
    Path("other.py").write_text(NETWORK)
    Path("file").write_text("not a folder")
    Path("folder").mkdir()

    assert main([*command, *data(tiny)]) == 3
    assert command[-1].split("/")[0] in capsys.readouterr().err


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("option", ["--json", "--out", "--save-weights"])
def test_grade_too_tries_its_files_first(option: str, tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.submission(NETWORK)
    Path("file").write_text("not a folder")

    assert grade_main([str(path), *data(tiny), option, "file/x"]) == 3
    assert "file" in capsys.readouterr().err


def test_a_missing_folder_is_made(tiny: Tiny) -> None:
    path = tiny.submission(MEAN_FACE)

    assert main(["predict", str(path), "--out", "new/folder/points.npy", *data(tiny)]) == 0
    assert Path("new/folder/points.npy").is_file()


def test_an_old_result_does_not_pass_for_a_new_one(tiny: Tiny) -> None:
    path = tiny.submission(NETWORK)
    Path("entry.json").write_text('{"status": "graded"}')

    assert grade_main([str(path), *data(tiny), "--json", "entry.json", "--device", "mps"]) == 3
    assert not Path("entry.json").exists()


@pytest.mark.parametrize(
    "arguments",
    [["mine.py", "mine.py"], ["mine.py", "--benchmark", "nowhere.toml"], ["mine.py", "x.py", "--save-weights", "w"]],
    ids=["one row for two", "no card", "weights of two"],
)
def test_an_old_result_is_gone_even_if_nothing_can_be_graded(arguments: list[str], tiny: Tiny) -> None:
    Path("mine.py").write_text(MEAN_FACE)
    Path("entry.json").write_text('{"status": "graded"}')

    assert grade_main([*arguments, "--json", "entry.json"]) == 3
    assert not Path("entry.json").exists()


def test_output_may_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)

    assert main(["baselines"]) == 0


@pytest.mark.parametrize("text", [MEAN_FACE, estimator()], ids=["an estimator", "another"])
def test_what_has_no_weights_to_save_is_refused_before_it_trains(
    text: str, tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny.submission(text)

    assert grade_main([str(path), *data(tiny), "--save-weights", "mine.safetensors"]) == 3

    assert "has no weights of one network to save" in capsys.readouterr().err
    assert not Path("leaderboard/entries").exists()


def test_without_matplotlib_only_the_picture_is_missing(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("harness.reporting.folder.can_draw", lambda: False)

    code, entry = grade(tiny, NETWORK, "--save-weights", "mine.safetensors", "--out", "result")

    assert code == 0 and entry["status"] == "graded"
    assert Path("mine.safetensors").stat().st_size > 1000
    assert {path.name for path in Path("result/mine").iterdir()} == {"entry.json", "log.txt", "predictions.csv"}
    assert "pip install 'facial-keypoint-harness[plots]'" in capsys.readouterr().err


def test_a_run_that_is_ended_while_it_trains_has_its_training_time(tiny: Tiny) -> None:
    _, entry = grade(tiny, estimator(fit="time.sleep(60)"), "--time-limit", "3s")

    assert "time limit of 3 s" in entry["reason"]
    assert entry["seconds"]["training"] > 0.5


def test_a_file_name_speaks_no_command_to_a_ci_runner(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    name = "x\n::error::you lose.py"

    assert grade_main([name, *data(tiny)]) == 2

    shown = capsys.readouterr()
    assert not any(line.strip().startswith("::") for line in (shown.out + shown.err).splitlines())


@pytest.mark.parametrize("name", ["red\x1b[31m.py", "turned\u202e.py", os.fsdecode(b"half\xff.py")])
def test_a_file_name_that_no_terminal_should_be_given_is_graded(
    name: str, tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny.submission(MEAN_FACE, name)

    assert grade_main([str(path), *data(tiny), "--out", "out"]) == 0
    assert main(["check", str(path), *data(tiny)]) in (0, 2)

    shown = "".join(capsys.readouterr())
    assert not set(shown) & {"\x1b", "\u202e", "\udcff"}
    assert [each.name.isascii() for each in Path("out").iterdir()] == [True]


def test_changes_from_outside_stand_in_the_entry_and_what_does_not_apply_is_said(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("changes.json").write_text(json.dumps({"lr": 0.01}))

    _, network = grade(tiny, NETWORK, "--recipe", "changes.json", "--seed", "3")
    _, own = grade(tiny, MEAN_FACE, "--recipe", "changes.json", "--epochs", "2")

    assert network["overrides"] == {"lr": 0.01, "seed": 3} and network["not_applied"] == []
    assert own["not_applied"] == ["lr", "epochs"]
    assert "epochs" in capsys.readouterr().out


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (main, grade_main):
        with pytest.raises(SystemExit) as left:
            command(["--version"])
        assert left.value.code == 0
    assert capsys.readouterr().out.splitlines() == ["harness 0.2.0", "grade 0.2.0"]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 20_000, "is not JSON"),
        ('{"lr": ' + "9" * 5000 + "}", "is not JSON"),
        ('{"width": NaN}', "key 'width' is nan; it must be a finite number"),
        ('{"width": "' + "x" * 70_000 + '"}', "cannot be read: it has more than the 64 KiB"),
        (None, "cannot be read: it is a folder, a pipe or a device"),
    ],
    ids=["nested", "a long number", "NaN", "too long", "a pipe"],
)
def test_a_recipe_file_that_is_not_one_is_told(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "mine.recipe.json"
    if text is None:
        os.mkfifo(path)
    else:
        path.write_text(text)

    with pytest.raises(UsageError) as caught:
        read_recipe(path)
    assert message in str(caught.value)
