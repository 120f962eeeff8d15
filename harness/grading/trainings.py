"""Several trainings of one submission, each with a seed of its own, that are graded as one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.estimates import Estimate, over_trainings
from harness.grading.entry import Seconds, Training
from harness.grading.scoring import Scorecard, StratumScore, score
from harness.runs.conditions import Conditions
from harness.runs.executors import Finished
from harness.runs.run import Run


class Gathering:
    """Takes the runs of submissions in the order in which they finish, until all of a submission's are there.

    Args:
        conditions: say how many trainings each has.
    """

    def __init__(self, conditions: Conditions) -> None:
        self._seeds = [each.overrides.get("seed") for each in conditions.trainings]
        self._runs: dict[str, dict[object, Run]] = {}
        self._over: set[str] = set()

    def is_over(self, name: str) -> bool:
        """Whether there is nothing more to run for this submission."""
        return name in self._over

    def done(self, name: str) -> int:
        """How many of a submission's trainings have ended well, where there are several and it is not settled yet."""
        return 0 if self.is_over(name) else len(self._runs.get(name, {}))

    def take(self, finished: Finished) -> list[Run] | Exception | None:
        """The runs of a submission, by their seeds, when the last one has finished; only the first that failed, and an
        exception in their place, as soon as it comes. None until then, and for what comes later."""
        name, result, seed = finished.job.name, finished.result, finished.job.conditions.overrides.get("seed")
        if self.is_over(name) or (isinstance(result, Run) and result.stopped):
            return None
        if isinstance(result, Run) and result.reason is None:
            runs = self._runs.setdefault(name, {})
            runs[seed] = result
            if len(runs) < len(self._seeds):
                return None
            self._over.add(name)
            return [runs[each] for each in self._seeds]
        self._over.add(name)
        if isinstance(result, Run) and len(self._seeds) > 1:
            return [replace(result, reason=f"with seed {seed}: {result.reason}")]
        return [result] if isinstance(result, Run) else result


def standing_for(runs: Sequence[Run]) -> Run:
    """The first run, with what all of them took: seconds on average, memory at most.

    Its predictions are its own, and its id is made of all ids.
    """
    if len(runs) == 1:
        return runs[0]
    return replace(
        runs[0],
        seconds=sum(run.seconds for run in runs) / len(runs),
        training_seconds=sum(run.training_seconds for run in runs) / len(runs),
        peak_memory=max(run.peak_memory for run in runs),
        remarks=list(dict.fromkeys(remark for run in runs for remark in run.remarks)),
        id=hashlib.sha256(" ".join(run.id for run in runs).encode()).hexdigest(),
        finished=max(run.finished for run in runs),
    )


def trainings_of(conditions: Conditions, runs: Sequence[Run], scorecards: Sequence[Scorecard]) -> list[Training]:
    """What an entry says of each training."""
    return [
        Training(
            seed=training.overrides["seed"],
            scores={name: each.value for name, each in scorecard.headline.metrics.items()},
            seconds=Seconds(total=run.seconds, training=run.training_seconds),
        )
        for training, run, scorecard in zip(conditions.trainings, runs, scorecards, strict=True)
    ]


def score_each(
    predictions: NDArray[np.float32], held_out: FaceSet, strata: Mapping[str, NDArray[np.bool_]]
) -> list[Scorecard]:
    """Score the predictions of each training by itself.

    Args:
        predictions: (T * N, K, 2), those of the first training before those of the second, and so on.
        held_out, strata: as `harness.grading.scoring.score` takes them.
    """
    return [score(each, held_out, strata) for each in np.split(predictions, len(predictions) // len(held_out))]


def averaged(scorecards: Sequence[Scorecard]) -> Scorecard:
    """The mean of the scores of each training, with intervals over subjects and trainings; shares are (T, M, 1 + G)."""
    return Scorecard({name: _averaged([each.strata[name] for each in scorecards]) for name in scorecards[0].strata})


def _averaged(strata: Sequence[StratumScore]) -> StratumScore:
    def over(parts: Sequence[Mapping[str, Estimate]]) -> dict[str, Estimate]:
        return {name: over_trainings([part[name] for part in parts]) for name in parts[0]}

    return replace(
        strata[0],
        metrics=over([each.metrics for each in strata]),
        groups=over([each.groups for each in strata]),
        keypoints=over([each.keypoints for each in strata]),
        shares=np.stack([each.shares for each in strata]),
    )
