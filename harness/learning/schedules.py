"""Schedules: pure functions of a run's progress, 0 at the first step and 1 after the last.

A schedule maps ``(start, end, progress)`` to a value. Its name in a recipe is its function's name, hyphenated.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float, float, float], float]

ONE_CYCLE_RISE = 0.3
"""The share of a one-cycle run before its turning point, as in fastai and torch's ``OneCycleLR``."""
ONE_CYCLE_START = 1 / 25
"""What share of the peak learning rate a one-cycle run starts at, as in torch's ``OneCycleLR``."""
FLAT_SHARE = 0.7
"""The share of a flat-cosine run that keeps the first learning rate."""


def constant(start: float, end: float, progress: float) -> float:
    """Stay at ``start``."""
    return start


def linear(start: float, end: float, progress: float) -> float:
    """Go from ``start`` to ``end`` in a straight line."""
    return start + (end - start) * progress


def cosine(start: float, end: float, progress: float) -> float:
    """Go from ``start`` to ``end`` along half a cosine (Loshchilov and Hutter, arXiv 1608.03983)."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def flat_cosine(start: float, end: float, progress: float) -> float:
    """Stay at ``start`` for the first 70 % of the run, then follow the cosine."""
    return cosine(start, end, max(0.0, progress - FLAT_SHARE) / (1 - FLAT_SHARE))


def one_cycle(start: float, end: float, progress: float) -> float:
    """Rise to ``start`` in the first 30 % of the run, then follow the cosine (Smith, arXiv 1708.07120)."""
    if progress < ONE_CYCLE_RISE:
        return cosine(start * ONE_CYCLE_START, start, progress / ONE_CYCLE_RISE)
    return cosine(start, end, (progress - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE))


def one_cycle_momentum(start: float, end: float, progress: float) -> float:
    """Mirror one-cycle: reach ``end`` when the learning rate peaks, then come back to ``start``."""
    if progress < ONE_CYCLE_RISE:
        return cosine(start, end, progress / ONE_CYCLE_RISE)
    return cosine(end, start, (progress - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE))


class Plateau:
    """Lowers the learning rate whenever the error has not fallen for some epochs.

    Args:
        factor: what it is multiplied by.
        patience: epochs without a lower error before that.

    Attributes:
        share: of the schedule's start that the learning rate has by now.
    """

    def __init__(self, factor: float, patience: int) -> None:
        self.factor, self.patience = factor, patience
        self.share = 1.0
        self._best, self._waited = math.inf, 0

    def offer(self, error_px: float) -> None:
        """Take note of an epoch's error."""
        self._waited += 1
        if error_px < self._best:
            self._best, self._waited = error_px, 0
        elif self._waited >= self.patience:
            self.share, self._waited = self.share * self.factor, 0


LR_SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "flat-cosine": flat_cosine,
    "one-cycle": one_cycle,
    "plateau": constant,  # which `Plateau` lowers
}
MOMENTUM_SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "linear": linear,
    "one-cycle": one_cycle_momentum,
}


def lr_at(progress: float, *, schedule: str, lr: float, lr_end: float, warmup: float, share: float = 1.0) -> float:
    """The learning rate at a progress in [0, 1].

    The first ``warmup`` share of the run rises in a straight line from 0, and the schedule runs over the rest.
    One-cycle rises by itself and takes no warm-up. A plateau schedule has fallen to a share of ``lr``.
    """
    if schedule == "plateau":
        lr = max(lr * share, min(lr, lr_end))
    if schedule == "one-cycle" or warmup == 0:
        return LR_SCHEDULES[schedule](lr, lr_end, progress)
    if progress < warmup:
        return lr * progress / warmup
    return LR_SCHEDULES[schedule](lr, lr_end, (progress - warmup) / (1 - warmup))


def momentum_at(progress: float, *, schedule: str, momentum: float, momentum_end: float) -> float:
    """The momentum (Adam's beta1) at a progress in [0, 1]."""
    return MOMENTUM_SCHEDULES[schedule](momentum, momentum_end, progress)
