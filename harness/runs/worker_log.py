"""What a worker reports while it runs, as the grader takes it: bounded, and timed by the grader's own clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.runs.facts import Facts

_STAGES = ("starting", "loading", "training", "predicting", "done")
_FIGURES = ("epoch", "epochs", "error_px", "validation_px", "images_per_second", "seconds_left", "threads", "network")
_MOST_PROGRESS = 20_000
_LONGEST_REASON = 2000
_NO_REASON = "it gave up without a reason; give the error that it raises a message"


@dataclass(frozen=True)
class Event:
    """A step of a run: training begins, or goes on.

    Attributes:
        facts: what the submission has said of itself, once it is loaded.
        progress: None when training begins; later epoch, epochs, error_px, images_per_second, seconds_left and, where
            the recipe keeps a validation part, validation_px.
    """

    facts: Facts
    progress: dict[str, float] | None = None


@dataclass
class WorkerLog:
    """Takes in a worker's messages, which may be untrue: they are for display and planning only.

    Attributes:
        listen: called with each event; true ends the run.
        stage: the latest one.
        facts: what it has said of itself.
        failure: its reason for giving up.
        machine_at_fault: whether that was before it had loaded any of the submission.
        training_seconds: of training, as far as it has come.
        progress: the figures of every progress message.
        is_over: whether a listener wants the run ended.
    """

    listen: Callable[[Event], bool]
    stage: str = "starting"
    facts: Facts = field(default_factory=Facts)
    failure: str | None = None
    machine_at_fault: bool = False
    training_seconds: float = 0.0
    progress: list[dict[str, float]] = field(default_factory=list)
    is_over: bool = False
    _since: float = field(default_factory=time.monotonic)
    _reported: tuple[float | None, float | None] | None = None

    @property
    def has_trained(self) -> bool:
        """Whether it says that training is over."""
        return self.stage in _STAGES[_STAGES.index("predicting") :]

    def hear(self, message: dict[str, Any]) -> None:
        """Take in one message; one that is not of the expected form is ignored."""
        kind = message.get("kind")
        if kind == "stage" and message.get("stage") in _STAGES[_STAGES.index(self.stage) + 1 :]:
            self.close()
            self.stage = message["stage"]
            if self.stage == "training":
                self._report(Event(self.facts))
        elif kind == "facts" and not self.has_trained:  # later ones could carry off what it is to predict
            self.facts = self.facts.updated(message)
        elif kind == "failed" and self.failure is None:
            # A failure before the submission is loaded is not its fault; once it is loaded, it cannot pretend to that.
            self.machine_at_fault = self.stage == "starting"
            self.failure = str(message.get("reason") or "").strip()[:_LONGEST_REASON] or _NO_REASON
        elif kind == "progress" and not self.has_trained:
            figures = {name: float(message[name]) for name in _FIGURES if _is_number(message.get(name))}
            # Whoever reports the same epoch again and again would fill logs and journals.
            reported = figures.get("epoch"), figures.get("epochs")
            if reported != self._reported and len(self.progress) < _MOST_PROGRESS:
                self._reported = reported
                self.progress.append(figures)
                self._report(Event(self.facts, figures))

    def close(self) -> None:
        """Count the time of the stage that ends now."""
        now = time.monotonic()
        if self.stage == "training":
            self.training_seconds += now - self._since
        self._since = now

    def _report(self, event: Event) -> None:
        self.is_over = self.listen(event) or self.is_over


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
