"""Run: the result of running a submission once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from harness.runs.curves import Curve
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
        curves: how the error of each of its networks fell in training, as it said; `harness.runs.curves`.
        isolation, held: the tier that confined it, and by what means.
        seconds, training_seconds: wall time in all and of training, by the grader's clock.
        peak_memory: bytes, by the watchdog's count.
        log_tail: the last of what it printed.
        log_before: the last of what it printed before it got the images to predict.
        quotes: whether the reason may quote what it said when it had them.
        weights: the bytes of a safetensors file, where they were asked for.
        remarks: what was wrong with it although it did not fail, a sentence each.
        stopped: whether a listener ended it; there is nothing to judge then.
        id, finished: of this run alone; kept with it, so that what is made of it twice is known as one thing.
    """

    predictions: NDArray[np.float32] | None
    reason: str | None
    facts: Facts = field(default_factory=Facts)
    curves: list[Curve] = field(default_factory=list)
    isolation: str = "no code"
    held: str = ""
    seconds: float = 0.0
    training_seconds: float = 0.0
    peak_memory: int = 0
    log_tail: str = ""
    log_before: str = ""
    quotes: bool = False
    weights: bytes | None = None
    remarks: list[str] = field(default_factory=list)
    stopped: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    finished: str = field(default_factory=_now)
