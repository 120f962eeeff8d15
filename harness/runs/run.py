"""Run: the result of running a submission once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from harness.runs.facts import Facts


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Run:
    """The result of a job.

    Attributes:
        predictions: float32 (N, K, 2), checked; None when the submission failed.
        reason: why it failed, for its author; None when it did not.
        facts: what it said of itself.
        isolation, held: the tier that confined it, and by what means.
        seconds, training_seconds: wall time in all and of training, by the grader's clock.
        peak_memory: bytes, by the watchdog's count.
        log_tail: the last of what it printed.
        weights: the bytes of a safetensors file, where they were asked for.
        stopped: whether a listener ended it; then there is nothing to score.
        id, finished: a random name and the time; kept with the run, so that the same run always makes the same entry.
    """

    predictions: NDArray[np.float32] | None
    reason: str | None
    facts: Facts = field(default_factory=Facts)
    isolation: str = "no code"
    held: str = ""
    seconds: float = 0.0
    training_seconds: float = 0.0
    peak_memory: int = 0
    log_tail: str = ""
    weights: bytes | None = None
    stopped: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    finished: str = field(default_factory=_now)
