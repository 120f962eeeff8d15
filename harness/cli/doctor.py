"""Report what this machine offers: versions, devices, memory, how submissions are isolated, and whether that works.

A tiny worker is started on each device in each isolation tier that holds. If one fails, its line says why and what to
do.

With --trace it runs a submission as `harness check` does, and names each system call that the isolation refused it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.isolation.tracing import Refusal

EXAMPLES = """
  harness doctor
  harness doctor --trace submissions/my_model.py
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness doctor``."""
    parser.add_argument("--trace", metavar="SUBMISSION", help="name the system calls that a submission is refused")


def run(arguments: argparse.Namespace) -> int:
    """Print a line per finding."""
    return _survey() if arguments.trace is None else _trace(arguments.trace)


def _trace(submission: str) -> int:
    """Check a submission; whatever comes of it, say what it was refused."""
    from harness.cli import check
    from harness.isolation.tracing import tracing

    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    with tracing() as refused:
        try:
            return check.run(parser.parse_args([submission]))
        finally:
            print(*_told(refused()), sep="\n")


def _told(refusals: list[Refusal]) -> list[str]:
    """Each call once: how often it was refused, on which lines, and what to do."""
    from harness.isolation.explain import advise
    from harness.text import printable

    lines = []
    for title, its in (
        ("refused to the submission", [refusal for refusal in refusals if refusal.place]),
        ("refused to libraries, most of which do without", [refusal for refusal in refusals if not refusal.place]),
    ):
        lines.append(f"\nSystem calls {title}:")
        for call in dict.fromkeys(refusal.call for refusal in its):
            those = [refusal for refusal in its if refusal.call == call]
            times, places = sum(refusal.times for refusal in those), ", ".join(refusal.place for refusal in those[:5])
            often = f"{times:,} {'time' if times == 1 else 'times'}{' at ' if places else ''}{places}"
            lines.append(printable(f"  {call:<20} {often}: {advise(call)}"))
        if not its:
            lines.append("  none")
    return lines


def _survey() -> int:
    import platform
    from importlib.metadata import version

    import psutil
    import torch

    from harness.isolation.limits import usable_cores
    from harness.isolation.survey import survey
    from harness.isolation.tiers import probe
    from harness.isolation.trial import tiers_to_try, try_device
    from harness.learning.devices import choose_device
    from harness.places import cards
    from harness.units import format_bytes

    device = choose_device("auto")
    model = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    findings = {
        "harness": version("facial-keypoint-harness"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.platform(),
        "device": f"{device.type} ({model})",
        "cores": f"{usable_cores()} usable",
        "memory": f"{format_bytes(psutil.virtual_memory().available)} available",
        "benchmarks": ", ".join(f"{benchmark} ({card})" for benchmark, card in cards().items()),
    }
    for what, value in findings.items():
        print(f"  {what:<24}{value}")
    print("\nIsolation tiers, the default first:")
    for tier, holds, why in probe():
        print(f"  {tier:<12}{'holds' if holds else 'no':<12}{why}")
    print("\nWhat they rest on:")
    for finding in survey():
        print(f"  {finding.name:<26}{'yes' if finding.holds else 'no':<6}{finding.remark}")
    print("\nA worker that trains one step:")
    for name in _devices():
        for tier in tiers_to_try():
            trial = try_device(name, tier)
            print(f"  {name:<12}{tier:<12}{'works' if trial.works else 'fails':<12}{trial.remark}", flush=True)
    return 0


def _devices() -> list[str]:
    """Every device of this machine. An NVIDIA GPU that torch does not see is tried too, to learn why."""
    import torch

    from harness.isolation import nvidia

    cards = torch.cuda.device_count() or min(1, len(nvidia.devices()))
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return ["cpu", *(f"cuda:{number}" for number in range(cards)), *mps]
