"""Many submissions in one command: whose is whose, what is kept, and what an interruption leaves."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.submissions import MEAN_FACE, NETWORK, estimator
from support.tiny import Tiny

from harness.cli.grade import main
from harness.runs import executors
from harness.runs.job import Job
from harness.runs.run import Run


def hand_in(tiny: Tiny, texts: dict[str, str]) -> list[str]:
    """Submissions at these paths below the working folder."""
    for path, text in texts.items():
        (tiny.root / path).parent.mkdir(parents=True, exist_ok=True)
        (tiny.root / path).write_text(text)
    return list(texts)


def grade(tiny: Tiny, paths: list[str], *options: str) -> int:
    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data), "--device", "cpu"]
    return main([*paths, *data, "--json", "all.json", *options])


def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(Path("leaderboard/tiny.csv").read_text().splitlines()))


def entries() -> list[dict[str, Any]]:
    return json.loads(Path("all.json").read_text())


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the jobs whose workers were started."""
    names: list[str] = []
    run_job = executors.run_job

    def counted(job: Job, *rest: Any) -> Run:
        names.append(job.name)
        return run_job(job, *rest)

    monkeypatch.setattr(executors, "run_job", counted)
    return names


def test_two_peoples_files_of_one_name_never_meet(tiny: Tiny) -> None:
    paths = hand_in(tiny, {"class/ana/model.py": MEAN_FACE, "class/bob/model.py": estimator()})

    assert grade(tiny, paths, "--jobs", "2", "--out", "result") == 0

    assert [(entry["author"], entry["submission"]) for entry in entries()] == [("ana", "model"), ("bob", "model")]
    assert {(row["author"], row["submission"]) for row in rows()} == {("ana", "model"), ("bob", "model")}
    assert all(Path(f"result/{author}/model/predictions.csv").is_file() for author in ("ana", "bob"))


def test_the_author_can_be_said(tiny: Tiny) -> None:
    paths = hand_in(tiny, {"submissions/model.py": MEAN_FACE})

    for author in ("Ana Maria", "Bob"):
        assert grade(tiny, paths, "--author", author) == 0

    assert sorted(row["author"] for row in rows()) == ["Ana-Maria", "Bob"]


@pytest.mark.parametrize(
    "options", [[], ["--author", "ana"]], ids=["folders of one name", "one author has two of one name"]
)
def test_a_batch_that_would_clash_says_so_before_it_starts(
    options: list[str], tiny: Tiny, started: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = hand_in(tiny, dict.fromkeys(("here/ana/model.py", "there/ana/model.py", "here/bob/net.py"), MEAN_FACE))

    assert grade(tiny, paths, *options) == 3

    assert "2 submissions would share the row 'ana/model'" in capsys.readouterr().err
    assert started == [] and not Path("leaderboard").exists()


def test_what_cannot_even_be_loaded_is_a_failed_entry_and_stops_no_other(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    (tiny.root / "empty").mkdir()
    paths = hand_in(tiny, {"good.py": MEAN_FACE, "syntax.py": "def (", "notes.txt": "not a model"})

    assert grade(tiny, [*paths, "gone.py", "empty"], "--jobs", "2") == 2

    reasons = {entry["submission"]: entry["reason"] for entry in entries()}
    assert reasons["good"] is None
    assert "line 1" in reasons["syntax"]
    assert "is not a submission" in reasons["notes.txt"]
    assert "there is no such file" in reasons["gone"]
    assert "is empty" in reasons["empty"]
    assert {row["submission"] for row in rows()} == set(reasons)
    assert "5 of 5 submissions" in capsys.readouterr().out


def test_the_same_command_again_does_nothing_twice(tiny: Tiny, started: list[str]) -> None:
    paths = hand_in(tiny, {"good.py": MEAN_FACE, "bad.py": "1 / 0", "notes.txt": ""})

    assert grade(tiny, paths, "--work", "work") == 2
    assert sorted(started) == ["bad", "good"]
    first = entries()
    assert grade(tiny, paths, "--work", "work") == 2

    assert sorted(started) == ["bad", "good"]
    assert entries() == first
    assert len(rows()) == 3

    assert grade(tiny, paths, "--work", "work", "--retry-failed") == 2
    assert started[2:] == ["bad"]
    assert len(rows()) == 5  # the failures of the two trials each stand there


@pytest.fixture
def ctrl_c() -> Iterator[Any]:
    """Ctrl-C has its usual effect, also where a shell started the tests in the background; the handler."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_command_says_what_is_done_and_goes_on_from_there(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ctrl_c: Any
) -> None:
    paths = hand_in(tiny, {"first.py": MEAN_FACE, "second.py": estimator()})
    run_job = executors.run_job

    def interrupted(job: Job, *rest: Any) -> Run:
        if job.name == "second":
            os.kill(os.getpid(), signal.SIGINT)
            deadline = time.monotonic() + 30
            while signal.getsignal(signal.SIGINT) is not ctrl_c and time.monotonic() < deadline:
                time.sleep(0.01)  # until the command has heard it
        return run_job(job, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(executors, "run_job", interrupted)
        assert grade(tiny, paths, "--work", "work") == 130

    assert (
        "interrupted; 1 of 2 submissions were graded and recorded; the same command goes on" in capsys.readouterr().err
    )
    assert [entry["submission"] for entry in entries()] == [row["submission"] for row in rows()] == ["first"]

    assert grade(tiny, paths, "--work", "work") == 0
    assert sorted(row["submission"] for row in rows()) == ["first", "second"]


@pytest.mark.slow
def test_a_batch_killed_again_and_again_ends_with_every_entry_once(tiny: Tiny) -> None:
    texts = {f"class/author{number}/model.py": MEAN_FACE + f"# {number}" for number in range(4)}
    paths = hand_in(tiny, {**texts, "class/broken/model.py": "1 / 0"})
    options = ["--benchmark", str(tiny.card), "--data", str(tiny.data), "--jobs", "2", "--work", "work"]
    words = [sys.executable, "-c", "import harness.cli.grade as g; raise SystemExit(g.main())", *paths, *options]

    for seconds in (1.5, 2.5):
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as grader:
            time.sleep(seconds)
            grader.kill()
    assert subprocess.run(words, capture_output=True, check=False).returncode == 2

    assert sorted(row["author"] for row in rows()) == ["author0", "author1", "author2", "author3", "broken"]


@pytest.mark.slow
def test_another_process_that_trains_at_the_same_time_is_not_the_networks_business(tiny: Tiny) -> None:
    paths = hand_in(tiny, {"one.py": NETWORK, "two.py": NETWORK + "\nrecipe = Recipe(epochs=2, shift=1, seed=1)\n"})
    alone = {}
    for path in paths:
        assert grade(tiny, [path], "--threads", "1", "--no-record") == 0
        alone[Path(path).stem] = entries()["scores"]

    assert grade(tiny, paths, "--jobs", "2", "--threads", "1", "--no-record") == 0

    assert {entry["submission"]: entry["scores"] for entry in entries()} == alone
