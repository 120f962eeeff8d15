"""Every submission in tests/cheats tries to gain something; none does. Those in tests/cheats/honest are graded.

A cheat stands in a file of its own: its docstring says what it tries, its constant ``EXPECT`` what comes of it. They
run two at a time, each grader in a process of its own.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import pytest
from support.cheating import CHEATS, Verdict, all_cheats, constants, grade_cheat
from support.jobs import needs_landlock
from support.killing import Range
from support.tiny import Tiny

from harness.cli.grade import main

HONEST = sorted(path for path in (CHEATS / "honest").iterdir() if not path.name.startswith((".", "_")))


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest) -> Iterator[dict[Path, Future[Verdict]]]:
    """The verdict on every cheat that is asked for, as it comes."""
    asked = [item.callspec.params["cheat"] for item in request.session.items if "cheat" in item.fixturenames]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield {cheat: pool.submit(grade_cheat, cheat) for cheat in asked}


@needs_landlock
@pytest.mark.parametrize("cheat", all_cheats(), ids=lambda cheat: cheat.stem)
def test_a_cheat_gains_nothing(cheat: Path, verdicts: dict[Path, Future[Verdict]]) -> None:
    verdict = verdicts[cheat].result()
    expected = constants(cheat)["EXPECT"]

    assert verdict.gains == []
    assert expected in (verdict.reason or "graded"), verdict


@needs_landlock
@pytest.mark.parametrize("submission", HONEST, ids=lambda submission: submission.stem)
def test_an_honest_submission_is_graded(submission: Path, tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    if submission.stem == "exported":
        pytest.importorskip("onnxruntime")

    assert main([str(submission), "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 0, capsys.readouterr()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a worker that its grader died")
def test_a_grader_killed_at_any_moment_leaves_nothing_half_done(tmp_path: Path) -> None:
    ground, moments = Range(tmp_path), random.Random(0)
    whole = ground.undisturbed()

    assert [ground.kill(moments.uniform(0, whole)) for _ in range(3)] == [[], [], []]
    ground.undisturbed()
