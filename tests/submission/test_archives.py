"""Zips that people hand in: unpacked whole, or refused in a sentence; nothing leaves the folder."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from harness.errors import LoadError
from harness.submission.archives import unpack


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def taken_from(archive: Path, to: Path) -> list[str]:
    unpack(archive, to, most_files=10, most_bytes=1000)
    return sorted(str(file.relative_to(to)) for file in to.rglob("*") if file.is_file())


def test_what_systems_add_of_their_own_is_left_out(tmp_path: Path) -> None:
    files = {
        "team/submission.py": b"1",
        "team/net.py": b"2",
        "__MACOSX/team/._submission.py": b"",
        "team/.DS_Store": b"",
        "team/__pycache__/net.cpython-312.pyc": b"",
    }
    assert taken_from(zipped(tmp_path / "a.zip", files), tmp_path / "out") == ["team/net.py", "team/submission.py"]


def link(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        about = zipfile.ZipInfo(name)
        about.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(about, "/etc/passwd")
    return content.getvalue()


def claims_less(size: int) -> bytes:
    """A zip whose directory says that its only file has ten bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", b"x" * size)
    return content.getvalue().replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))


def made_of(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (made_of({"../escape.py": b""}), "'../escape.py' leads out of its folder"),
        (made_of({"/etc/cron.d/x": b""}), "leads out of its folder"),
        (made_of({"a/../../x.py": b""}), "leads out of its folder"),
        (made_of({"..\\x.py": b""}), "leads out of its folder"),
        (made_of({"C:/x.py": b""}), "leads out of its folder"),
        (link("a.py"), "'a.py' is a link or a device"),
        (made_of({"bomb.py": b"\0" * 10**6}), "unpacks to more than"),
        (made_of({f"{number}.py": b"" for number in range(11)}), "holds 11 files; at most 10"),
        (claims_less(100_000), "cannot be unpacked"),
        (b"no zip at all", "cannot be unpacked: File is not a zip file; zip the files anew"),
        (made_of({"a.py": b"print()" * 99})[:-40], "cannot be unpacked"),
        (made_of({"n" * 300: b""}), "cannot be unpacked: File name too long"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_zip_that_cannot_be_taken_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(content)

    with pytest.raises(LoadError, match=r"a\.zip: ") as refused:
        taken_from(archive, tmp_path / "out")

    assert reason in str(refused.value)
    assert not (tmp_path / "escape.py").exists() and not (tmp_path / "x.py").exists()
