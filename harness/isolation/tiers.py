"""How far a submission can be kept from everything else on this machine."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from harness.errors import MachineError
from harness.isolation import bwrap, landlock, seccomp


class Tier(StrEnum):
    """A degree of isolation; an entry records which one held.

    ``landlock``: Landlock and seccomp, which need no rights and hold within containers too.
    ``bwrap``: namespaces of its own around that.
    ``container``: ``landlock``, and the grading as a whole in a container.
    ``none``: limits only; a submission may read what the user may.
    """

    LANDLOCK = "landlock"
    BWRAP = "bwrap"
    CONTAINER = "container"
    NONE = "none"


class Probe(NamedTuple):
    """Whether a tier holds on this machine, and why or why not."""

    tier: Tier
    holds: bool
    why: str


_DOCKER = (
    "docker run --rm --network none --cap-drop ALL --security-opt no-new-privileges -v DATA:/data:ro IMAGE grade ..."
)
_WHAT_NONE_MEANS = "limits only: a submission can read whatever you can, the answers too"


def probe() -> list[Probe]:
    """Every tier on this machine."""
    return [_probe(tier) for tier in Tier]


def choose(name: str) -> Tier:
    """The tier of this name; ``auto`` is ``landlock``.

    Raises:
        MachineError: it does not hold on this machine.
    """
    tier = Tier.LANDLOCK if name == "auto" else Tier(name)
    _, holds, why = _probe(tier)
    if not holds:
        raise MachineError(
            f"isolation {tier} does not hold on this machine: {why}. Grade on Linux 5.13 or later, or say "
            "--isolation none for submissions that you trust; their entries are marked"
        )
    return tier


def require(tier: Tier, least: str) -> None:
    """Refuse a tier that is weaker than the required one.

    Raises:
        MachineError: it is weaker.
    """
    strength = [Tier.NONE, Tier.LANDLOCK, Tier.CONTAINER, Tier.BWRAP]
    if strength.index(tier) < strength.index(Tier(least)):
        raise MachineError(
            f"isolation {tier} is weaker than {least}, which --require-isolation asks for; leave --isolation out, or "
            "see `harness doctor` for what this machine lacks"
        )


def _probe(tier: Tier) -> Probe:
    if tier is Tier.NONE:
        return Probe(tier, True, _WHAT_NONE_MEANS)
    why_not = _why_no_landlock()
    if why_not is None and tier is Tier.BWRAP:
        why_not = bwrap.why_not()
    if why_not is None and tier is Tier.CONTAINER and not _in_container():
        why_not = f"this is not a container; run the harness in one: {_DOCKER}"
    return Probe(tier, why_not is None, why_not or f"Landlock ABI {landlock.version()} and seccomp")


def _why_no_landlock() -> str | None:
    if sys.platform != "linux":
        return f"{sys.platform} has neither Landlock nor seccomp"
    if landlock.version() == 0:
        return "this kernel has no Landlock, or it is switched off (see /sys/kernel/security/lsm)"
    if not seccomp.is_known():
        return "there is no table of system calls for this processor"
    return None


def _in_container() -> bool:
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))
