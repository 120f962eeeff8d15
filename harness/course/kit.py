"""Writes a teacher's kit: a card, what students get, a secret, and what the course's system needs.

The files are those of ``kit/common`` and of ``kit/SYSTEM``, which goes before where both have a file. In all of them
``@NAME@`` stands for the kit's name and ``@VERSION@`` for the harness's version; in the notebook ``@EXAMPLE@`` stands
for the example's code. To add a system: a folder with a README.md for the teacher.
"""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
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
_SECRET = "secret/seed"  # noqa: S105  (a file's name)
_ZIPPED = ("autograder/setup.sh", "autograder/run_autograder", "students/benchmark.toml", _SECRET, "students/*.whl")
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
    _fill_in(folder, system)
    students = folder / "students"
    (students / "submissions").mkdir(exist_ok=True)
    for name in ("README.md", "example.py"):
        shutil.copyfile(shipped("submissions") / name, students / "submissions" / name)
    name, content = wheel()
    (students / name).write_bytes(content)
    _private(folder / _SECRET).write_text(f"{new_secret()}\n")
    if (folder / "autograder").is_dir():
        with zipfile.ZipFile(_private(folder / "autograder.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
            for path in (path for pattern in _ZIPPED for path in folder.glob(pattern)):
                archive.write(path, path.name)


def _fill_in(folder: Path, system: str) -> None:
    """Write the templates with what their placeholders stand for."""
    example = (shipped("submissions") / "example.py").read_text(encoding="utf-8")
    values = {
        "@NAME@": _name(folder),
        "@VERSION@": version("facial-keypoint-harness"),
        "@EXAMPLE@": json.dumps(example)[1:-1],
    }
    for templates in (_TEMPLATES / _COMMON, _TEMPLATES / system):
        for template in sorted(path for path in templates.rglob("*") if path.is_file()):
            text = template.read_text(encoding="utf-8")
            for placeholder, value in values.items():
                text = text.replace(placeholder, value)
            target = folder / template.relative_to(templates)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            if text.startswith("#!"):
                target.chmod(0o755)  # installers do not keep the mode of a template


def _private(path: Path) -> Path:
    """The same path, of an empty file that nobody else may read."""
    path.touch(mode=0o600)
    return path


def _name(folder: Path) -> str:
    """The folder's name as a card's name."""
    plain = unicodedata.normalize("NFKD", folder.resolve().name.lower()).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-") or "course"
