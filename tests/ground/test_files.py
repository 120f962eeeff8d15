from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.files import read_regular, remove_tree, write_atomically


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"

    write_atomically(path, b"first")
    write_atomically(path, b"second")

    assert path.read_bytes() == b"second"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"first")

    def full(_: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"second")

    assert path.read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_folders_nested_past_every_limit_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "kept").write_text("x")
    monkeypatch.chdir(tmp_path / "tree")
    for _ in range(3000):
        Path("d").mkdir()
        os.chdir("d")
    Path("file").write_text("x")
    Path("link").symlink_to(tmp_path / "kept")
    Path("closed").mkdir(mode=0)
    monkeypatch.undo()

    remove_tree(tmp_path / "tree")

    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


@pytest.mark.timeout(10)
def test_only_a_plain_file_is_read_and_not_too_much_of_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "endless").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")

    assert read_regular(tmp_path / "file", 5) == read_regular(tmp_path / "link", 5) == b"12345"
    with pytest.raises(OSError, match="it has more than the 4 bytes that it may have"):
        read_regular(tmp_path / "file", 4)
    for name in ("pipe", "endless", "."):
        with pytest.raises(OSError, match="it is a folder, a pipe or a device"):
            read_regular(tmp_path / name, 5)
