"""Prepared arrays: made once, opened afterwards, never half there."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.datasets.store import Stored, stored
from harness.errors import DataError, MachineError

ARRAYS: dict[str, NDArray[Any]] = {
    "images": np.arange(60, dtype=np.uint8).reshape(3, 4, 5),
    "keypoints": np.array([[1.5, np.nan]], np.float32),
}


class Maker:
    """Makes arrays and counts how often."""

    def __init__(self, arrays: dict[str, NDArray[Any]] = ARRAYS) -> None:
        self.arrays = arrays
        self.calls = 0

    def __call__(self) -> dict[str, NDArray[Any]]:
        self.calls += 1
        return self.arrays


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "training.csv"
    path.write_text("some rows")
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "kaggle"


def the_folder(cache: Path) -> Path:
    (folder,) = (path for path in cache.iterdir() if path.is_dir())
    return folder


def test_arrays_are_made_once_and_mapped_afterwards(cache: Path, source: Path) -> None:
    make = Maker()
    first = stored(cache, [source], make, "kind")
    second = stored(cache, [source], make, "kind")
    assert make.calls == 1
    assert first.fingerprint == second.fingerprint
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(second.arrays[name], array)
        assert isinstance(second.arrays[name], np.memmap)
        assert not second.arrays[name].flags.writeable


def test_data_without_files_can_be_stored(cache: Path) -> None:
    make = Maker()
    stored(cache, [], make, "rendered, seed 0")
    stored(cache, [], make, "rendered, seed 0")
    assert make.calls == 1


def grow(source: Path) -> None:
    state = source.stat()
    source.write_text("some more rows")
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))


def touch(source: Path) -> None:
    os.utime(source, ns=(0, source.stat().st_mtime_ns + 1))


@pytest.mark.parametrize("change", [grow, touch])
def test_a_changed_source_is_read_again(cache: Path, source: Path, change: Callable[[Path], None]) -> None:
    make = Maker()
    before = stored(cache, [source], make, "kind")
    change(source)
    after = stored(cache, [source], make, "kind")
    assert make.calls == 2
    assert before.fingerprint == after.fingerprint


def test_another_kind_is_kept_apart(cache: Path, source: Path) -> None:
    small = stored(cache, [source], Maker({"a": np.zeros(1)}), "small")
    large = stored(cache, [source], Maker({"a": np.zeros(9)}), "large")
    assert (len(small.arrays["a"]), len(large.arrays["a"])) == (1, 9)


@pytest.mark.parametrize(
    "other",
    [
        {"a": np.array([[1, 2], [3, 5]])},
        {"b": np.array([[1, 2], [3, 4]])},
        {"a": np.array([1, 2, 3, 4])},
        {"a": np.array([[1, 2], [3, 4]]).view(np.uint64)},
    ],
    ids=["value", "name", "shape", "dtype"],
)
def test_the_fingerprint_is_of_everything_in_the_arrays(cache: Path, other: dict[str, NDArray[Any]]) -> None:
    one = stored(cache, [], Maker({"a": np.array([[1, 2], [3, 4]])}), "one")
    same = stored(cache, [], Maker({"a": np.asfortranarray([[1, 2], [3, 4]])}), "same")
    two = stored(cache, [], Maker(other), "two")
    assert one.fingerprint == same.fingerprint != two.fingerprint


def change_array(folder: Path) -> None:
    file = folder / "images.npy"
    state, content = file.stat(), bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def remove_array(folder: Path) -> None:
    (folder / "images.npy").unlink()


def shorten_array(folder: Path) -> None:
    content = (folder / "images.npy").read_bytes()
    (folder / "images.npy").write_bytes(content[:-1])


def empty_array(folder: Path) -> None:
    (folder / "images.npy").write_bytes(b"")


def swap_array(folder: Path) -> None:
    np.save(folder / "images.npy", np.zeros(3))


def remove_meta(folder: Path) -> None:
    (folder / "meta.json").unlink()


def shorten_meta(folder: Path) -> None:
    (folder / "meta.json").write_text('{"arrays": {')


def another_meta(folder: Path) -> None:
    (folder / "meta.json").write_text("[]")


@pytest.mark.parametrize(
    "damage",
    [change_array, remove_array, shorten_array, empty_array, swap_array, remove_meta, shorten_meta, another_meta],
)
def test_a_damaged_store_is_made_again(cache: Path, source: Path, damage: Callable[[Path], None]) -> None:
    make = Maker()
    stored(cache, [source], make, "kind")
    damage(the_folder(cache))
    again = stored(cache, [source], make, "kind")
    assert make.calls == 2
    np.testing.assert_array_equal(again.arrays["images"], ARRAYS["images"])


def test_what_was_only_copied_is_hashed_once_and_believed(cache: Path, source: Path, tmp_path: Path) -> None:
    make = Maker()
    stored(cache, [source], make, "kind")
    copy = tmp_path / "copy"
    shutil.copytree(cache, copy)

    np.testing.assert_array_equal(stored(copy, [source], make, "kind").arrays["images"], ARRAYS["images"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.datasets.store.fingerprint", lambda arrays: pytest.fail("it was hashed again"))
        stored(copy, [source], make, "kind")

    assert make.calls == 1


def test_nobody_else_can_read_what_is_kept(cache: Path, source: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o755)

    stored(cache, [source], Maker(), "kind")

    assert cache.stat().st_mode & 0o777 == 0o700


def test_a_cache_that_belongs_to_somebody_else_is_not_believed(
    cache: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(cache, [source], Maker(), "kind")
    monkeypatch.setattr(os, "geteuid", lambda: cache.stat().st_uid + 1)

    with pytest.raises(MachineError, match=r"belongs to another user, .* set XDG_CACHE_HOME to a folder of your own"):
        stored(cache, [source], Maker(), "kind")


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that has a cache folder, and a log that every making of the arrays adds a line to."""
    preamble = """
        import os, signal, sys, time
        from pathlib import Path
        import numpy as np
        from harness.datasets.store import stored
        cache, log = map(Path, sys.argv[1:])
        def make():
            with log.open("a") as file: file.write("made\\n")
            time.sleep(0.3)
            return {"a": np.arange(5)}
    """
    lines = textwrap.dedent(preamble) + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", lines, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def test_a_kill_while_writing_leaves_nothing_half(cache: Path, tmp_path: Path) -> None:
    code = """
        os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
        stored(cache, [], make, "kind")
    """
    with python(code, cache, tmp_path / "log") as killed:
        assert killed.wait() == -signal.SIGKILL
    assert the_folder(cache).suffix == ".unfinished"
    make = Maker()
    np.testing.assert_array_equal(stored(cache, [], make, "kind").arrays["images"], ARRAYS["images"])
    assert make.calls == 1
    assert the_folder(cache).suffix == ""  # and there is no other: what the killed process left is gone


