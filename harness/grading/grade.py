"""grade(): a submission's whole way, from its file to its entry.

card -> faces -> split -+-> training faces ---------+
                        +-> held-out images --------+--> executor -> worker: fit, predict --> predictions
                        +-> answer key --> score <--------------------------------------------------+
                                             |
                                  scorecard -> entry
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Benchmark
from harness.datasets.faces import Split
from harness.errors import LoadError, PredictionError
from harness.estimates import Floats, over_trainings
from harness.grading.asking import material_for, sampled_rows
from harness.grading.diagnosis import advise, find_mistakes
from harness.grading.entry import Entry, Seconds, strata_of
from harness.grading.normalisation import mean_error
from harness.grading.predictions import read_file
from harness.grading.provenance import memoriser_flag, where_trained, why_refused
from harness.grading.scoring import Scorecard, gap_between
from harness.grading.trainings import Gathering, averaged, score_each, standing_for, trainings_of
from harness.grading.versions import versions
from harness.points import total
from harness.runs.conditions import Conditions, harness_fingerprint
from harness.runs.executors import Executor, Local
from harness.runs.facts import Facts
from harness.runs.job import Job, Material
from harness.runs.run import Run
from harness.runs.worker_log import Event
from harness.submission.source import Source

_TOLD = ("device", "threads", "seed", "parameters", "recipe", "networks", "not_applied", "notes", "seconds.training")

_KEPT_BACK = (
    "it failed after it had got the held-out images, which are secret; what it said of that is kept for the teacher, "
    "in log.txt of --out DIR"
)


@dataclass(frozen=True)
class Graded:
    """A grading: the entry, and what it was made from.

    Attributes:
        source: what was graded.
        entry: the record, not yet on a leaderboard.
        predictions: float32 (T * N, K, 2) for the N held-out faces, one training after the other; None when the
            submission failed.
        weights: the trained weights as safetensors bytes, where the conditions asked for them.
        shares: (T, M, 1 + G), what each subject adds to the scores of each training, for paired comparisons; None when
            the submission failed.
        reason, log_tail: as in the entry, in full; where held-out faces are secret, for the teacher alone.
    """

    source: Source
    entry: Entry
    predictions: NDArray[np.float32] | None
    weights: bytes | None
    reason: str | None = None
    log_tail: str = ""
    shares: Floats | None = None


def grade(
    source: Source,
    benchmark: Benchmark,
    split: Split,
    conditions: Conditions,
    *,
    board: str | None = None,
    on_progress: Callable[[dict[str, float]], None] = lambda _: None,
) -> Graded:
    """Run a submission away from the answers, score what it predicted, and report what is good and what is not.

    What the submission itself causes (a crash, a limit, predictions that cannot be scored) ends in a failed entry with
    the reason. Nothing is recorded yet.

    Raises:
        HarnessError: something other than the submission is at fault.
    """

    def listen(_: Source, event: Event) -> bool:
        if event.progress is not None:
            on_progress(event.progress)
        return False

    ((_, result),) = grade_all([source], benchmark, split, conditions, Local(), board=board, listen=listen)
    if isinstance(result, Exception):
        raise result
    return result


def grade_all(
    sources: Sequence[Source],
    benchmark: Benchmark,
    split: Split,
    conditions: Conditions,
    executor: Executor,
    *,
    board: str | None = None,
    listen: Callable[[Source, Event], bool] = lambda _, __: False,
    on_training: Callable[[Source, int, int], None] = lambda _, __, ___: None,
) -> Generator[tuple[Source, Graded | Exception]]:
    """Grade submissions, and yield each as soon as it is graded; those that were stopped are left out.

    An exception takes the place of a grading where the machine or the harness failed; the others go on.

    Args:
        sources: no two of one author and name.
        benchmark, split, conditions: the same for all.
        executor: makes the runs.
        board: the board's name; the benchmark's if None.
        listen: called with each event of a run, in any thread; true ends the run.
        on_training: called when one of several trainings has ended, with how many have, and how many there are.
    """
    judge = Judge(benchmark, split, conditions, board or benchmark.name)
    by_label = {source.label: source for source in sources}
    assert len(by_label) == len(sources), "the caller has named authors"
    refusals = {source.label: why_refused(source, benchmark) for source in sources}
    to_run = [source for source in sources if source.has_code and refusals[source.label] is None]
    unreadable: list[tuple[Source, Graded]] = []
    gathering = Gathering(conditions)

    @cache
    def material(brought: bool) -> Material:
        return material_for(split, judge.sample, brought=brought)

    def jobs() -> Iterator[Job]:
        for source in to_run:
            try:
                package = source.pack()
            except LoadError as error:
                unreadable.append((source, judge.graded(source, Run(None, str(error)))))
                continue
            for training in conditions.trainings:
                if not gathering.is_over(source.label):
                    yield Job(source.label, package, material(source.brings_data), training)

    for source in sources:
        reason = refusals[source.label]
        if reason is not None or not source.has_code:
            yield source, judge.graded(source, _without_run(source, reason, split, conditions, executor))
    with closing(executor.run(jobs(), lambda job, event: listen(by_label[job.name], event))) as finishing:
        for finished in finishing:
            source, result = by_label[finished.job.name], gathering.take(finished)
            if done := gathering.done(source.label):
                on_training(source, done, conditions.seeds)
            if result is not None:
                yield source, result if isinstance(result, Exception) else judge.graded(source, *result)
    yield from unreadable


def _without_run(source: Source, reason: str | None, split: Split, conditions: Conditions, executor: Executor) -> Run:
    """The run of a submission that is refused or holds predictions, without a worker; kept like any other.

    Why it is refused is a part of its key, since another card may take it.
    """
    key = conditions.key(f"{source.fingerprint} {reason or ''}", split.fingerprint)
    kept = executor.store.find(source.label, key) if executor.store else None
    if kept is not None:
        return kept
    predictions = None
    if reason is None:
        try:
            predictions = read_file(source.path, len(split.held_out), split.held_out.layout)
        except (LoadError, PredictionError) as error:
            reason = str(error)
    run = Run(predictions, reason)
    if executor.store:
        executor.store.keep(source.label, key, run)
    return run


class Judge:
    """Makes entries from runs: scores what a run predicted, or records why it predicted nothing.

    Args:
        benchmark, split, conditions: what the runs were made on, and how.
        board: the board's name.

    Attributes:
        sample: positions of the training faces that are asked for along with the held-out images.
    """

    def __init__(self, benchmark: Benchmark, split: Split, conditions: Conditions, board: str) -> None:
        self._benchmark, self._split, self._conditions, self._board = benchmark, split, conditions, board
        self.sample = sampled_rows(split.training)

    def graded(self, source: Source, *runs: Run, extra: dict[str, object] | None = None) -> Graded:
        """The grading of a run, or of several that differ in their seeds.

        Args:
            source: what was run.
            runs: predictions for the held-out images and, where they were asked for, for the sample.
            extra: more for the entry.
        """
        run, count = standing_for(runs), len(self._split.held_out)
        entry = self._unscored(source, run).model_copy(update=extra or {})
        points = [each.predictions for each in runs if each.predictions is not None]
        if not points:
            return Graded(source, entry, None, run.weights, run.reason, run.log_tail)
        predictions = np.concatenate([each[:count] for each in points])
        scorecards = score_each(predictions, self._split.held_out, self._split.strata)
        if len(runs) > 1:
            entry = entry.model_copy(update={"trainings": trainings_of(self._conditions, runs, scorecards)})
        scorecard = averaged(scorecards)
        scored = self._scored(entry, scorecard, points)
        shares = scorecard.headline.shares
        return Graded(source, scored, predictions, run.weights, run.reason, run.log_tail, shares)

    def _unscored(self, source: Source, run: Run) -> Entry:
        facts, limits, secret = run.facts, self._conditions.limits, self._split.origin == "secret"
        identity = f"{run.id} {source.label} {self._board} {self._split.fingerprint}"
        when = run.finished.translate(str.maketrans("", "", "-:Z"))
        return Entry(
            id=f"{when}-{source.label.replace('/', '-')}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}",
            author=source.author,
            submission=source.name,
            description=source.description,
            benchmark=self._benchmark.name,
            board=self._board,
            held_out=self._split.origin,
            date=run.finished,
            status="failed",
            reason=_KEPT_BACK if secret and run.reason and run.quotes else run.reason,
            metric=self._benchmark.metric,
            **self._worth(None),
            trained=where_trained(source, run),
            isolation=run.isolation,
            held=run.held,
            flags=run.remarks,
            told=[*_TOLD] if facts != Facts() else [],
            device=facts.device,
            threads=facts.threads,
            seed=facts.seed,
            parameters=facts.parameters,
            size=source.size,
            overrides=self._conditions.overrides,
            not_applied=facts.not_applied,
            notes=[*source.remarks, *facts.notes],
            recipe=facts.recipe,
            networks=_networks(run),
            seconds=Seconds(total=run.seconds, training=run.training_seconds),
            peak_memory=run.peak_memory,
            asked={"device": self._conditions.device, "threads": self._conditions.threads},
            limits={"seconds": limits.seconds, "memory": limits.memory},
            fingerprints={
                "source": source.fingerprint,
                "data": self._split.fingerprint,
                "card": self._benchmark.fingerprint,
                "harness": harness_fingerprint(),
            },
            versions=versions(),
            log_tail=run.log_before if secret else run.log_tail,
        )

    def _scored(self, entry: Entry, scorecard: Scorecard, points: Sequence[NDArray[np.float32]]) -> Entry:
        """An entry with its scores.

        Args:
            points: what each training predicted for the held-out images, for the sample, and for some of it transposed.
        """
        held_out, count = self._split.held_out, len(self._split.held_out)
        predictions, sampled, transposed = np.split(points[0], [count, count + len(self.sample)])
        strata = strata_of(scorecard)
        headline = next(iter(strata.values()))
        value = headline.scores[self._benchmark.metric]
        errors = [network.get("error_px") for network in entry.networks]
        training = self._split.training.take(self.sample)
        learnt = mean_error(sampled, training.keypoints) if len(sampled) and entry.trained == "here" else None
        update: dict[str, object] = {
            "status": "graded",
            "scores": headline.scores,
            "band": self._benchmark.best_band(value.value),
            **self._worth(value.value),
            "strata": strata,
            # A table of predictions has none for training faces, so only there is the answer key looked at.
            "mistakes": find_mistakes(
                sampled,
                training,
                where=" on training faces",
                transposed=transposed,
                reported=max(errors, key=lambda error: error or math.inf, default=None),
            )
            if len(sampled)
            else find_mistakes(predictions, held_out),
            "advice": advise(scorecard, entry.recipe, learnt),
        }
        if len(sampled):
            rows = next(iter(self._split.strata.values()))
            faces = held_out.take(rows)
            end = count + len(training)
            gap = over_trainings([gap_between(each[:count][rows], faces, each[count:end], training) for each in points])
            flag = memoriser_flag(self._benchmark, value, gap) if entry.trained == "brought" else None
            update |= {"gap": gap, "flags": [*entry.flags, *([flag] if flag else [])]}
        return entry.model_copy(update=update)

    def _worth(self, value: float | None) -> dict[str, Any]:
        marks = self._benchmark.marks(value)
        points, most = total(marks)
        return {"points": points, "max_points": most, "marks": marks}


def _networks(run: Run) -> list[dict[str, Any]]:
    """What a run said of each network, with its learning curve where it has one."""
    curves = [*run.curves, *[{} for _ in run.facts.networks]]
    told = zip(run.facts.networks, curves, strict=False)
    return [network.model_dump() | ({"curve": curve} if curve else {}) for network, curve in told]
