"""What lets processes on several machines share a study: values drawn by a trial's number, and signs of life."""

from __future__ import annotations

import hashlib
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import optuna
import psutil
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

_BEAT, _SILENCE = 20.0, 120.0
"""Seconds between two signs of life of a trial, and without one until another machine gives it up."""
_SAME_START = 5.0
"""Seconds between two readings of one process's start, which moves when the system's clock is set."""


class SeededByNumber(optuna.samplers.BaseSampler):
    """Draws a trial's values with its number as the seed. The study gives out each number once, so no two processes try
    the same values, on any machine, and a resumed study goes on as it would have."""

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """What the sampler behind it infers."""
        return self._sampler(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """What the sampler behind it draws."""
        return self._sampler(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """What the sampler behind it draws."""
        seed = [trial.number, int.from_bytes(hashlib.sha256(param_name.encode()).digest()[:4], "big")]
        return self._sampler(trial, seed).sample_independent(study, trial, param_name, param_distribution)

    def _sampler(self, trial: FrozenTrial, seed: list[int] | None = None) -> optuna.samplers.TPESampler:
        number = int(np.random.SeedSequence(seed or trial.number).generate_state(1)[0])
        return optuna.samplers.TPESampler(seed=number, constant_liar=True)


@contextmanager
def heart(trial: optuna.Trial) -> Iterator[None]:
    """Record at intervals, as long as this process is working on a trial, that it is alive."""
    stopped = threading.Event()

    def go_on() -> None:
        while not stopped.wait(_BEAT):
            beat(trial)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def beat(trial: optuna.Trial) -> None:
    """Record that this process is working on a trial."""
    process = {"host": platform.node(), "number": os.getpid(), "started": psutil.Process().create_time()}
    trial.set_user_attr("process", {**process, "seen": time.time()})


def is_alive(trial: FrozenTrial) -> bool:
    """Whether a process is still working on a trial: here it is looked up; elsewhere its last sign of life counts."""
    process = trial.user_attrs.get("process")
    if process is None:
        return False
    if process["host"] != platform.node():
        return bool(time.time() - process.get("seen", 0) < _SILENCE)
    with suppress(psutil.Error):
        return bool(abs(psutil.Process(process["number"]).create_time() - process["started"]) < _SAME_START)
    return False
