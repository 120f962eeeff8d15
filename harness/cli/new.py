"""Write a submission that runs as it stands, for you to improve."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from harness.errors import UsageError
from harness.places import shipped

EXAMPLES = """
  harness new my_model            # submissions/my_model.py
  harness check submissions/my_model.py
  grade submissions/my_model.py
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness new``."""
    parser.add_argument("name", metavar="NAME", help="letters, digits and _; names the file and the leaderboard's row")


def run(arguments: argparse.Namespace) -> int:
    """Copy the example under the new name."""
    name = arguments.name.removesuffix(".py")
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise UsageError(f"{arguments.name!r} cannot name a Python file; use letters, digits and _")
    target = Path("submissions") / f"{name}.py"
    if target.exists():
        raise UsageError(f"{target} is there already; choose another name")
    target.parent.mkdir(exist_ok=True)
    target.write_bytes((shipped("submissions") / "example.py").read_bytes())
    print(f"wrote {target}\nnext: harness check {target}, then grade {target}")
    return 0
