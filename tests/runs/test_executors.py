"""Executors: what goes in comes out, whatever fails, and nothing that is kept is run again."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from support.runs import Workers, job

from harness.errors import MachineError
from harness.runs.executors import Local, run_one
from harness.runs.kept import KeptRuns
from harness.runs.run import Run


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    workers = Workers()
    monkeypatch.setattr("harness.runs.executors.run_job", workers)
    monkeypatch.setattr("harness.runs.executors.Lease", lambda *_: nullcontext())  # however many cores there are
    return workers


def test_jobs_are_run_some_at_a_time_and_come_out_as_they_finish(workers: Workers) -> None:
    workers.seconds = 0.05

    finished = list(Local(slots=3).run(job(name) for name in "abcdefg"))

    assert sorted(each.job.name for each in finished) == list("abcdefg")
    assert all(each.run().predictions is not None for each in finished)
    assert workers.most == 3


def test_jobs_are_taken_only_when_there_is_room(workers: Workers) -> None:
    workers.seconds = 0.2
    made = []

    def jobs():
        for name in "abcd":
            made.append(name)
            yield job(name)

    with closing(Local().run(jobs())) as finishing:
        next(finishing)

    assert len(made) < 4


def test_a_fault_of_the_machine_or_the_harness_takes_no_other_along(workers: Workers) -> None:
    workers.reasons = {"a": MachineError("no GPU"), "b": RecursionError("ours"), "c": "the loss became nan"}

    results = {each.job.name: each for each in Local().run(job(name) for name in "abcd")}

    with pytest.raises(MachineError, match="no GPU"):
        results["a"].run()
    with pytest.raises(RecursionError):
        results["b"].run()
    assert results["c"].run().reason == "the loss became nan"
    assert results["d"].run().reason is None


def test_a_listener_ends_a_run_by_what_it_returns(workers: Workers) -> None:
    workers.seconds = 60

    run = run_one(job("a"), Local(), lambda event: event.progress is not None)

    assert run.stopped and run.predictions is None


def test_whoever_stops_iterating_ends_what_is_under_way(workers: Workers) -> None:
    workers.seconds = 60
    workers.reasons = {"a": "quick"}
    began = time.monotonic()

    def jobs():
        yield job("b")
        workers.seconds = 0
        yield job("a")

    with closing(Local(slots=2).run(jobs())) as finishing:
        assert next(finishing).job.name == "a"

    assert time.monotonic() - began < 10


def test_what_is_kept_is_not_run_again_failures_included(workers: Workers, tmp_path: Path) -> None:
    workers.reasons = {"bad": "it crashed"}
    first = {each.job.name: each for each in Local(2, KeptRuns(tmp_path)).run([job("good"), job("bad")])}
    workers.ran.clear()

    second = {each.job.name: each for each in Local(2, KeptRuns(tmp_path)).run([job("good"), job("bad")])}

    assert workers.ran == [] and all(each.kept for each in second.values())
    assert second["bad"].run().reason == "it crashed"
    assert [second[name].run().id for name in second] == [first[name].run().id for name in second]

    list(Local(1, KeptRuns(tmp_path, retry_failed=True)).run([job("good"), job("bad")]))
    assert workers.ran == ["bad"]


def test_a_stopped_run_is_not_kept(workers: Workers, tmp_path: Path) -> None:
    run_one(job("a"), Local(1, KeptRuns(tmp_path)), lambda _: True)

    assert run_one(job("a"), Local(1, KeptRuns(tmp_path))).stopped is False


def test_other_conditions_are_another_run(workers: Workers, tmp_path: Path) -> None:
    changes = [{}, {"overrides": {"seed": 1}}, {"threads": 1}, {"save_weights": True}, {"suggested": {"lr": 0.1}}]

    list(Local(1, KeptRuns(tmp_path)).run(job("a", **change) for change in changes))

    assert workers.ran == ["a"] * len(changes)


def test_the_code_of_the_harness_is_a_part_of_a_runs_identity(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_one(job("a"), Local(1, KeptRuns(tmp_path)))
    monkeypatch.setattr("harness.runs.conditions.harness_fingerprint", lambda: "edited")

    run_one(job("a"), Local(1, KeptRuns(tmp_path)))

    assert workers.ran == ["a", "a"]


def test_a_job_can_be_sent_to_another_machine() -> None:
    sent = pickle.loads(pickle.dumps(job("a")))

    assert sent.key == job("a").key
    assert sent.package.files == {"mine.py": b"a"}


SHARER = """
import sys, pathlib
from unittest.mock import patch
from support.runs import Workers, job
from harness.runs.executors import Local
from harness.runs.kept import KeptRuns

workers = Workers(0.15)
with patch("harness.runs.executors.run_job", workers):
    store = KeptRuns(pathlib.Path(sys.argv[1]))
    done = [each.job.name for each in Local(1, store).run(job(name) for name in "abcdef")]
print("".join(workers.ran), "".join(sorted(done)))
"""


def test_two_processes_share_a_store_and_do_no_run_twice(tmp_path: Path) -> None:
    words = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{SHARER}", str(tmp_path)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    ran, done = zip(*(process.communicate()[0].split() for process in both), strict=True)

    assert sorted("".join(ran)) == list("abcdef")
    assert done == ("abcdef", "abcdef")


def test_a_run_without_predictions_keeps_its_reason_and_one_with_them_every_bit(tmp_path: Path) -> None:
    store = KeptRuns(tmp_path)
    run = Workers()(job("abc"), lambda _: False, lambda: False)
    store.keep("abc", "0" * 64, run)
    store.keep("bad", "1" * 64, Run(None, "it crashed", training_seconds=3.5, log_tail="so far\n", weights=b"w"))

    kept, failed = store.find("abc", "0" * 64), store.find("bad", "1" * 64)

    assert kept is not None and kept.predictions is not None and run.predictions is not None
    assert kept.predictions.tobytes() == run.predictions.tobytes() and kept.id == run.id
    assert failed is not None
    assert (failed.reason, failed.training_seconds, failed.log_tail, failed.weights) == (
        "it crashed",
        3.5,
        "so far\n",
        b"w",
    )


@pytest.mark.parametrize("damage", [b"", b"half of it", None], ids=["empty", "cut off", "of a pickle"])
def test_a_damaged_file_is_made_again_with_a_warning(workers: Workers, damage: bytes | None, tmp_path: Path) -> None:
    warnings: list[str] = []
    store = KeptRuns(tmp_path, warn=warnings.append)
    run_one(job("a"), Local(1, store))
    (file,) = tmp_path.glob("*.npz")
    whole = file.read_bytes()
    file.write_bytes(pickle.dumps({"about": 1}) if damage is None else whole[: len(damage) * 30])

    assert run_one(job("a"), Local(1, store)).reason is None
    assert workers.ran == ["a", "a"]
    assert len(warnings) == 1 and str(file) in warnings[0] and "made again" in warnings[0]
    assert store.find("a", job("a").key) is not None


def test_a_store_that_cannot_be_written_is_found_before_anything_is_run(workers: Workers, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(MachineError, match=r"name another folder with --work"):
        run_one(job("a"), Local(1, KeptRuns(tmp_path / "file")))
    assert workers.ran == []
