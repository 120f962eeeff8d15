"""How long training is: as the recipe says, or as many steps as fit into the time budget."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

SAFETY = 0.97
"""The share of the budget that is planned for; the rest is for a slow last step."""


def batches(rows: int, size: int) -> int:
    """How many batches of nearly equal size hold all rows; none has a single row, unless the batch size is 1."""
    count = math.ceil(rows / size)
    return count if size == 1 else min(count, max(1, rows // 2))


class Plan:
    """Counts steps and reports progress.

    As long as training fits into its budget, the clock decides nothing, so that the result can be reproduced. If it
    does not fit, it is shortened: progress then goes on from where it is to 1 over fewer steps, so a learning rate that
    follows it still ends low.

    Attributes:
        step: steps done.
        steps: steps planned.
    """

    def __init__(
        self,
        epochs: int,
        steps_per_epoch: int,
        budget_seconds: float | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.step = 0
        self.steps = self.asked = epochs * steps_per_epoch
        self.steps_per_epoch = steps_per_epoch
        self.budget_seconds = math.inf if budget_seconds is None else budget_seconds
        self._clock = clock
        self._started = clock()
        self._warm = self._started  # when the first step was done; it is slower, since it sets up kernels
        self._bend = (0, 0.0)  # (step, progress) at the last change of plan

    @property
    def progress(self) -> float:
        """From 0 at the first step to 1 after the last."""
        step, progress = self._bend
        return progress + (1 - progress) * (self.step - step) / max(1, self.steps - step)

    @property
    def epochs(self) -> int:
        """Epochs planned; the last may be incomplete."""
        return math.ceil(self.steps / self.steps_per_epoch)

    @property
    def shortened(self) -> bool:
        """Whether the budget, not the recipe, sets ``steps``."""
        return self.steps < self.asked

    @property
    def seconds_left(self) -> float:
        """Forecast of the time that the remaining steps take."""
        return (self.steps - self.step) * self._seconds_per_step()

    def advance(self) -> None:
        """Count one step. Within an epoch the plan changes only if the budget does not last for another epoch."""
        self.step += 1
        if self.step == 1:
            self._warm = self._clock()
        if self.shortened or self._affordable() < min(self.steps, self.step + self.steps_per_epoch):
            self.refit()

    def refit(self) -> None:
        """Plan as many of the recipe's steps as fit into the budget, by a forecast; called at the end of each epoch."""
        steps = min(self.asked, self._affordable())
        if steps != self.steps:
            self._bend = (self.step, self.progress)
            self.steps = steps

    def _affordable(self) -> int:
        """The step at which the budget will be spent."""
        left = SAFETY * self.budget_seconds - (self._clock() - self._started)
        if left <= 0:
            return self.step
        pace = self._seconds_per_step()
        return self.step + int(left / pace) if pace > 0 and left < math.inf else max(self.asked, self.step)

    def _seconds_per_step(self) -> float:
        if self.step < 3:
            return 0.0
        return (self._clock() - self._warm) / (self.step - 1)
