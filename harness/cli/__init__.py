"""The ``harness`` command: one module for each subcommand."""

from __future__ import annotations

from importlib import import_module

from harness.cli.parsing import Parser, Version, run

_COMMANDS = {
    "new": "write a submission that runs as it stands",
    "baselines": "list the submissions that came with the harness",
    "check": "try a submission in under twenty seconds: contract, known mistakes, forecast",
    "predict": "train a submission and write its predictions; needs no answer key",
    "score": "score a file of predictions against the answer key",
    "compare": "compare two predictions of the same faces, with an interval for the difference",
    "blend": "grade several submissions as one, weighted by their errors on training faces",
    "ablate": "measure what each trick of a submission is worth",
    "tune": "search for a better recipe on the training faces",
    "data": "prepare, describe, draw or audit a benchmark's data",
    "course": "write a teacher's kit: a card, an assignment, an autograder, and how to use them",
    "secret": "make a secret, from which held-out faces are drawn that nobody has seen",
    "leaderboard": "show, rebuild, verify or regrade a board",
    "replay": "grade an entry's kept source again and compare the scores",
    "doctor": "tell what this machine offers: device, memory, isolation",
}

_EXAMPLES = """
  harness new my_model
  harness check submissions/my_model.py
  grade submissions/my_model.py
  harness leaderboard show
"""


def main(argv: list[str] | None = None) -> int:
    """Entry point of the ``harness`` command; returns the exit code."""
    parser = Parser(
        prog="harness",
        description="Tools around `grade`, which grades a submission and records it.",
        examples=_EXAMPLES,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in _COMMANDS.items():
        module = import_module(f"harness.cli.{name}")
        command = commands.add_parser(name, help=summary, description=module.__doc__, examples=module.EXAMPLES)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return run(parser, argv)
