"""Job: one run of a submission in a worker, from the arrays it is given to the bare array it gives back."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.datasets.store import fingerprint
from harness.errors import MachineError, PredictionError
from harness.files import remove_tree
from harness.isolation.launcher import Cores, launch
from harness.isolation.outcome import Outcome
from harness.isolation.reader import read_blob, read_predictions
from harness.runs.conditions import Conditions
from harness.runs.run import Run
from harness.runs.worker_log import Event, WorkerLog
from harness.submission.source import Package

_TRAINING_SHARE = 0.9
"""Share of the time limit that is for training; the rest is for loading and predicting."""

_WEIGHTS_CAP = 2**30

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
        parts: how many of them go to each call of ``predict``; if empty, all go to one call.
        mixed: whether the worker gets them in a random order, so that it cannot know which is which.
    """

    training: FaceSet
    asked: NDArray[np.uint8]
    parts: tuple[int, ...] = ()
    mixed: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of all of it; other rows give another one."""
        arrays: dict[str, NDArray[Any]] = {
            "images": self.training.images,
            "keypoints": self.training.keypoints,
            "subjects": self.training.subjects,
            "asked": self.asked,
            "parts": np.array([*self.parts, self.mixed], np.int64),
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
    order = _order(job.material)
    with _folder() as folder:
        _write_inputs(folder, job, order)
        outcome = launch(
            folder,
            limits=conditions.limits,
            tier=conditions.tier,
            device=conditions.device,
            on_message=log.hear,
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
        stopped = log.is_over or is_over()
        reason = "it was stopped" if stopped else _why_failed(outcome, log)
        if reason is None:
            try:
                shape = (len(job.material.asked), len(job.material.training.layout), 2)
                predictions = read_predictions(folder / "output" / "predictions.npy", shape)[np.argsort(order)]
                if conditions.save_weights:
                    weights = read_blob(folder / "output" / "weights.safetensors", _WEIGHTS_CAP)
            except PredictionError as error:
                reason = str(error)
    return Run(
        predictions,
        reason,
        facts=log.facts,
        isolation=str(conditions.tier),
        held=outcome.held,
        seconds=time.monotonic() - started,
        training_seconds=log.training_seconds,
        peak_memory=outcome.peak_memory,
        log_tail=outcome.log_tail,
        weights=weights,
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


def _order(material: Material) -> NDArray[np.intp]:
    """In which order (N,) the worker gets the images."""
    count = len(material.asked)
    return np.random.default_rng().permutation(count) if material.mixed else np.arange(count)


def _write_inputs(folder: Path, job: Job, order: NDArray[np.intp]) -> None:
    """Lay out what the worker may read."""
    inside = folder / "input"
    (folder / "output").mkdir()
    job.package.write_to(inside / "submission")
    material, conditions = job.material, job.conditions
    np.save(inside / "images.npy", material.training.images)
    np.save(inside / "keypoints.npy", material.training.keypoints)
    np.save(inside / "subjects.npy", material.training.subjects)
    np.save(inside / "asked.npy", material.asked[order])
    task = {
        "submission": job.package.entry,
        "layout": asdict(material.training.layout),
        "image_size": material.training.images.shape[1:],
        "parts": material.parts or (len(material.asked),),
        "device": conditions.device,
        "threads": conditions.threads,
        "overrides": conditions.overrides,
        "suggested": conditions.suggested,
        "time_budget": conditions.limits.seconds * _TRAINING_SHARE,
        "training_seconds": conditions.training_seconds,
        "save_weights": conditions.save_weights,
    }
    (inside / "job.json").write_text(json.dumps(task), encoding="utf-8")


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix="grade-"))
        try:
            yield folder
        finally:
            with suppress(OSError):  # a file that cannot be removed must not lose the grading
                remove_tree(folder)
    except OSError as error:
        if error.filename and str(error.filename).startswith(tempfile.gettempdir()):
            raise MachineError(
                f"{error.filename}: {error.strerror}; make room, or point TMPDIR to a folder that has some"
            ) from error
        raise
