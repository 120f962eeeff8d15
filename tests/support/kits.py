"""Teachers' kits, and their pages followed to the letter: every command in a fenced block, in order."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.cli import main

SMALL = {"training = 2400": "training = 60", "held_out = 400 ": "held_out = 16 "}
"""Changes of the card, so that a kit's faces are drawn in a second."""


@dataclass(frozen=True)
class Kit:
    """A kit that was written.

    Attributes:
        folder: where it is.
        site: where the harness that its wheel holds is installed once a page has said so.
    """

    folder: Path
    site: Path

    @property
    def card(self) -> Path:
        return self.folder / "students" / "benchmark.toml"

    def shrink(self) -> None:
        """Make its benchmark a small one."""
        text = self.card.read_text()
        for before, after in SMALL.items():
            assert before in text
            text = text.replace(before, after)
        self.card.write_text(text)

    @property
    def environment(self) -> dict[str, str]:
        """Where the installed harness comes first."""
        path = os.pathsep.join([str(self.site / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        cache = {"XDG_CACHE_HOME": str(self.site.parent / "cache"), "OMP_NUM_THREADS": "1"}
        return {**os.environ, **cache, "PATH": path, "PYTHONPATH": str(self.site)}

    def run(self, command: str, where: Path) -> tuple[int, str]:
        """What a command of a page gives, by its exit code and all that it says.

        Packages are not fetched, the environment that a page makes is left out, and networks train for an epoch.
        """
        pip = f"{sys.executable} -m pip install -q --no-deps --no-index --target {self.site} --upgrade"
        command = re.sub(r"^(\.venv/bin/)?pip install -q", pip, command)
        command = re.sub(r"^(python3 -m venv .venv|\. \.venv/bin/activate)$", "true", command)
        command = re.sub(r"((?:^| )(?:grade|harness ablate) )", r"\1--epochs 1 ", command)
        ran = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", command],
            cwd=where,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout


def write_kit(folder: Path, system: str) -> Kit:
    """A kit for this system in a folder of this name."""
    assert main(["course", "new", str(folder), "--for", system]) == 0
    return Kit(folder, folder.parent / "site")


def commands(page: Path) -> list[str]:
    """The commands in a page's fenced blocks; each is a line."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def cells(notebook: Path) -> list[list[str]]:
    """The lines of a notebook's code cells."""
    content = json.loads(notebook.read_text())
    return ["".join(cell["source"]).splitlines() for cell in content["cells"] if cell["cell_type"] == "code"]
