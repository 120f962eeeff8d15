"""Conditions: how a submission is run, and the key under which the same run is found again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness import places
from harness.isolation.grants import uses_cuda
from harness.isolation.limits import Limits
from harness.isolation.tiers import Tier


@dataclass(frozen=True)
class Conditions:
    """How a submission is run.

    Attributes:
        device: auto, cpu, cuda, cuda:N or mps.
        overrides: changes from outside: recipe fields, such as epochs and seed, or keywords of ``build_model``.
        limits: what ends the worker.
        tier: how it is isolated.
        threads: how many the CPU computes with; None lets the machine's load decide.
        secrets: files and folders that it must not reach.
        training_seconds: what the trainer plans for, where that is less than the time limit leaves.
        save_weights: whether it leaves its trained weights behind.
        asked_while_training: whether it gets the images to predict before it has trained.
        suggested: where it is tuned, the values that the tuner chose for its search space.
        seeds: how many trainings, each a run of its own, make one grading; see `trainings`.
    """

    device: str
    overrides: dict[str, Any]
    limits: Limits
    tier: Tier
    threads: int | None = None
    secrets: tuple[Path, ...] = ()
    training_seconds: float | None = None
    save_weights: bool = False
    asked_while_training: bool = False
    suggested: dict[str, Any] | None = None
    seeds: int = 1

    @property
    def trainings(self) -> list[Conditions]:
        """Those of each training. A single one has the submission's own seed; several have that of ``overrides``, or
        0, and those that follow it, so that nobody can hand in a seed that was lucky."""
        if self.seeds == 1:
            return [self]
        first = self.overrides.get("seed", 0)
        return [
            replace(self, overrides=self.overrides | {"seed": first + number}, seeds=1) for number in range(self.seeds)
        ]

    def key(self, submission: str, data: str) -> str:
        """The identity of a run, for everything that keeps or resumes: sha256 of all that decides its result.

        The number of cores, and where secrets are, do not decide it.

        Args:
            submission: the fingerprint of the submission's files.
            data: the fingerprint of the arrays that it learns from and is asked for.
        """
        decides = [
            harness_fingerprint(),
            submission,
            data,
            "cuda" if uses_cuda(self.device) else self.device,
            self.threads,
            self.overrides,
            self.suggested,
            self.tier,
            [self.limits.seconds, self.limits.memory, self.limits.disk, self.training_seconds],
            self.save_weights,
            self.asked_while_training,
        ]
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=1)
def harness_fingerprint() -> str:
    """sha256 of the harness's own code and of the baselines that came with it, which submissions may build on."""
    package = Path(places.__file__).parent
    digest = hashlib.sha256()
    for root, pattern in ((package, "**/*.py"), (places.shipped("baselines"), "*")):
        for file in sorted(root.glob(pattern)):
            if file.is_file() and file.suffix in (".py", ".safetensors"):
                digest.update(f"{file.relative_to(root)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()
