"""Studies: what is tried, what is kept when a process is killed, and what comes out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from support import trials
from support.submissions import MEAN_FACE, SEARCHED, grade
from support.tiny import Tiny

from harness.benchmark import load_benchmark
from harness.cli import main
from harness.cli.grade import main as grade_main
from harness.datasets.opening import open_split
from harness.errors import ContractError, SubmissionError, UsageError
from harness.learning.recipe import Recipe
from harness.runs.executors import Local, run_one
from harness.runs.job import Job, Material
from harness.runs.worker_log import Event
from harness.studies.tuning import Task, Tuner
from harness.submission.source import find_source


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> trials.Trainings:
    """Trials are a formula, and nothing is loaded."""
    trainings = trials.Trainings()
    monkeypatch.setattr("harness.runs.executors.run_job", trainings)
    return trainings


def run(tuner: Tuner, total: int) -> list[Any]:
    """The trials that this process ran until there were so many."""
    return list(iter(lambda: tuner.run_trial(total, lambda _: None), None))


def study(journal: Path, *, task: Task = trials.TASK) -> Tuner:
    return Tuner(task, journal)


def process(journal: Path, total: int, seconds: float = 0.0) -> subprocess.Popen[str]:
    """A process that works on the same study."""
    words = [sys.executable, trials.__file__, str(journal), str(total), str(seconds)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_the_first_trial_is_the_submission_as_it_is_so_the_best_is_no_worse(
    trainings: trials.Trainings, tmp_path: Path
) -> None:
    tuner = study(tmp_path / "study.journal")

    found = run(tuner, 12)

    assert found[0].user_attrs["changes"] == {} and found[0].values == [trials.OWN_PX]
    assert all(trial.user_attrs["changes"] for trial in found[1:])
    assert tuner.ranking[0].values[0] < trials.OWN_PX
    assert len({trial.params["lr"] for trial in found[1:]}) == 11


def test_a_trial_is_judged_by_what_it_predicts_and_not_by_what_it_says(
    trainings: trials.Trainings, tmp_path: Path
) -> None:
    trainings.told_px = -5.0
    tuner = study(tmp_path / "study.journal")

    run(tuner, 4)

    expected = [trials.error_px(trial.user_attrs["changes"]) for trial in tuner.finished]
    assert [trial.values[0] for trial in tuner.finished] == pytest.approx(expected)


def test_a_few_people_are_kept_for_the_hints_by_which_trials_are_pruned(
    trainings: trials.Trainings, tmp_path: Path
) -> None:
    conditions = replace(trials.CONDITIONS, overrides={"epochs": 3})

    run(study(tmp_path / "study.journal", task=replace(trials.TASK, conditions=conditions)), 2)

    assert [each.overrides for each in trainings.conditions] == [{"epochs": 3, "validation": 0.05}] * 2


def test_a_recipe_that_keeps_a_part_of_its_own_goes_on_doing_so(trainings: trials.Trainings, tmp_path: Path) -> None:
    trainings.recipe = Recipe(epochs=trials.EPOCHS, validation=0.3)

    run(study(tmp_path / "study.journal"), 1)

    assert [each.overrides for each in trainings.conditions] == [{}]


def test_faces_that_cannot_be_parted_are_told(tmp_path: Path) -> None:
    one = replace(trials.FACES, subjects=np.zeros(4, np.int64))

    with pytest.raises(UsageError, match="labelled faces of at least two subjects"):
        study(tmp_path / "study.journal", task=replace(trials.TASK, training=one))


def test_a_study_goes_on_where_it_was_left_and_as_it_would_have(trainings: trials.Trainings, tmp_path: Path) -> None:
    whole = [trial.params for trial in run(study(tmp_path / "whole.journal"), 8)]

    before = [trial.params for trial in run(study(tmp_path / "parts.journal"), 5)]
    after = [trial.params for trial in run(study(tmp_path / "parts.journal"), 8)]

    assert before + after == whole
    assert run(study(tmp_path / "parts.journal"), 8) == []


def test_what_promises_little_is_pruned_but_never_the_submission_as_it_is(
    trainings: trials.Trainings, tmp_path: Path
) -> None:
    tuner = study(tmp_path / "study.journal")

    states = [trial.state.name for trial in run(tuner, 20)]

    assert states[0] == "COMPLETE" and states.count("PRUNED") > 3
    assert len(tuner.finished) == 20


def test_a_trial_that_fails_is_counted_with_its_reason(trainings: trials.Trainings, tmp_path: Path) -> None:
    trainings.reason = lambda changes: "the loss became nan" if changes else None
    tuner = study(tmp_path / "study.journal")

    found = run(tuner, 3)

    assert [trial.user_attrs.get("reason") for trial in found] == [None, "the loss became nan", "the loss became nan"]
    assert tuner.ranking == found[:1]


def test_a_submission_that_fails_as_it_is_is_not_tuned(trainings: trials.Trainings, tmp_path: Path) -> None:
    trainings.reason = lambda changes: "the loss became nan"
    tuner = study(tmp_path / "study.journal")

    with pytest.raises(SubmissionError, match=r"mine\.py: fails before anything is changed: the loss became nan"):
        tuner.run_trial(3, lambda _: None)
    trainings.reason = lambda changes: None
    assert run(tuner, 2)[0].params == {}


def test_an_interrupted_trial_is_not_counted(trainings: trials.Trainings, tmp_path: Path) -> None:
    tuner = study(tmp_path / "study.journal")
    run(tuner, 2)

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuner.run_trial(4, interrupt)
    assert len(tuner.finished) == 2
    assert len(run(tuner, 4)) == 2


def test_a_killed_process_loses_no_finished_trial(trainings: trials.Trainings, tmp_path: Path) -> None:
    journal = tmp_path / "study.journal"
    with process(journal, 6, seconds=0.3) as worker:
        assert worker.stdout is not None
        told = [worker.stdout.readline() for _ in range(3)]
        worker.send_signal(signal.SIGKILL)
    assert told[1:] == ["0 COMPLETE\n", "1 COMPLETE\n"]

    tuner = study(journal)
    kept = [trial.number for trial in tuner.finished]
    found = run(tuner, 6)

    assert kept == [0, 1]
    assert len(found) == 4 and len(tuner.finished) == 6


def test_half_a_line_of_a_killed_process_is_dropped(trainings: trials.Trainings, tmp_path: Path) -> None:
    journal = tmp_path / "study.journal"
    run(study(journal), 2)
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"worker_')

    assert len(run(study(journal), 4)) == 2
    assert journal.read_bytes().startswith(whole + b"{")
    assert len(study(journal).finished) == 4


def test_processes_share_a_study(tmp_path: Path) -> None:
    journal = tmp_path / "study.journal"
    with process(journal, 12, seconds=0.05) as first, process(journal, 12, seconds=0.05) as second:
        told = [worker.communicate()[0].splitlines()[1:] for worker in (first, second)]

    numbers = [int(line.split()[0]) for lines in told for line in lines]
    assert sorted(numbers) == list(range(12))
    assert all(told)
    with_lr = [json.loads(line) for line in journal.read_text().splitlines() if '"param_name":"lr"' in line]
    assert len({line["param_value_internal"] for line in with_lr}) == 11


def elsewhere(journal: Path, seen: float) -> None:
    """Make a trial of this study that another machine began, and was last heard of at this time."""
    process = {"host": "another-machine", "number": 1, "started": 0.0, "seen": seen}
    trial = study(journal)._study.ask({})
    trial.set_user_attr("process", process)


@pytest.mark.parametrize(("silence", "count"), [(3600, 4), (1, 3)], ids=["gone", "at work"])
def test_a_trial_of_another_machine_is_given_up_once_it_is_silent(
    silence: float, count: int, trainings: trials.Trainings, tmp_path: Path
) -> None:
    journal = tmp_path / "study.journal"
    elsewhere(journal, time.time() - silence)

    found = run(study(journal), 4)

    assert len(found) == count
    # Whoever is given up takes nothing along: the submission as it is, which was the lost trial, is run.
    assert [trial for trial in found if not trial.params] == (found[:1] if count == 4 else [])


def test_two_machines_draw_different_values_though_no_lock_is_between_them(
    trainings: trials.Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = study(tmp_path / "study.journal"), study(tmp_path / "study.journal")
    run(first, 1)

    # Both have counted the same trials when they begin their next one.
    trials_begun = [tuner._next(9) for tuner in (first, second)]

    assert all(trial is not None for trial in trials_begun)
    assert len({trial.params["lr"] for trial in trials_begun}) == 2


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"source": replace(trials.SOURCE, fingerprint="edited")}, "submission"),
        ({"data": "yet another"}, "data"),
        ({"validation": 0.3}, "validation"),
        ({"conditions": replace(trials.CONDITIONS, overrides={"epochs": 5})}, "recipe, epochs or seed"),
    ],
    ids=["submission", "data", "validation", "epochs"],
)
def test_a_study_is_not_continued_with_another_task(
    other: dict[str, Any], what: str, trainings: trials.Trainings, tmp_path: Path
) -> None:
    run(study(tmp_path / "study.journal"), 1)

    with pytest.raises(UsageError, match=f"study.journal: is a study with another {what}; .* --study FILE"):
        study(tmp_path / "study.journal", task=replace(trials.TASK, **other))


def test_a_study_without_a_finished_trial_is_nobodys_yet(trainings: trials.Trainings, tmp_path: Path) -> None:
    study(tmp_path / "study.journal")

    mended = study(tmp_path / "study.journal", task=replace(trials.TASK, data="mended"))
    assert len(run(mended, 2)) == 2


@pytest.mark.parametrize("content", ["a shopping list", "a shopping list\nof two lines\n", '{"lr": 0.1}\n'])
def test_a_file_that_is_no_study_is_left_alone(content: str, trainings: trials.Trainings, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(content)

    with pytest.raises(UsageError, match=r"notes\.txt: is not a study of mine, or is damaged; name another file with"):
        study(path)
    assert path.read_text() == content


def test_a_name_that_only_one_branch_asks_for_is_searched_from_then_on(
    trainings: trials.Trainings, tmp_path: Path
) -> None:
    momentum = {"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 0.9, "log": False, "step": None}}
    tuner = study(tmp_path / "study.journal")
    run(tuner, 2)
    trainings.space = {"lr": trials.LR, "momentum": momentum}

    found = run(tuner, 5)

    assert [set(trial.params) for trial in found] == [{"lr"}, {"lr", "momentum"}, {"lr", "momentum"}]


def test_a_study_of_version_0_1_which_took_the_workers_word_is_not_continued(
    trainings: trials.Trainings, tmp_path: Path
) -> None:
    tuner = study(tmp_path / "study.journal")
    run(tuner, 1)
    task = {name: value for name, value in trials.TASK.identity().items() if name != "way of judging"}
    tuner._study.set_user_attr("task", task)

    with pytest.raises(UsageError, match="is a study with another way of judging"):
        study(tmp_path / "study.journal")


def test_a_range_that_changes_from_trial_to_trial_is_refused(trainings: trials.Trainings, tmp_path: Path) -> None:
    tuner = study(tmp_path / "study.journal")
    trainings.space = {"lr": {**trials.LR, "attributes": {**trials.LR["attributes"], "high": 0.5}}}

    with pytest.raises(ContractError, match="'lr' with a range that changes"):
        run(tuner, 1)


def test_tune_ends_in_a_recipe_that_grade_takes(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.submission(SEARCHED)
    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data), "--device", "cpu"]

    assert main(["tune", str(path), "--trials", "2", *data]) == 0

    shown = capsys.readouterr().out
    assert "0 of 2 trials are finished" in shown and f"grade {path} --recipe mine.recipe.json" in shown
    assert Path("studies/mine-tiny.journal").is_file()
    assert not Path("leaderboard").exists()
    found = json.loads(Path("mine.recipe.json").read_text())
    assert 14 <= found["centre"] <= 18 and 1e-3 <= found["lr"] <= 1e-2
    code, entry = grade(tiny, SEARCHED, "--recipe", "mine.recipe.json", "--epochs", "1", "--no-record")
    assert code == 0
    assert (entry["recipe"]["lr"], entry["recipe"]["epochs"]) == (found["lr"], 1)


def test_a_pruned_trial_ends_its_worker_and_leaves_nothing(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = tiny.root / "jobs"
    jobs.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(jobs))
    path = tiny.submission(SEARCHED.replace("epochs=2", "epochs=100000"))
    before = set(psutil.Process().children(recursive=True))  # multiprocessing keeps a helper of its own
    seen: list[set[psutil.Process]] = []

    def prune(event: Event) -> bool:
        seen.append(set(psutil.Process().children(recursive=True)) - before)
        return event.progress is not None

    training = open_split(load_benchmark(tiny.card), tiny.data).training
    conditions = replace(trials.CONDITIONS, suggested={"centre": 15, "lr": 0.002})
    job = Job("mine", find_source(path).pack(), Material(training, training.images[:1]), conditions)
    run = run_one(job, Local(), prune)

    assert run.stopped and run.predictions is None and run.training_seconds > 0
    assert seen[-1] and not any(process.is_running() for process in seen[-1])
    assert list(jobs.iterdir()) == []


def test_an_estimator_has_nothing_to_tune(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.submission(MEAN_FACE)

    assert main(["tune", str(path), "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 2
    assert "only a submission with build_model can be tuned" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "best.json: cannot be read: No such file or directory; `harness tune` writes such files"),
        ('{"lr"', "best.json: is not JSON"),
        ("[1]", "best.json: does not hold a JSON object; write one such as"),
        ('{"lr": "fast"}', "best.json: recipe field lr is 'fast'; it must be a number of at least 0"),
        ('{"width": [1]}', "best.json: key 'width' is [1]; it must be a number, a string, true or false"),
    ],
)
def test_a_recipe_file_that_is_none_is_no_fault_of_the_submission(
    content: str | None, sentence: str, tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny.submission(MEAN_FACE)
    if content is not None:
        Path("best.json").write_text(content)

    assert (
        grade_main([str(path), "--benchmark", str(tiny.card), "--data", str(tiny.data), "--recipe", "best.json"]) == 3
    )
    assert sentence in capsys.readouterr().err
    assert not Path("leaderboard/entries").exists()
