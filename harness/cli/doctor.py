"""Tell what this machine offers: versions, devices, memory, and how far submissions are isolated."""

from __future__ import annotations

import argparse

EXAMPLES = """
  harness doctor
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``harness doctor`` takes none."""


def run(arguments: argparse.Namespace) -> int:
    """Print a line per finding."""
    import platform
    from importlib.metadata import version

    import psutil
    import torch

    from harness.isolation.limits import usable_cores
    from harness.isolation.survey import survey
    from harness.isolation.tiers import probe
    from harness.learning.devices import choose_device
    from harness.places import cards
    from harness.units import format_bytes

    device = choose_device("auto")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    findings = {
        "harness": version("facial-keypoint-harness"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.platform(),
        "device": f"{device.type} ({name})",
        "cores": f"{usable_cores()} usable",
        "memory": f"{format_bytes(psutil.virtual_memory().available)} available",
        "benchmarks": ", ".join(f"{benchmark} ({card})" for benchmark, card in cards().items()),
    }
    for what, told in findings.items():
        print(f"  {what:<24}{told}")
    print("\nIsolation tiers, the default first:")
    for tier, holds, why in probe():
        print(f"  {tier:<12}{'holds' if holds else 'no':<12}{why}")
    print("\nWhat they rest on:")
    for finding in survey():
        print(f"  {finding.name:<24}{'yes' if finding.holds else 'no':<6}{finding.remark}")
    return 0
