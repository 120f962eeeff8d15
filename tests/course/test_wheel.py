"""The wheel that a kit hands out is the one that a release would be."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import tomllib
import zipfile

from support.tiny import REPOSITORY

from harness.course.wheel import wheel


def test_it_holds_the_package_and_all_that_ships_with_it() -> None:
    _, content = wheel()
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()

    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    for target in build["force-include"].values():
        assert [name for name in names if name == target or name.startswith(f"{target}/")], target
    assert {"harness/py.typed", "harness/reporting/entry.schema.json", "harness/course/kit/common/.gitignore"} <= {
        *names
    }
    assert not [name for name in names if "__pycache__" in name]
    assert len(names) == len(set(names))


def test_its_record_is_true() -> None:
    _, content = wheel()
    archive = zipfile.ZipFile(io.BytesIO(content))

    (record,) = (name for name in archive.namelist() if name.endswith("RECORD"))
    lines = list(csv.reader(archive.read(record).decode().splitlines()))

    assert [name for name, *_ in lines] == archive.namelist()
    for name, digest, size in lines[:-1]:
        data = archive.read(name)
        true = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert (digest, size) == (f"sha256={true}", str(len(data)))
