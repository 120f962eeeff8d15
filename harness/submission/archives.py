"""Unpacks a zip that may hold anything: nothing leaves the folder, and nothing grows beyond what is allowed."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from harness.errors import LoadError
from harness.units import format_bytes

_LITTER = ("__MACOSX", "__pycache__", ".DS_Store", "Thumbs.db")
_CHUNK = 2**20


def unpack(archive: Path, folder: Path, *, most_files: int, most_bytes: int) -> None:
    """Unpack an archive's plain files into a folder. What macOS, Windows and Python add of their own is left out.

    Raises:
        LoadError: it is not a zip, is damaged or encrypted, leads out of the folder, or is too large.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            named = [each for each in opened.infolist() if each.filename]
            members = [each for each in named if not each.is_dir() and not _is_litter(each.filename)]
            if len(members) > most_files:
                raise LoadError(f"{archive}: holds {len(members):,} files; at most {most_files:,} are taken")
            left = most_bytes
            for member in members:
                left -= _unpack_one(archive, opened, member, folder, left)
                if left < 0:
                    raise LoadError(f"{archive}: unpacks to more than {format_bytes(most_bytes)}; hand in less")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise LoadError(f"{archive}: cannot be unpacked: {error}; zip the files anew") from error
    except OSError as error:
        raise LoadError(f"{archive}: cannot be unpacked: {error.strerror or error}") from error


def _is_litter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part in _LITTER or part.startswith("._") for part in parts)


def _unpack_one(archive: Path, opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, most: int) -> int:
    """Unpack one file, up to one byte more than ``most``. Returns its size, which archives may lie about."""
    place = PurePosixPath(member.filename.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or ":" in place.parts[0]:
        raise LoadError(f"{archive}: {member.filename!r} leads out of its folder; zip the files anew")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise LoadError(f"{archive}: {member.filename!r} is a link or a device; put the file itself there")
    if member.flag_bits & 1:
        raise LoadError(f"{archive}: is encrypted; hand it in without a password")
    target = folder / place
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(member) as source, target.open("wb") as file:
        while written <= most and (content := source.read(min(_CHUNK, most + 1 - written))):
            written += file.write(content)
    return written