def test_processes_that_race_share_one_making(cache: Path, tmp_path: Path) -> None:
    code = 'print(stored(cache, [], make, "kind").fingerprint)'
    racers = [python(code, cache, tmp_path / "log") for _ in range(3)]
    printed = {racer.communicate()[0] for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert len(printed) == 1
    assert (tmp_path / "log").read_text() == "made\n"


def test_a_missing_source_is_the_datas_fault(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"training\.zip cannot be read \(No such file or directory\); put the file there"
    ):
        stored(cache, [tmp_path / "training.zip"], Maker(), "kind")


def test_a_cache_that_cannot_be_made_is_the_machines_fault(source: Path) -> None:
    with pytest.raises(MachineError, match=r"cannot be kept in .*training\.csv/cache .*name another cache folder"):
        stored(source / "cache", [source], Maker(), "kind")


def test_a_full_disk_is_the_machines_fault_and_leaves_no_store(
    cache: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(MachineError, match=r"No space left on device\); free space there"):
            stored(cache, [source], Maker(), "kind")
    assert isinstance(stored(cache, [source], Maker(), "kind"), Stored)


def test_what_goes_wrong_while_making_is_passed_on(cache: Path, source: Path) -> None:
    def make() -> dict[str, NDArray[Any]]:
        raise PermissionError("the maker's own")

    with pytest.raises(PermissionError, match="the maker's own"):
        stored(cache, [source], make, "kind")
