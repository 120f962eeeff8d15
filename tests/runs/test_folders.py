"""What a grader leaves behind, however it ends, and who removes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.submissions import estimator
from support.tiny import Tiny

from harness.folders import job_folder

SLEEPS = estimator(fit="time.sleep(60)")
HOLDS = """
import time
from harness.folders import job_folder
with job_folder() as folder:
    (folder / "photographs").mkdir()
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands in for /tmp, here and in other processes."""
    folder = tmp_path / "jobs"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def holder() -> tuple[subprocess.Popen[str], Path]:
    """Another process at a job, and its folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_grader_left_is_removed_by_the_next(jobs: Path) -> None:
    process, left = holder()
    with process:
        process.kill()
    assert (left / "photographs").exists()

    with job_folder() as own:
        assert list(jobs.iterdir()) == [own]
    assert list(jobs.iterdir()) == []


def test_the_folder_of_a_grader_that_is_at_work_is_left_alone(jobs: Path) -> None:
    process, theirs = holder()
    with process:
        with job_folder() as own:
            assert set(jobs.iterdir()) == {own, theirs}
        process.kill()
        assert (theirs / "photographs").exists()


def test_nothing_of_others_is_removed(jobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "thesis").mkdir()
    (jobs / "facial-keypoint-job-link").symlink_to(tmp_path / "thesis")
    (jobs / "facial-keypoint-notes").mkdir()
    (jobs / "facial-keypoint-job-file").touch()
    before = set(jobs.iterdir())

    with job_folder():
        pass

    (jobs / "facial-keypoint-job-theirs").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: jobs.stat().st_uid + 1)
    with job_folder():
        pass
    assert set(jobs.iterdir()) == before | {jobs / "facial-keypoint-job-theirs"}
    assert (tmp_path / "thesis").is_dir()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["TERM", "HUP"])
@pytest.mark.parametrize("command", ["grade", "predict"])
def test_a_command_that_is_asked_to_end_clears_away(
    command: str, number: signal.Signals, tiny: Tiny, jobs: Path
) -> None:
    path = tiny.submission(SLEEPS)
    main = "from harness.cli.grade import main" if command == "grade" else "from harness.cli import main"
    words = [] if command == "grade" else ["predict", "--out", "points.npy"]
    words += [str(path), "--benchmark", str(tiny.card), "--data", str(tiny.data)]
    # Whoever started the tests may ignore the signal, as nohup does, and children would inherit that.
    code = f"import signal, sys; signal.signal({int(number)}, signal.SIG_DFL); {main}; sys.exit(main())"
    started = [sys.executable, "-c", code, *words]
    with subprocess.Popen(started, stderr=subprocess.PIPE, text=True) as process:
        while not list(jobs.glob("facial-keypoint-job-*/output")):
            time.sleep(0.05)
            assert process.poll() is None
        process.send_signal(number)
        _, said = process.communicate(timeout=20)

    assert process.returncode == 130 and "interrupted" in said
    assert list(jobs.iterdir()) == []


def test_a_command_under_nohup_outlives_its_terminal(tiny: Tiny, jobs: Path) -> None:
    path = tiny.submission(estimator(fit="time.sleep(2)"))
    words = [str(path), "--benchmark", str(tiny.card), "--data", str(tiny.data), "--no-record"]
    code = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); from harness.cli.grade import main; "
    with subprocess.Popen([sys.executable, "-c", code + "sys.exit(main())", *words]) as process:
        while not list(jobs.glob("facial-keypoint-job-*/output")):
            time.sleep(0.05)
            assert process.poll() is None
        process.send_signal(signal.SIGHUP)

    assert process.returncode == 0
