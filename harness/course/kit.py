"""Writes a teacher's kit: a card, what students get, a secret, and what the course's system needs.

The files are those of ``kit/common`` and of ``kit/SYSTEM``, which goes before where both have a file. In all of them
``@NAME@`` stands for the kit's name and ``@VERSION@`` for the harness's version; in the notebook ``@EXAMPLE@`` stands
for the example's code. To add a system: a folder with a README.md for the teacher.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from importlib.metadata import version
from pathlib import Path

from harness.course.wheel import wheel
from harness.datasets.secret import new_secret
from harness.errors import MachineError, UsageError
from harness.places import shipped

_TEMPLATES = Path(__file__).parent / "kit"
_COMMON = "common"
PLAIN = "plain"
SECRET = "secret/seed"  # noqa: S105  (a file's name)
AUTOGRADER = ("autograder/setup.sh", "autograder/run_autograder", "students/benchmark.toml", SECRET, "students/*.whl")
"""What ``autograder.zip`` holds, all of it at the top, where the kit has an autograder."""


def systems() -> list[str]:
    """The systems that a kit can be written for; ``plain`` is none at all."""
    return sorted(folder.name for folder in _TEMPLATES.iterdir() if folder.is_dir() and folder.name != _COMMON)


def write_kit(folder: Path, system: str) -> None:
    """Write a kit.

    Args:
        folder: where; missing or empty. Its name becomes the kit's, the card's and the board's.
        system: one of `systems`.

    Raises:
        UsageError: the folder holds something, or is a file.
        MachineError: it cannot be written.
    """
    try:
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            what = "holds files already" if folder.is_dir() else "is a file"
            raise UsageError(f"{folder}: {what}, and a kit needs a folder of its own; name one that is not there yet")
        _write(folder, system)
    except OSError as error:
        raise MachineError(f"{error.filename or folder}: could not be written: {error.strerror}") from error


def _write(folder: Path, system: str) -> None:
    example = (shipped("submissions") / "example.py").read_text(encoding="utf-8")
    values = {
        "@NAME@": _name(folder),
        "@VERSION@": version("facial-keypoint-harness"),
        "@EXAMPLE@": json.dumps(example)[1:-1],
    }
    for templates in (_TEMPLATES / _COMMON, _TEMPLATES / system):
        for template in sorted(path for path in templates.rglob("*") if path.is_file()):
            target = folder / template.relative_to(templates)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_filled(template.read_text(encoding="utf-8"), values), encoding="utf-8")
            if target.read_bytes().startswith(b"#!"):
                target.chmod(0o755)  # installers do not keep the mode of a template
    students = folder / "students"
    (students / "submissions").mkdir()
    for name in ("README.md", "example.py"):
        shutil.copyfile(shipped("submissions") / name, students / "submissions" / name)
    name, content = wheel()
    (students / name).write_bytes(content)
    secret = folder / SECRET
    secret.touch(mode=0o600)  # before anything is in it
    secret.write_text(f"{new_secret()}\n")
    if (folder / "autograder").is_dir():
        target = folder / "autograder.zip"
        target.touch(mode=0o600)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in (path for pattern in AUTOGRADER for path in folder.glob(pattern)):
                archive.write(path, path.name)


def _name(folder: Path) -> str:
    """The folder's name as a card's name."""
    return re.sub("[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "course"


def _filled(text: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text
