"""Make a secret from which a teacher's held-out faces are drawn."""

from __future__ import annotations

import argparse

EXAMPLES = """
  harness secret new                                   # keep it: with another one the faces are others
  HARNESS_SECRET_SEED=$(cat secret) grade submissions/*.py --board exam
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness secret``."""
    parser.add_argument("action", choices=("new",))


def run(arguments: argparse.Namespace) -> int:
    """Print a new secret."""
    from harness.datasets.secret import new_secret

    del arguments  # there is one action
    print(new_secret())
    return 0
