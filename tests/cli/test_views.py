"""What `grade` writes for other tools, however a grading ends."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from support.submissions import MEAN_FACE
from support.tiny import Tiny
from support.views import RUNNER, check_annotations, check_classroom50, check_gradescope, check_junit, check_markdown

from harness.cli.grade import main
from harness.runs import executors
from harness.submission import source

FILES = (
    "--junit",
    "junit.xml",
    "--markdown",
    "report.md",
    "--gradescope",
    "results.json",
    "--classroom",
    "result.json",
)


@pytest.fixture(autouse=True)
def runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of Classroom 50's autograder."""
    for name, value in RUNNER.items():
        monkeypatch.setenv(name, value)


def grade(tiny: Tiny, *arguments: str, data: Path | None = None) -> int:
    about = ["--benchmark", str(tiny.card), "--data", str(data or tiny.data), "--device", "cpu", "--no-record"]
    return main([*arguments, *about])


def _crash(*_: Any) -> None:
    raise RecursionError("a fault of ours")


def _interrupt(*_: Any) -> None:
    signal.raise_signal(signal.SIGINT)
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("submission", "fault", "code", "case", "score"),
    [
        ("mine.py", None, 0, "passed", 2),
        ("broken.py", None, 2, "failure", 0),
        ("gone.py", None, 2, "failure", 0),
        ("mine.py", "no data", 3, "error", None),
        ("mine.py", "a crash as it is found", 3, "error", None),
        ("mine.py", "a crash as it is run", 3, "error", None),
        ("mine.py", "an interruption", 130, "error", None),
    ],
    ids=["graded", "failed", "missing", "no data", "a crash as it is found", "a crash as it is run", "interrupted"],
)
def test_every_view_is_written_however_the_grading_ends(
    submission: str,
    fault: str | None,
    code: int,
    case: str,
    score: int | None,
    tiny: Tiny,
    formats_here: Path | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("mine.py").write_text(MEAN_FACE)
    Path("broken.py").write_text("1 / 0")
    if fault == "a crash as it is found":
        monkeypatch.setattr(source, "find_source", _crash)
    elif fault == "a crash as it is run":
        monkeypatch.setattr(executors, "run_job", _crash)
    elif fault == "an interruption":
        monkeypatch.setattr(executors, "run_job", _interrupt)

    assert grade(tiny, submission, *FILES, data=Path("nowhere") if fault == "no data" else None) == code

    (suite,) = check_junit(Path("junit.xml").read_text(), formats_here)
    first = suite.find("testcase")
    assert first.get("name") == "graded" and ([each.tag for each in first] or ["passed"]) == [case]
    results = check_gradescope(Path("results.json").read_text())
    assert results.get("score") == score
    result = check_classroom50(Path("result.json").read_text(), formats_here)
    assert (result["score"], result["max-score"]) == ((0, 0) if score is None else (score, 3))
    shown = check_markdown(Path("report.md").read_text())
    assert {"passed": "2 of 3 points", "failure": "failed, 0 of 3", "error": "not graded"}[case] in shown


@pytest.mark.parametrize("option", ["--gradescope", "--classroom"])
def test_a_view_of_one_submission_says_so_before_it_trains_several(
    option: str, tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "run_job", _crash)

    assert grade(tiny, "a.py", "b.py", option, "one.json") == 3
    assert capsys.readouterr().err == f"error: {option} FILE goes with one submission; grade them one at a time\n"


def test_of_several_submissions_each_has_a_suite_and_a_row(tiny: Tiny, formats_here: Path | None) -> None:
    for path, text in {"ana/model.py": MEAN_FACE, "ben/model.py": "1 / 0"}.items():
        Path(path).parent.mkdir()
        Path(path).write_text(text)

    assert grade(tiny, "ana/model.py", "ben/model.py", "eve/gone.py", "--junit", "j.xml", "--markdown", "m.md") == 2

    root = check_junit(Path("j.xml").read_text(), formats_here)
    assert [suite.get("name") for suite in root] == ["ana/model", "ben/model", "eve/gone"]
    shown = Path("m.md").read_text()
    assert "### 1 of 3 submissions graded" in shown and "| `ben/model` | failed, 0 of 3 points |" in shown


def test_of_a_class_each_student_has_a_suite_and_a_row(tiny: Tiny, formats_here: Path | None) -> None:
    for path, text in {"class/ana/model.py": MEAN_FACE, "class/ben/model.py": "1 / 0"}.items():
        Path(path).parent.mkdir(parents=True)
        Path(path).write_text(text)

    assert grade(tiny, "--class", "class", "--junit", "j.xml", "--markdown", "m.md") == 2

    root = check_junit(Path("j.xml").read_text(), formats_here)
    assert [suite.get("name").split("/")[0] for suite in root] == ["ana", "ben"]
    assert "1 of 2 submissions graded" in Path("m.md").read_text()
    assert grade(tiny, "--class", "class", "--gradescope", "results.json") == 3


def test_a_class_that_cannot_be_opened_is_a_fault(tiny: Tiny, formats_here: Path | None) -> None:
    assert grade(tiny, "--class", "nowhere", "--junit", "j.xml") in (2, 3)

    (suite,) = check_junit(Path("j.xml").read_text(), formats_here)
    assert suite.get("name") == "nowhere" and suite.find("testcase/error") is not None


def test_what_a_card_cannot_say_in_whole_points_is_refused_before_training(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.py").write_text(MEAN_FACE)
    tiny.card.write_text(tiny.card.read_text() + '[points]\nby = "line"\nmost = 2.5\nall_at = 1\nnone_at = 9\n')

    assert grade(tiny, "mine.py", "--classroom", "result.json") == 3
    assert "takes whole points, and the card gives 2.5" in capsys.readouterr().err


def test_a_steps_summary_is_added_to(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.py").write_text(MEAN_FACE)
    Path("summary.md").write_text("what an earlier command wrote\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tiny.root / "summary.md"))

    grade(tiny, "mine.py", "--markdown", "report.md")
    assert Path("summary.md").read_text() == "what an earlier command wrote\n"
    grade(tiny, "mine.py", "--markdown", "summary.md")

    first, *report = Path("summary.md").read_text().splitlines()
    assert first == "what an earlier command wrote" and report[0] == "### `mine`: very good, 2 of 3 points"


@pytest.mark.parametrize(("ci", "expected"), [("true", 1), ("", 0)])
def test_annotations_are_printed_where_github_reads_them(
    ci: str, expected: int, tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.py").write_text("print('::error::mine'); raise ValueError('::error::mine')")
    monkeypatch.setenv("GITHUB_ACTIONS", ci)

    grade(tiny, "broken.py")

    lines = [line for line in capsys.readouterr().out.split("\n") if line.strip().startswith("::")]
    assert len(lines) == expected
    for line in lines:
        assert check_annotations(line)[0][:2] == ("error", "broken: failed, 0 of 3 points")


def test_a_file_that_cannot_be_written_is_known_before_training_and_an_old_one_does_not_stay(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(executors, "run_job", _crash)
    Path("mine.py").write_text(MEAN_FACE)
    Path("results.json").write_text('{"score": 20}')
    Path("folder").mkdir()

    assert grade(tiny, "mine.py", "--gradescope", "results.json", "--junit", "folder") == 3

    assert "folder: is a folder; name a file in it" in capsys.readouterr().err
    assert not Path("results.json").exists()


def test_one_view_that_cannot_be_written_in_the_end_loses_no_other(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.py").write_text(MEAN_FACE)
    run_job = executors.run_job

    def and_take_the_place(*job: Any) -> Any:
        Path("junit.xml").mkdir()
        return run_job(*job)

    monkeypatch.setattr(executors, "run_job", and_take_the_place)

    assert grade(tiny, "mine.py", *FILES) == 3

    assert "junit.xml: could not be written" in capsys.readouterr().err
    assert check_gradescope(Path("results.json").read_text())["score"] == 2
