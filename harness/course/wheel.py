"""The harness as it is installed here, as a wheel: students and graders then have this very version, from any place."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from harness.places import shipped

_DISTRIBUTION = "facial-keypoint-harness"
_PACKAGE = Path(__file__).resolve().parent.parent
_SHIPPED = ("baselines/*", "submissions/README.md", "submissions/example.py", "data/*/benchmark.toml")
_WHEEL = "Wheel-Version: 1.0\nGenerator: harness.course\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # so that the same files make the same wheel


def wheel() -> tuple[str, bytes]:
    """The name of the wheel, and its bytes; the name's version and what it requires are those of this installation."""
    installed = distribution(_DISTRIBUTION)
    named = f"{_DISTRIBUTION.replace('-', '_')}-{installed.version}"
    files = {name: path.read_bytes() for name, path in _code()} | _about(installed, f"{named}.dist-info")
    files |= {f"{named}.dist-info/RECORD": _record(files, f"{named}.dist-info/RECORD")}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), data, zipfile.ZIP_DEFLATED)
    return f"{named}-py3-none-any.whl", content.getvalue()


def _code() -> Iterator[tuple[str, Path]]:
    """The package's files by their names in a wheel, and what ships with it, which in a checkout lies beside it."""
    for path in _files(_PACKAGE, "**/*"):
        yield f"harness/{path.relative_to(_PACKAGE).as_posix()}", path
    root = shipped("")
    if not root.is_relative_to(_PACKAGE):
        for pattern in _SHIPPED:
            for path in _files(root, pattern):
                yield f"harness/_shipped/{path.relative_to(root).as_posix()}", path


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if path.is_file() and "__pycache__" not in path.parts)


def _about(installed: Distribution, folder: str) -> dict[str, bytes]:
    texts = {
        "METADATA": installed.read_text("METADATA"),
        "WHEEL": _WHEEL,
        "entry_points.txt": installed.read_text("entry_points.txt"),
        "licenses/LICENSE": installed.read_text("licenses/LICENSE"),
    }
    return {f"{folder}/{name}": text.encode() for name, text in texts.items() if text is not None}


def _record(files: dict[str, bytes], own: str) -> bytes:
    """The list of files with their digests; it names itself without one."""
    lines = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}")
    return "\n".join([*lines, f"{own},,", ""]).encode()
