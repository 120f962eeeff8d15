"""What the documents name exists: paths, links, commands and their options."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout

import pytest
from support.tiny import REPOSITORY

from harness.cli import main as harness
from harness.cli.grade import main as grade

DOCUMENTS = [
    *("README.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("submissions/README.md", "baselines/README.md", "leaderboard/README.md"),
    *("data/README.md", "data/kaggle/README.md", "data/rendered/README.md"),
]
MADE_UP = ("my_model", "NAME", "ROOM", "MODULE", "BOARD", "*")
"""Parts of paths that stand for the reader's own."""


def code(document: str) -> list[str]:
    """The pieces of code in a document: those in the text, and each line of an indented block."""
    text = (REPOSITORY / document).read_text()
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.findall(r"`([^`\n]+)`", text) + re.findall(r"^    (\S.*)", text, flags=re.M)


def commands(piece: str) -> list[tuple[str, list[str]]]:
    """The commands in a piece of code, each with its options."""
    found = []
    for part in re.split(r"&&|#", piece):
        command = re.search(r"(?:^|[\s/])(grade|harness [a-z]+)(?=\s|$)(.*)", part)
        if command:
            found.append((command[1], re.findall(r"(?<=\s)--[a-z][a-z-]*", command[2])))
    return found


def help_of(*command: str) -> str:
    shown = io.StringIO()
    with redirect_stdout(shown), pytest.raises(SystemExit):
        grade(["--help"]) if command == ("grade",) else harness([*command[1:], "--help"])
    return shown.getvalue()


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """Command -> its options."""
    names = re.findall(r"^    (\w+)", help_of("harness"), flags=re.M)
    texts = {name: help_of(*name.split()) for name in ("grade", *(f"harness {each}" for each in names))}
    return {name: set(re.findall(r"--[a-z][a-z-]*", text.split("\nexamples:")[0])) for name, text in texts.items()}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_and_link_leads_somewhere(document: str) -> None:
    home = (REPOSITORY / document).parent
    links = re.findall(r"\]\(([^)#]+)\)", (REPOSITORY / document).read_text())
    assert [link for link in links if "://" not in link and not (home / link).exists()] == []

    words = [word for piece in code(document) for word in piece.split()]
    paths = [word for word in words if "/" in word and not any(part in word for part in MADE_UP)]
    found = [(root, path) for path in paths for root in (home, REPOSITORY) if (root / path.split("/")[0]).is_dir()]
    assert [path for root, path in found if not (root / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_has_the_options_that_are_shown(document: str, options: dict[str, set[str]]) -> None:
    for piece in code(document):
        if piece.startswith("--"):
            assert piece.split()[0] in set().union(*options.values()), piece
        for command, used in commands(piece):
            assert set(used) <= options[command], piece


def test_the_readme_has_a_row_for_every_command(options: dict[str, set[str]]) -> None:
    table = (REPOSITORY / "README.md").read_text().split("## Commands")[1].split("\n## ")[0]

    assert [command for command in options if f"`{command}" not in table] == []


def test_what_is_added_where_is_there() -> None:
    """Each "`NAME` in `path`" of the table in CONTRIBUTING.md."""
    table = (REPOSITORY / "CONTRIBUTING.md").read_text().split("## Where do I add")[1].split("\n## ")[0]
    named = re.findall(r"`(\w+)` in `([\w/.]+\.py)`", table)

    assert len(named) > 10
    missing = [pair for pair in named if not re.search(rf"\b{pair[0]}\b", (REPOSITORY / pair[1]).read_text())]
    assert missing == []


def test_the_command_that_sets_up_and_tests_is_the_readmes_which_ci_runs() -> None:
    contributing = (REPOSITORY / "CONTRIBUTING.md").read_text()
    (command,) = [piece for piece in code("README.md") if piece.startswith("python3") and piece.endswith("pytest")]

    assert f"\n    {command}\n" in contributing
