"""Write a teacher's kit for a course: a card, what students get, a secret, and a README that goes through a term."""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = """
  harness course new vision-2027                       # then read vision-2027/README.md
  harness course new vision-2027 --for gradescope      # with an autograder.zip to upload
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness course``."""
    from harness.course.kit import PLAIN, systems

    parser.add_argument("action", choices=("new",))
    parser.add_argument("folder", type=Path, metavar="DIR", help="the kit, a folder that is not there yet")
    parser.add_argument(
        "--for",
        dest="system",
        choices=systems(),
        default=PLAIN,
        help="where students hand in (plain: anywhere that gives you their files)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the kit and say where to go on."""
    from harness.course.kit import write_kit

    write_kit(arguments.folder, arguments.system)
    print(f"wrote {arguments.folder}\nnext: read {arguments.folder / 'README.md'}")
    return 0
