"""Job: one run of a submission in a worker, from the arrays it is given to the bare array it gives back."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.datasets.store import fingerprint
from harness.errors import MachineError, PredictionError
from harness.folders import job_folder
from harness.isolation.grants import uses_cuda
from harness.isolation.launcher import Cores, launch
from harness.isolation.outcome import Outcome
from harness.isolation.pipes import TAIL
from harness.isolation.reader import read_predictions
from harness.runs.conditions import Conditions
from harness.runs.curves import curves_of
from harness.runs.inputs import hand_over, order_of, write_inputs
from harness.runs.run import Run
from harness.runs.weights import read_weights
from harness.runs.worker_log import Event, WorkerLog
from harness.submission.source import Package
from harness.text import plain

Listener = Callable[[Event], bool]
"""Called with each event of a run, in the thread that waits for its worker; true ends the run."""


def ignore(_: Event) -> bool:
    """A listener that lets every run go on."""
    return False


@dataclass(frozen=True)
class Material:
    """What a run is given.

    Attributes:
        training: faces to learn from, with keypoints; the worker may read all of it.
        asked: uint8 (N, H, W), images to predict.
        parts: how many of them go to each call of ``predict``; if empty, all but those aside go to one call.
        mixed: whether the worker gets all but those aside in a random order, so that it cannot know which is which.
        aside: how many of them, the last, are for the diagnosis alone: where predicting them fails, the points are 0.
    """

    training: FaceSet
    asked: NDArray[np.uint8]
    parts: tuple[int, ...] = ()
    mixed: bool = False
    aside: int = 0

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of all of it; other rows give another one."""
        arrays: dict[str, NDArray[Any]] = {
            "images": self.training.images,
            "keypoints": self.training.keypoints,
            "subjects": self.training.subjects,
            "asked": self.asked,
            "parts": np.array([*self.parts, self.mixed, self.aside], np.int64),
        }
        return f"{self.training.layout.columns} {fingerprint(arrays)}"


@dataclass(frozen=True)
class Job:
    """Everything that a run needs, wherever it is made: it can be pickled and sent to another machine.

    Attributes:
        name: for messages, and for the file in which its run is kept.
        package: the submission's files.
        material: faces and images.
        conditions: how to run it.
    """

    name: str
    package: Package
    material: Material
    conditions: Conditions

    @cached_property
    def key(self) -> str:
        """The identity under which its run is kept."""
        return self.conditions.key(self.package.fingerprint, self.material.fingerprint)


def run_job(
    job: Job, listen: Listener = ignore, is_over: Callable[[], bool] = lambda: False, cores: Cores | None = None
) -> Run:
    """Run a submission in a worker of its own and wait for its end.

    Args:
        job: what to run.
        listen: called with the facts when training begins, then with each progress message.
        is_over: asked often; the run ends as soon as it is true.
        cores: says which ones it may use, when asked.

    Raises:
        MachineError: this machine lacks what was asked for.
    """
    started = time.monotonic()
    log = WorkerLog(listen)
    conditions = job.conditions
    order = order_of(job.material)
    printed_before: int | None = None
    with job_folder() as folder:

        def hear(message: dict[str, Any]) -> None:
            nonlocal printed_before
            log.hear(message)
            if log.has_trained and printed_before is None:
                printed_before = (folder / "log.txt").stat().st_size
                if not conditions.asked_while_training:
                    hand_over(folder, job.material.asked[order])

        write_inputs(folder, job)
        if conditions.asked_while_training:
            hand_over(folder, job.material.asked[order])
        outcome = launch(
            folder,
            limits=conditions.limits,
            tier=conditions.tier,
            device=conditions.device,
            on_message=hear,
            is_over=lambda: log.is_over or is_over(),
            secrets=conditions.secrets,
            cores=cores,
        )
        log.close()
        if log.failure is not None and log.machine_at_fault:
            raise MachineError(log.failure)
        if log.stage == "starting" and outcome.exit_code:
            raise MachineError(f"a worker could not start; it said: {outcome.log_tail.strip() or 'nothing'}")
        predictions = weights = None
        remarks: list[str] = []
        stopped = log.is_over or is_over()
        reason = "it was stopped" if stopped else _why_failed(outcome, log)
        quotes = log.failure is not None and log.has_trained
        if reason is None:
            try:
                shape = (len(job.material.asked), len(job.material.training.layout), 2)
                predictions = read_predictions(outcome.scratch.output / "predictions.npy", shape)[np.argsort(order)]
            except PredictionError as error:
                reason, quotes = str(error), True
        if reason is None and conditions.save_weights:
            try:
                weights = read_weights(outcome.scratch.output / "weights.safetensors")
            except PredictionError as error:
                remarks.append(str(error))
        log_before = _tail(folder / "log.txt", printed_before)
    return Run(
        predictions,
        reason,
        facts=log.facts if _has_gpu(conditions.device) else log.facts.without_gpu(),
        curves=curves_of(log.progress, len(log.facts.networks)),
        isolation=str(conditions.tier),
        held=outcome.held,
        seconds=time.monotonic() - started,
        training_seconds=log.training_seconds,
        peak_memory=outcome.peak_memory,
        log_tail=outcome.log_tail,
        log_before=outcome.log_tail if log_before is None else log_before,
        quotes=quotes,
        weights=weights,
        remarks=remarks,
        stopped=stopped,
    )


def _why_failed(outcome: Outcome, log: WorkerLog) -> str | None:
    if outcome.stopped is not None:
        return f"{outcome.reason} (it was {log.stage})"
    if log.failure is not None:
        return log.failure
    if outcome.reason is not None:
        return f"{outcome.reason} while {log.stage}"
    if log.stage != "done":
        return (
            f"it ended without an error while {log.stage}, before it had predicted anything; something called "
            "os._exit() or ended the process in another way"
        )
    return None


def _has_gpu(device: str) -> bool:
    """Whether a worker for this device may have used a GPU; on a Mac that cannot be known."""
    return uses_cuda(device) or sys.platform == "darwin"


def _tail(log: Path, size: int | None) -> str | None:
    """The last of the first ``size`` bytes that were printed; None where it never came so far."""
    if size is None:
        return None
    with log.open("rb") as file:
        file.seek(max(0, size - TAIL))
        return plain(file.read(min(size, TAIL)).decode("utf-8", "replace"))
