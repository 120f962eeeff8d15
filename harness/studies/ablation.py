"""Ablation: what each trick of a submission is worth on the held-out faces, with one changed at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import Split
from harness.errors import ContractError, SubmissionError
from harness.estimates import Estimate
from harness.grading.scoring import compare, score
from harness.learning.changes import check_variants
from harness.learning.recipe import Recipe
from harness.runs.conditions import Conditions
from harness.runs.executors import Executor, Local, ask_facts
from harness.runs.job import Job, Material
from harness.runs.run import Run
from harness.runs.worker_log import Event
from harness.submission.source import Source

AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Row:
    """The result of one trick, over all seeds.

    Attributes:
        trick: its name, or ``AS_IT_IS``.
        error: mean pixel error on the headline stratum; None where a training failed.
        difference: that error less the submission's as it is, paired; below 0 where the change is an improvement.
        seconds: of one training.
        reason: why a training failed.
    """

    trick: str
    error: Estimate | None
    difference: Estimate | None
    seconds: float
    reason: str | None = None


class Ablation:
    """A submission and its tricks.

    Args:
        source, split, conditions: as ``grade`` takes them.
        seeds: how often each trick is trained, with the submission's seed and those that follow it.

    Attributes:
        tricks: name -> changes; the first, ``AS_IT_IS``, changes nothing.

    Raises:
        SubmissionError: it cannot be loaded, or has no tricks.
        MachineError: this machine lacks what was asked for.
    """

    def __init__(self, source: Source, split: Split, conditions: Conditions, *, seeds: int) -> None:
        self._source, self._split, self._conditions = source, split, conditions
        self._material = Material(split.training, split.held_out.images)
        facts = ask_facts(Job(source.label, source.pack(), self._material, conditions), Local()).facts
        if facts.variants is None:
            raise ContractError(f"{source.path}: has no tricks to change; only a submission with build_model has any")
        if facts.weights_loaded:
            raise ContractError(f"{source.path}: loads its weights, so no trick shows; take `weights` out of it")
        self.tricks: dict[str, dict[str, Any]] = {AS_IT_IS: {}, **check_variants(facts.variants)}
        first = Recipe.from_mapping(facts.recipe or {}).seed
        self._seeds = range(first, first + seeds)

    def rows(self, executor: Executor, listen: Callable[[Job, Event], bool]) -> Iterator[Row]:
        """Run the submission with each trick and each seed; yields a row as soon as it is known, in the tricks' order.

        Args:
            executor: makes the runs; with a store, a later call goes on where this one ended.
            listen: called with each event of a run.

        Raises:
            SubmissionError: the submission fails as it is.
            MachineError: this machine lacks what was asked for, or a run cannot be kept.
        """
        runs: dict[str, Run] = {}
        to_come = list(self.tricks)
        with closing(executor.run(self._jobs(), listen)) as finishing:
            for finished in finishing:
                runs[finished.job.name] = finished.run()
                while to_come and all(self._name(to_come[0], seed) in runs for seed in self._seeds):
                    yield self._row(to_come.pop(0), runs)

    def _jobs(self) -> Iterator[Job]:
        package = self._source.pack()
        for trick, changes in self.tricks.items():
            for seed in self._seeds:
                overrides = self._conditions.overrides | changes | {"seed": seed}
                conditions = replace(self._conditions, overrides=overrides)
                yield Job(self._name(trick, seed), package, self._material, conditions)

    def _name(self, trick: str, seed: int) -> str:
        return f"{trick}-seed{seed}"

    def _row(self, trick: str, runs: dict[str, Run]) -> Row:
        own, these = ([runs[self._name(each, seed)] for seed in self._seeds] for each in (AS_IT_IS, trick))
        reason = next((run.reason for run in these if run.reason is not None), None)
        if trick == AS_IT_IS and reason is not None:
            raise SubmissionError(f"{self._source.path}: fails before anything is changed: {reason}")
        seconds = sum(run.training_seconds for run in these) / len(these)
        if reason is not None:
            return Row(trick, None, None, seconds, reason)
        # Every face is there once for each seed; the bootstrap still draws whole subjects.
        faces = self._split.held_out.take(np.tile(np.arange(len(self._split.held_out)), len(these)))
        rows = np.tile(next(iter(self._split.strata.values())), len(these))
        points, before = _predictions(these), _predictions(own)
        error = score(points, faces, {"": rows}).headline.metrics["mean_pixel_error"]
        difference = compare(before, points, faces, rows).difference if trick != AS_IT_IS else None
        return Row(trick, error, difference, seconds)


def _predictions(runs: list[Run]) -> NDArray[np.float32]:
    return np.concatenate([run.predictions for run in runs if run.predictions is not None])
