"""A study whose trials are a formula instead of a training; as a script, one process that works on it.

python trials.py JOURNAL TOTAL [SECONDS]
"""

from __future__ import annotations

import hashlib
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from harness.datasets.faces import FaceSet
from harness.isolation.limits import Limits
from harness.isolation.tiers import Tier
from harness.keypoints import FACE15
from harness.learning.recipe import Recipe
from harness.runs.conditions import Conditions
from harness.runs.facts import Facts, NetworkFacts
from harness.runs.job import Job, Listener
from harness.runs.run import Run
from harness.runs.worker_log import Event
from harness.studies.tuning import Task, Tuner
from harness.submission.source import Source

OWN_PX, EPOCHS = 2.0, 3
LR = {"name": "FloatDistribution", "attributes": {"low": 1e-4, "high": 1.0, "log": True, "step": None}}
FACES = FaceSet(
    images=np.zeros((4, 8, 8), np.uint8),
    keypoints=np.zeros((4, 15, 2), np.float32),
    subjects=np.arange(4),
    layout=FACE15,
)
SOURCE = Source(Path("mine.py"), "mine", entry="mine.py", files={}, fingerprint=hashlib.sha256().hexdigest())
CONDITIONS = Conditions(device="cpu", overrides={}, limits=Limits(), tier=Tier.NONE)
TASK = Task(SOURCE, FACES, "other fingerprint", 0.2, CONDITIONS)


def error_px(changes: dict[str, Any]) -> float:
    """Least, 1 px, at a learning rate of 0.01; the submission as it is has 2 px."""
    return 1 + abs(math.log10(changes["lr"] / 0.01)) if changes else OWN_PX


class Trainings:
    """Stands in for ``run_job``; remembers the conditions that it was called with, and says ``told_px`` of itself."""

    def __init__(self, seconds: float = 0.0, space: dict[str, Any] | None = None) -> None:
        self.seconds = seconds
        self.space = {"lr": LR} if space is None else space
        self.conditions: list[Conditions] = []
        self.recipe = Recipe(epochs=EPOCHS)
        self.told_px: float | None = None
        self.reason: Callable[[dict[str, Any]], str | None] = lambda changes: None

    def __call__(self, job: Job, listen: Listener, is_over: Callable[[], bool], *_: object) -> Run:
        conditions = job.conditions
        assert (len(job.material.asked), len(job.material.training)) == (1, 3)  # one person is kept to judge by
        changes = dict(conditions.suggested or {})
        network = NetworkFacts(recipe=self.recipe.as_dict())
        facts = Facts(space=self.space, changes=changes, networks=[network])
        if listen(Event(facts)):
            return Run(None, "it was stopped", facts=facts, stopped=True)
        self.conditions.append(conditions)
        time.sleep(self.seconds)
        if reason := self.reason(changes):
            return Run(None, reason)
        for epoch in range(1, EPOCHS + 1):
            error = error_px(changes) * EPOCHS / epoch
            if listen(Event(facts, {"epoch": epoch, "epochs": EPOCHS, "validation_px": error})):
                return Run(None, "it was stopped", facts=facts, stopped=True)
        trained = network.model_copy(update={"validation_px": self.told_px})
        off = np.full((1, 15, 2), (error_px(changes), 0), np.float32)  # every keypoint lies at 0, 0
        return Run(off, None, facts=facts.model_copy(update={"networks": [trained]}))


def main(journal: Path, total: int, seconds: float = 0.0) -> None:
    """Work on a study until it has so many trials, and say what became of each."""
    with patch("harness.runs.executors.run_job", Trainings(seconds)):
        tuner = Tuner(TASK, journal)
        print("open", flush=True)
        while trial := tuner.run_trial(total, lambda _: None):
            print(trial.number, trial.state.name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:]))
