"""Jobs whose runs are made in this process, by a stand-in for ``run_job``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from harness.datasets.faces import FaceSet
from harness.isolation.limits import Limits
from harness.isolation.tiers import Tier
from harness.keypoints import FACE15
from harness.runs.conditions import Conditions
from harness.runs.job import Job, Listener, Material
from harness.runs.run import Run
from harness.runs.worker_log import Event
from harness.submission.source import Package

CONDITIONS = Conditions(device="cpu", overrides={}, limits=Limits(), tier=Tier.NONE)
MATERIAL = Material(
    FaceSet(np.zeros((4, 8, 8), np.uint8), np.zeros((4, 15, 2), np.float32), np.arange(4), FACE15),
    np.zeros((2, 8, 8), np.uint8),
)


def job(name: str, **conditions: object) -> Job:
    """A job whose submission is told from others by its name."""
    package = Package(name, "mine.py", {"mine.py": name.encode()}, f"fingerprint of {name}")
    return Job(name, package, MATERIAL, replace(CONDITIONS, **conditions))  # type: ignore[arg-type]


class Workers:
    """Stands in for ``run_job``.

    Attributes:
        ran: the names of the jobs that it was called with.
        most: how many it was at, at once, at the most.
        reasons: name -> why its run fails; an exception is raised.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.ran: list[str] = []
        self.most = 0
        self.reasons: dict[str, str | Exception] = {}
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, job: Job, listen: Listener, is_over: Callable[[], bool], *_: object) -> Run:
        with self._lock:
            self.ran.append(job.name)
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return self._run(job, listen, is_over)
        finally:
            with self._lock:
                self._now -= 1

    def _run(self, job: Job, listen: Listener, is_over: Callable[[], bool]) -> Run:
        until = time.monotonic() + self.seconds
        while True:
            if is_over() or listen(Event(Run(None, None).facts, {"epoch": 1})):
                return Run(None, "it was stopped", stopped=True)
            if time.monotonic() >= until:
                break
            time.sleep(0.01)
        reason = self.reasons.get(job.name)
        if isinstance(reason, Exception):
            raise reason
        if reason is not None:
            return Run(None, reason)
        return Run(np.full((len(job.material.asked), 15, 2), len(job.name), np.float32), None)
