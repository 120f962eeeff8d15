"""What runs inside the isolation: load the submission, fit, predict, leave a bare array.

The job folder holds ``input/job.json`` and arrays; the worker writes ``output/predictions.npy`` and reports what it
does, one JSON object a line, on the channel. The grader does not trust it: it checks the array and uses its own clock.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ContractError, HarnessError, LimitError, SubmissionError
from harness.isolation.explain import explain
from harness.keypoints import KeypointLayout
from harness.learning.source_lines import origin
from harness.submission.contract import Learner, Settings, load_learner
from harness.submission.habits import explain_habit
from harness.submission.notes import bounded, heard_warnings
from harness.submission.predicted import as_predictions
from harness.submission.traces import trace_of

_STARTED = time.monotonic()
_PATIENCE = 60.0  # seconds


def main(job: Path, channel: int) -> int:
    """Run the job in this folder; 0 when predictions were written, otherwise the exit code of what went wrong."""

    def send(kind: str, **content: Any) -> None:
        os.write(channel, (json.dumps({"kind": kind, **content}) + "\n").encode())

    submission = job / "input" / "submission"
    stage = _Stage(send)
    try:
        with heard_warnings(submission) as warned:
            _run(job, stage, send, warned)
    except BaseException as error:  # whatever a submission raises, SystemExit too, is an outcome with a reason
        failure = _explained(error, stage.name, submission / stage.entry)
        print(trace_of(error, submission), end="", file=sys.stderr)
        send("failed", reason=str(failure))
        return failure.exit_code
    return 0


class _Stage:
    """Where the run is: ``loading``, ``training``, ``predicting`` or ``done``."""

    def __init__(self, send: Callable[..., None]) -> None:
        self._send = send
        self.name = "starting"
        self.entry = ""

    def enter(self, name: str) -> None:
        self.name = name
        self._send("stage", stage=name)


def _run(job: Path, stage: _Stage, send: Callable[..., None], warned: list[str]) -> None:
    task = json.loads((job / "input" / "job.json").read_text(encoding="utf-8"))
    layout = KeypointLayout(**task["layout"])
    image_size = (task["image_size"][0], task["image_size"][1])
    _take_device(task["device"])  # before anything of the submission's: a missing device is not its fault
    arrays = {
        name: np.load(job / "input" / f"{name}.npy", mmap_mode="r") for name in ("images", "keypoints", "subjects")
    }

    stage.enter("loading")
    left = task["time_budget"] - (time.monotonic() - _STARTED)
    settings = Settings(
        device=task["device"],
        overrides=task["overrides"],
        suggested=task["suggested"],
        threads=task["threads"],
        budget_seconds=min(left, task["training_seconds"] or left),
        progress=lambda progress: send("progress", **asdict(progress)),
        tell=lambda **facts: send("facts", **facts),
    )
    path = job / "input" / "submission" / task["submission"]
    stage.entry = task["submission"]
    sys.argv = [str(path)]  # for a parser of arguments at the top of a script

    def say(learner: Learner) -> None:
        facts = learner.facts()
        send("facts", **facts | {"notes": bounded([*facts.get("notes", []), *warned])})

    learner = load_learner(path, layout, image_size, settings)
    say(learner)

    stage.enter("training")
    learner.fit(arrays["images"], arrays["keypoints"], arrays["subjects"])
    say(learner)

    stage.enter("predicting")
    if task["save_weights"]:  # before predicting, which may fail
        learner.save_weights(job / "output" / "weights.safetensors")
    asked = _wait_for(job / "input" / "asked.npy")
    parts = np.split(asked, np.cumsum(task["parts"])[:-1])
    points = [as_predictions(learner.predict(part), len(part), len(layout)) for part in parts]
    np.save(job / "output" / "predictions.npy", np.concatenate(points))
    stage.enter("done")


def _wait_for(asked: Path) -> NDArray[np.uint8]:
    """The images to predict, which the grader lays down once it has heard that training is over."""
    deadline = time.monotonic() + _PATIENCE
    while not asked.exists():
        if time.monotonic() > deadline:
            raise HarnessError("the grader laid down no images to predict")
        time.sleep(0.002)
    return np.asarray(np.load(asked))


def _take_device(name: str) -> None:
    if name != "cpu":
        # Torch takes seconds to import, and an estimator on the CPU may do without.
        import torch

        from harness.learning.devices import choose_device

        device = choose_device(name)
        if device.type == "cuda" and device.index is not None:
            torch.cuda.set_device(device)  # for what a submission itself puts on "cuda"


def _explained(error: BaseException, stage: str, entry: Path) -> HarnessError:
    """The error that says in a sentence what an exception of any kind means for the competitor."""
    if isinstance(error, HarnessError):
        if error.__cause__ is None or not _out_of_memory(error.__cause__):
            return _placed(error, entry.parent)
        error = error.__cause__
    place = origin(error, entry.parent)
    where = f"{place}: " if place else ""
    sentence = explain_habit(error, entry)
    if sentence is None and isinstance(error, SystemExit):
        return SubmissionError(
            f"{where}it called sys.exit({error.code!r}) while {stage}; a submission returns from its functions instead"
        )
    if sentence is None and _out_of_memory(error):
        if any(word in str(error).lower() for word in _OF_A_GPU):
            return LimitError(
                f"{where}it ran out of the GPU's memory while {stage}, which no option raises; use a smaller "
                "batch_size or model"
            )
        return LimitError(
            f"{where}it ran out of memory while {stage}; use a smaller batch_size or model, or ask for more with "
            "--memory-limit"
        )
    sentence = sentence or explain(error) or f"{type(error).__name__} while {stage}: {error}"
    return SubmissionError(f"{where}{sentence}")


def _placed(error: HarnessError, submission: Path) -> HarnessError:
    """The error of a contract that is not kept, with the submission's line that raised what caused it."""
    place = origin(error.__cause__, submission) if isinstance(error, ContractError) and error.__cause__ else ""
    return type(error)(f"{place}: {_PLACE.sub('', str(error))}") if place else error


_PLACE = re.compile(r"^\S+, line \d+(, in \w+)?: ")
_OF_A_GPU = ("cuda", "cublas", "cudnn", "mps backend")


def _out_of_memory(error: BaseException) -> bool:
    # Torch raises a RuntimeError for a refused allocation on the CPU and a type of its own on CUDA; there it then asks
    # NVML who holds the memory, and where that is out of reach only the failed question is seen.
    words = ("can't allocate memory", "cannot allocate memory", "out of memory", "alloc_failed", "nvml_success")
    return isinstance(error, MemoryError) or any(each in str(error).lower() for each in words)
