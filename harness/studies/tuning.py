"""Tuning: a study of a submission, by its error on a validation part of the training subjects.

Each trial is a job of its own on the other training people; no held-out face is given to it. It predicts the validation
images, and its error is counted here. What a worker reports of its progress decides no more than whether its trial is
worth going on with. The study lies in a journal file, on which several processes may work at once, and which outlives
each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from filelock import FileLock
from optuna.trial import FrozenTrial, TrialState

from harness.datasets.faces import FaceSet
from harness.errors import ContractError, MachineError, SubmissionError, UsageError
from harness.grading.scoring import pixel_distances
from harness.learning.changes import check_changes
from harness.learning.recipe import Recipe
from harness.runs.conditions import Conditions
from harness.runs.executors import Local, ask_facts, run_one
from harness.runs.facts import Facts
from harness.runs.job import Job, Material
from harness.runs.run import Run
from harness.runs.worker_log import Event
from harness.studies.journal import distributions, is_finished, open_study
from harness.studies.sharing import SeededByNumber, beat, heart, is_alive
from harness.subjects import first_subjects
from harness.submission.source import Source

_SHARE_FOR_HINTS = 0.05
"""Of what a trial learns from: kept by its trainer to report how it gets on, where its recipe keeps nothing itself."""


@dataclass(frozen=True)
class Task:
    """What is tuned. A study can be resumed with the same task only, since errors of another are not comparable.

    Attributes:
        source: the submission.
        training: the faces to learn from, some of which are kept for validation.
        data: the fingerprint of the benchmark's data.
        validation: the share of the training faces, by whole subjects, that is kept for validation.
        conditions: how each trial is run.
    """

    source: Source
    training: FaceSet
    data: str
    validation: float
    conditions: Conditions

    def identity(self) -> dict[str, Any]:
        """What must not differ, under names for messages."""
        return {
            "submission": self.source.fingerprint,
            "data": self.data,
            "validation": self.validation,
            "recipe, epochs or seed": self.conditions.overrides,
            "way of judging": "by predictions",  # version 0.1 took the worker's word
        }


class Tuner:
    """One process's part in a study.

    A trial is an ``optuna.trial.FrozenTrial``: its value is the validation error in pixels; its user attributes are
    ``changes`` to the submission, none for the trial of the submission as it is, and ``reason`` where it failed.

    Args:
        task: what is tuned.
        journal: the study's file; made where there is none.

    Raises:
        UsageError: the file holds something else than a study of this task, or the training faces cannot be parted.
        MachineError: the file cannot be written.
        SubmissionError: the submission cannot be loaded or has nothing to tune.
    """

    def __init__(self, task: Task, journal: Path) -> None:
        self.task = task
        self.journal = journal
        self._validation, self._material = _parted(task)
        # The kernel lets go of it when its holder is killed. A thread may take it twice, as the journal does in here.
        self._lock = FileLock(journal.with_name(f".{journal.name}.lock"))
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            journal.parent.mkdir(parents=True, exist_ok=True)
            with self._lock:
                self._study = open_study(journal, self._lock, task.source.name)
                if self._study.user_attrs.get("task") != task.identity():
                    self._begin()
        except OSError as error:
            raise MachineError(f"{error.filename or journal}: could not be written: {error.strerror}") from error
        self._study.sampler = SeededByNumber()
        self._study.pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=self.recipe.epochs // 3)

    @property
    def recipe(self) -> Recipe:
        """The submission's own."""
        return Recipe.from_mapping(self._study.user_attrs["recipe"])

    @property
    def finished(self) -> list[FrozenTrial]:
        """The trials of all processes that came to an end: complete, pruned, or failed for a reason of their own."""
        return [trial for trial in self._study.get_trials(deepcopy=False) if is_finished(trial)]

    @property
    def ranking(self) -> list[FrozenTrial]:
        """The complete ones among them, the best first."""
        complete = [trial for trial in self.finished if trial.state == TrialState.COMPLETE]
        return sorted(complete, key=lambda trial: float(trial.values[0]))

    def run_trial(self, total: int, on_progress: Callable[[dict[str, float]], None]) -> FrozenTrial | None:
        """Run the next trial to its end; None once ``total`` are finished, or under way in other processes.

        The first is the submission as it is. A trial that an earlier process left unfinished does not count.

        Raises:
            SubmissionError: the submission fails as it is, or cannot be tuned.
            MachineError: this machine lacks what was asked for.
        """
        trial = self._next(total)
        if trial is None:
            return None

        def listen(event: Event) -> bool:
            if event.progress is None:
                trial.set_user_attr("changes", check_changes(event.facts.changes, "changes"))
                self._add_to_space(event.facts.space or {})
                return False
            on_progress(event.progress)
            if "validation_px" not in event.progress:
                return False
            trial.report(event.progress["validation_px"], max(0, int(event.progress.get("epoch", 0))))
            return bool(trial.params) and trial.should_prune()

        hints = {} if self.recipe.validation else {"validation": _SHARE_FOR_HINTS}
        overrides = self.task.conditions.overrides | hints
        conditions = replace(self.task.conditions, overrides=overrides, suggested=trial.params)
        try:
            with heart(trial):
                run = run_one(self._job(conditions), Local(), listen)
            self._tell(trial, run)
        except BaseException:
            self._study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
            raise
        return self._study.get_trials(deepcopy=False)[trial.number]

    def _job(self, conditions: Conditions) -> Job:
        return Job(self.task.source.label, self.task.source.pack(), self._material, conditions)

    def _begin(self) -> None:
        """Make the study one of this task."""
        path, identity = self.task.source.path, self.task.identity()
        if self.finished:
            known = self._study.user_attrs["task"]
            others = [what for what, value in identity.items() if known.get(what) != value]
            raise UsageError(
                f"{self.journal}: is a study with another {' and another '.join(others)}; use what it began with, or "
                "begin a new study with --study FILE"
            )
        facts: Facts = ask_facts(self._job(replace(self.task.conditions, suggested={})), Local()).facts
        if not distributions(facts.space or {}):
            raise ContractError(f"{path}: search_space(trial) asks the trial for nothing; let it suggest values")
        if facts.weights_loaded:
            raise ContractError(f"{path}: has no validation error, since it loads weights; take `weights` out")
        recipe = Recipe.from_mapping(facts.recipe or {}).as_dict()
        for name, value in (("recipe", recipe), ("space", facts.space), ("task", identity)):
            self._study.set_user_attr(name, value)

    def _add_to_space(self, asked: Mapping[str, Any]) -> None:
        """Remember names that a trial is the first to ask for, since the others took another branch."""
        with self._lock:
            known = self._study.user_attrs["space"]
            changing = [name for name in asked if name in known and known[name] != asked[name]]
            if changing:
                raise ContractError(
                    f"{self.task.source.path}: search_space(trial) asks for {changing[0]!r} with a range that changes "
                    "from trial to trial; give each range a name of its own"
                )
            distributions(asked)
            if asked.keys() - known.keys():
                self._study.set_user_attr("space", {**known, **asked})

    def _next(self, total: int) -> optuna.Trial | None:
        with self._lock:
            for each in self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
                if not is_alive(each):
                    self._study.tell(each.number, state=TrialState.FAIL)
            trials = self._study.get_trials(deepcopy=False)
            taken = [each for each in trials if each.state == TrialState.RUNNING or is_finished(each)]
            if len(taken) >= total:
                return None
            has_own = any(not each.params for each in taken)
            trial = self._study.ask(distributions(self._study.user_attrs["space"]) if has_own else {})
            beat(trial)
            return trial

    def _tell(self, trial: optuna.Trial, run: Run) -> None:
        path = self.task.source.path
        if run.stopped:
            self._study.tell(trial, state=TrialState.PRUNED)
        elif run.predictions is not None:
            self._study.tell(trial, float(np.nanmean(pixel_distances(run.predictions, self._validation.keypoints))))
        elif trial.params:
            trial.set_user_attr("reason", run.reason)
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            raise SubmissionError(f"{path}: fails before anything is changed: {run.reason}")


def _parted(task: Task) -> tuple[FaceSet, Material]:
    """The faces to judge by, and what a trial is given: the others to learn from, and the images of these."""
    kept = first_subjects(task.training.subjects, task.validation)
    validation, rest = task.training.take(kept), task.training.take(~kept)
    if not (validation.labelled.any() and rest.labelled.any()):
        raise UsageError(
            f"--validation {task.validation:g} leaves no labelled face to judge by or none to learn from; there must "
            "be labelled faces of at least two subjects"
        )
    return validation, Material(rest, validation.images)
