"""List the submissions that came with the harness, a line each; `grade NAME` grades one by its name."""

from __future__ import annotations

import argparse

from harness.submission.source import baselines, find_source

EXAMPLES = """
  harness baselines
  grade unet
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``harness baselines`` takes none."""


def run(arguments: argparse.Namespace) -> int:
    """Print each baseline's name and the first line of its docstring; none of them is imported."""
    found = baselines()
    width = max(map(len, found))
    for name, path in found.items():
        summary, _, _ = find_source(path).description.partition("\n")
        print(f"  {name:<{width}}  {summary}")
    print("\n`grade NAME` grades one; `harness new NAME` writes a submission of your own")
    return 0
