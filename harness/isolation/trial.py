"""Starts a tiny worker on a device, as a submission's would be, to see whether it can compute there."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import MachineError
from harness.isolation import nvidia
from harness.isolation.faults import cuda_fault
from harness.isolation.launcher import launch
from harness.isolation.limits import GIB, Limits
from harness.isolation.pipes import Message
from harness.isolation.tiers import Tier, probe
from harness.units import format_seconds

_LIMITS = Limits(seconds=60, memory=8 * GIB)


class Trial(NamedTuple):
    """Whether a worker on this device can compute behind this tier, and more in words."""

    device: str
    tier: Tier
    works: bool
    remark: str


def tiers_to_try() -> list[Tier]:
    """Those that hold on this machine; a container keeps its workers in as ``landlock`` does."""
    return [tier for tier, holds, _ in probe() if holds and tier is not Tier.CONTAINER]


def try_device(device: str, tier: Tier) -> Trial:
    """Start a worker that trains one step on the device: ``cpu``, ``cuda:0``, ``cuda:1``, ``mps``."""
    heard: dict[str, Any] = {}

    def hear(message: Message) -> None:
        heard.update(message)

    with _job() as job:
        task = {"device": device, "nodes": nvidia.devices()}
        (job / "input" / "trial.json").write_text(json.dumps(task), encoding="utf-8")
        try:
            outcome = launch(
                job,
                limits=_LIMITS,
                tier=tier,
                device=device,
                on_message=hear,
                entry="harness.isolation.trial_worker:main",
            )
        except MachineError as error:
            return Trial(device, tier, False, str(error))
    if "computed" in heard and outcome.reason is None:
        return Trial(device, tier, True, f"{format_seconds(outcome.seconds)}, kept in by {outcome.held}")
    return Trial(device, tier, False, _why(device, heard, outcome.reason))


def what_holds() -> str:
    """What keeps in a worker that does nothing, as its bootstrap reports: in ``landlock`` if it holds here."""
    tier = Tier.LANDLOCK if Tier.LANDLOCK in tiers_to_try() else Tier.NONE
    with _job() as job:
        entry = "harness.isolation.trial_worker:nothing"
        return launch(job, limits=_LIMITS, tier=tier, device="cpu", on_message=lambda _: None, entry=entry).held


@contextmanager
def _job() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        job = Path(folder)
        (job / "input").mkdir()
        (job / "output").mkdir()
        yield job


def _why(device: str, heard: dict[str, Any], reason: str | None) -> str:
    if "error" not in heard:
        return f"{reason or 'it ended without a word'}, at the step: {heard.get('step', 'starting')}"
    return cuda_fault(heard) if device.startswith("cuda") else str(heard["error"])
