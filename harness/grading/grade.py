"""grade(): the whole way of a submission, from its file to its entry.

card -> faces -> split -+-> training faces ---------+
                        +-> held-out images --------+--> worker: fit, predict --> predictions
                        +-> answer key --> score <-------------------------------------+
                                             |
                                  scorecard -> entry
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Benchmark
from harness.datasets.faces import FaceSet, Split
from harness.errors import PredictionError
from harness.grading.diagnosis import advise, find_mistakes
from harness.grading.entry import Entry, Seconds, networks_of, strata_of
from harness.grading.predictions import read_csv
from harness.grading.scoring import score
from harness.runs.job import Conditions, Run, run_job
from harness.submission.source import Source


@dataclass(frozen=True)
class Graded:
    """A grading: the entry, and what it was made from.

    Attributes:
        entry: the record, not yet on a leaderboard.
        predictions: float32 (N, K, 2) for the held-out faces; None when the submission failed.
        weights: the trained weights as safetensors bytes, where the conditions asked for them.
    """

    entry: Entry
    predictions: NDArray[np.float32] | None
    weights: bytes | None


def grade(
    source: Source,
    benchmark: Benchmark,
    split: Split,
    conditions: Conditions,
    *,
    board: str | None = None,
    on_progress: Callable[[dict[str, float]], None] = lambda _: None,
) -> Graded:
    """Run a submission away from the answers, score what it predicted, and say what is good and what is not.

    Whatever is the submission's own doing (a crash, a limit, predictions that cannot be scored) ends in a failed entry
    with the reason. Nothing is recorded yet.

    Raises:
        HarnessError: something other than the submission is at fault.
    """
    started = time.monotonic()
    if source.entry is None:
        run = _read(source, split.held_out)
    else:
        run = run_job(source, split.training, split.held_out.images, conditions, on_progress)
    seconds = Seconds(total=time.monotonic() - started, training=run.training_seconds)
    return judge(source, benchmark, split, conditions, run, seconds, board or benchmark.name)


def judge(
    source: Source,
    benchmark: Benchmark,
    split: Split,
    conditions: Conditions,
    run: Run,
    seconds: Seconds,
    board: str,
) -> Graded:
    """Score what a run predicted for the held-out faces, or keep the reason why it predicted nothing."""
    entry = _failed(source, benchmark, split, conditions, run, seconds, board)
    if run.predictions is not None:
        entry = _scored(entry, run.predictions, benchmark, split)
    return Graded(entry, run.predictions, run.weights)


def _read(source: Source, held_out: FaceSet) -> Run:
    try:
        return Run(read_csv(source.path, len(held_out), held_out.layout), None)
    except PredictionError as error:
        return Run(None, str(error))


def _failed(
    source: Source,
    benchmark: Benchmark,
    split: Split,
    conditions: Conditions,
    run: Run,
    seconds: Seconds,
    board: str,
) -> Entry:
    now = datetime.now(UTC)
    facts = run.facts
    identity = f"{source.fingerprint} {split.fingerprint} {now.isoformat()}"
    return Entry(
        id=f"{now:%Y%m%dT%H%M%S}-{source.name}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}",
        submission=source.name,
        description=source.description,
        benchmark=benchmark.name,
        board=board,
        held_out=split.origin,
        date=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        status="failed",
        reason=run.reason,
        metric=benchmark.metric,
        isolation=run.isolation,
        held=run.held,
        device=str(facts.get("device", "")),
        seed=_whole(facts.get("seed")),
        parameters=_whole(facts.get("parameters")),
        networks=networks_of(_mapping(facts.get("training")) or {}, _mapping(facts.get("recipe"))),
        recipe=_mapping(facts.get("recipe")),
        seconds=seconds,
        peak_memory=run.peak_memory,
        limits={"seconds": conditions.limits.seconds, "memory": conditions.limits.memory},
        fingerprints={"source": source.fingerprint, "data": split.fingerprint},
        versions={
            "harness": version("facial-keypoint-harness"),
            "python": platform.python_version(),
            "torch": version("torch"),
            "platform": platform.platform(),
        },
        log_tail=run.log_tail,
    )


def _scored(entry: Entry, predictions: NDArray[np.float32], benchmark: Benchmark, split: Split) -> Entry:
    scorecard = score(predictions, split.held_out, split.strata)
    strata = strata_of(scorecard)
    headline = next(iter(strata.values()))
    training_error = entry.networks[0].get("error_px") if len(entry.networks) == 1 else None
    return entry.model_copy(
        update={
            "status": "graded",
            "scores": headline.scores,
            "band": benchmark.best_band(headline.scores[benchmark.metric].value),
            "strata": strata,
            "mistakes": find_mistakes(predictions, split.held_out),
            "advice": advise(scorecard, entry.recipe, training_error if isinstance(training_error, float) else None),
        }
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _mapping(value: object) -> dict[str, object] | None:
    return value if isinstance(value, dict) else None
