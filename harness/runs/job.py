"""Job: one run of a submission in a worker, from the arrays it is given to the bare array it gives back."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.errors import MachineError, PredictionError, SubmissionError
from harness.files import remove_tree
from harness.isolation.launcher import launch
from harness.isolation.limits import Limits
from harness.isolation.outcome import Outcome
from harness.isolation.reader import read_blob, read_predictions
from harness.isolation.tiers import Tier
from harness.runs.cores import Lease
from harness.submission.source import Source

_TRAINING_SHARE = 0.9
"""Of the time limit; the rest is for loading and predicting."""

_WEIGHTS_CAP = 2**30


@dataclass(frozen=True)
class Conditions:
    """How a submission is run.

    Attributes:
        device: auto, cpu, cuda or mps.
        overrides: changes from outside: recipe fields, such as epochs and seed, or keywords of ``build_model``.
        limits: what ends the worker.
        tier: how it is kept in.
        secrets: folders that it must not reach.
        training_seconds: what the trainer plans for, where that is less than the time limit leaves.
        save_weights: whether it leaves its trained weights behind.
        suggested: where it is tuned, the values that the tuner chose for its search space.
        threads: how many threads the CPU computes with; None chooses for the machine as it is.
    """

    device: str
    overrides: dict[str, Any]
    limits: Limits
    tier: Tier
    secrets: tuple[Path, ...] = ()
    training_seconds: float | None = None
    save_weights: bool = False
    suggested: dict[str, Any] | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Run:
    """What came of a job.

    Attributes:
        predictions: float32 (N, K, 2), checked; None when the submission failed.
        reason: why it failed, for its author; None when it did not.
        facts: what it told of itself: recipe, parameters, device, epochs; variants, changes and search space.
        isolation: the tier that kept it in, and `held`: by what means.
        training_seconds, peak_memory: by the grader's clock and the watchdog's count, in bytes.
        log_tail: the last of what it printed.
        weights: the bytes of a safetensors file, where they were asked for.
    """

    predictions: NDArray[np.float32] | None
    reason: str | None
    facts: dict[str, Any] = field(default_factory=dict)
    isolation: str = "no code"
    held: str = ""
    training_seconds: float = 0.0
    peak_memory: int = 0
    log_tail: str = ""
    weights: bytes | None = None


@dataclass
class Story:
    """What a worker tells while it runs: hints for people, stamped with the grader's own clock.

    Attributes:
        on_progress: called with each progress message.
        on_loaded: called with the facts when training begins.
        stage: the latest one.
        facts: those of `_FACTS` that it told; of plain values only.
        failure: the worker's reason for giving up.
        machine_at_fault: whether that was before it had loaded any of the submission.
        training_seconds: between the messages that training began and ended.
    """

    on_progress: Callable[[dict[str, float]], None]
    on_loaded: Callable[[dict[str, Any]], None]
    stage: str = "starting"
    facts: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None
    machine_at_fault: bool = False
    training_seconds: float = 0.0
    _since: float = field(default_factory=time.monotonic)

    def hear(self, message: dict[str, Any]) -> None:
        """Take in one message; whatever is not of the expected form is passed over."""
        kind = message.get("kind")
        if kind == "stage" and message.get("stage") in _STAGES:
            now = time.monotonic()
            if self.stage == "training":
                self.training_seconds += now - self._since
            self.stage, self._since = message["stage"], now
            if self.stage == "training":
                self.on_loaded(self.facts)
        elif kind == "facts":
            self.facts |= {key: message[key] for key in _FACTS if _is_plain(message.get(key, ...))}
        elif kind == "failed" and self.failure is None:
            # What goes wrong before the submission is loaded cannot be its doing, and it cannot claim so later.
            self.machine_at_fault = self.stage == "starting"
            self.failure = str(message.get("reason"))[:2000]
        elif kind == "progress":
            self.on_progress({k: float(v) for k, v in message.items() if _is_number(v)})


_FACTS = ("recipe", "seed", "device", "threads", "parameters", "training", "variants", "changes", "space")
_STAGES = ("loading", "training", "predicting", "done")


def run_job(
    source: Source,
    training: FaceSet,
    asked: NDArray[np.uint8],
    conditions: Conditions,
    on_progress: Callable[[dict[str, float]], None],
    on_loaded: Callable[[dict[str, Any]], None] = lambda _: None,
) -> Run:
    """Run a submission: it learns from the training faces and predicts the asked images.

    What a callback raises ends the worker at once and comes through.

    Args:
        source: the submission's files.
        training: faces with keypoints, which the worker may read.
        asked: uint8 (N, H, W), images without keypoints.
        conditions: limits, device, isolation.
        on_progress: called with epoch, epochs, error_px, images_per_second, seconds_left and, where the recipe keeps a
            validation part, validation_px, as training goes on.
        on_loaded: called with what the submission told of itself, before it trains.

    Raises:
        MachineError: this machine lacks what was asked for.
    """
    story = Story(on_progress, on_loaded)
    with _folder() as job:
        _furnish(job, source, training, asked, conditions)
        with Lease(threads=conditions.threads) as cores:
            outcome = launch(
                job,
                limits=conditions.limits,
                tier=conditions.tier,
                device=conditions.device,
                on_message=story.hear,
                secrets=conditions.secrets,
                cores=cores,
            )
        if story.failure is not None and story.machine_at_fault:
            raise MachineError(story.failure)
        if story.stage == "starting" and outcome.exit_code:
            raise MachineError(f"a worker could not start; it said: {outcome.log_tail.strip() or 'nothing'}")
        predictions = weights = None
        reason = _why_failed(outcome, story)
        if reason is None:
            try:
                shape = (len(asked), len(training.layout), 2)
                predictions = read_predictions(job / "output" / "predictions.npy", shape)
                if conditions.save_weights:
                    weights = read_blob(job / "output" / "weights.safetensors", _WEIGHTS_CAP)
            except PredictionError as error:
                reason = str(error)
        return Run(
            predictions,
            reason,
            facts=story.facts,
            isolation=str(conditions.tier),
            held=outcome.held,
            training_seconds=story.training_seconds,
            peak_memory=outcome.peak_memory,
            log_tail=outcome.log_tail,
            weights=weights,
        )


def ask_facts(source: Source, faces: FaceSet, conditions: Conditions) -> dict[str, Any]:
    """What a submission tells of itself once it is loaded: it is not trained.

    Raises:
        SubmissionError: it could not be loaded.
        MachineError: this machine lacks what was asked for.
    """

    def leave(facts: dict[str, Any]) -> None:
        raise _LoadedError(facts)

    try:
        run = run_job(source, faces.take(np.arange(1)), faces.images[:1], conditions, lambda _: None, leave)
    except _LoadedError as loaded:
        facts: dict[str, Any] = loaded.args[0]
        return facts
    raise SubmissionError(f"{source.path}: {run.reason}")


class _LoadedError(Exception):
    """Ends a worker that has told all that was asked."""


def _why_failed(outcome: Outcome, story: Story) -> str | None:
    if outcome.stopped is not None:
        return f"{outcome.reason} (it was {story.stage})"
    if story.failure is not None:
        return story.failure
    if outcome.reason is not None:
        return f"{outcome.reason} while {story.stage}"
    if story.stage != "done":
        return (
            f"it ended without an error while {story.stage}, before it had predicted anything; something called "
            "os._exit(), or ended the process otherwise"
        )
    return None


def _furnish(job: Path, source: Source, training: FaceSet, asked: NDArray[np.uint8], conditions: Conditions) -> None:
    inside = job / "input"
    (job / "output").mkdir()
    source.copy_to(inside / "submission")
    np.save(inside / "images.npy", training.images)
    np.save(inside / "keypoints.npy", training.keypoints)
    np.save(inside / "subjects.npy", training.subjects)
    np.save(inside / "asked.npy", asked)
    layout = training.layout
    task = {
        "submission": source.entry,
        "layout": asdict(layout),
        "image_size": training.images.shape[1:],
        "device": conditions.device,
        "overrides": conditions.overrides,
        "suggested": conditions.suggested,
        "time_budget": conditions.limits.seconds * _TRAINING_SHARE,
        "training_seconds": conditions.training_seconds,
        "save_weights": conditions.save_weights,
        "threads": conditions.threads,
    }
    (inside / "job.json").write_text(json.dumps(task), encoding="utf-8")


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix="grade-"))
        try:
            yield folder
        finally:
            with suppress(OSError):  # what cannot be removed is left behind rather than the grading lost
                remove_tree(folder)
    except OSError as error:
        if error.filename and str(error.filename).startswith(tempfile.gettempdir()):
            raise MachineError(
                f"{error.filename}: {error.strerror}; make room, or point TMPDIR to a folder that has some"
            ) from error
        raise


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_plain(value: object, depth: int = 4) -> bool:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return depth > 0 and len(value) <= 100 and all(_is_plain(each, depth - 1) for each in inner)
    return _is_scalar(value)


def _is_scalar(value: object) -> bool:
    return (
        value is None or isinstance(value, bool) or _is_number(value) or (isinstance(value, str) and len(value) < 200)
    )
