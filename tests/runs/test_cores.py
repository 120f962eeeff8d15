"""Leases of cores: shared between processes, freed whatever ends their holder, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.runs.cores import Lease

HOLDER = """
import sys
from pathlib import Path
from harness.runs.cores import Lease
with Lease(folder=Path(sys.argv[1]), usable={0, 1}) as lease:
    print(*sorted(lease.now()), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cores"


def lease(folder: Path, usable: int = 2, **settings: object) -> Lease:
    return Lease(folder=folder, usable=range(usable), **{"patience": 0.0, **settings})  # type: ignore[arg-type]


@contextmanager
def another_grader(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that asks for both cores, and prints those that it got."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(holds: Callable[[], bool]) -> bool:
    """Whether this comes true within ten seconds."""
    end = time.monotonic() + 10
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_a_lease_takes_its_share_of_the_cores(folder: Path) -> None:
    with lease(folder, 4) as alone:
        assert alone.now() == {0, 1, 2, 3} and alone.threads == 4
    with lease(folder, 4, slots=2) as one, lease(folder, 4, slots=2) as other:
        assert one.now() | other.now() == {0, 1, 2, 3}
        assert len(one.now()) == len(other.now()) == 2
    with lease(folder, 2, slots=5) as one_of_many:
        assert len(one_of_many.now()) == one_of_many.threads == 1


def test_two_processes_share_two_cores_and_the_first_takes_its_own_back(folder: Path) -> None:
    with lease(folder) as first:
        assert first.now() == {0, 1}
        with another_grader(folder) as other:
            assert until(lambda: len(first.now()) == 1)
            assert other.stdout is not None
            assert {int(other.stdout.readline())} | first.now() == {0, 1}
            assert first.now() == first.now() and len(first.now()) == 1
            other.communicate("")  # it ends
        assert first.now() == {0, 1}


def test_a_killed_holder_frees_its_cores(folder: Path) -> None:
    with another_grader(folder) as other:
        assert other.stdout is not None and other.stdout.readline() == "0 1\n"
        other.kill()
        other.wait()
        with lease(folder) as mine:
            assert mine.now() == {0, 1}


@pytest.mark.parametrize(("cores", "leases", "fair"), [(6, 3, [2, 2, 2]), (8, 3, [2, 3, 3]), (5, 2, [2, 3])])
def test_cores_are_divided_evenly(folder: Path, cores: int, leases: int, fair: list[int]) -> None:
    held = [lease(folder, cores).__enter__() for _ in range(leases)]
    try:
        for _ in range(3):
            counts = [len(each.now()) for each in held]
        assert sorted(counts) == fair
    finally:
        for each in held:
            each.__exit__(None, None, None)


def test_cores_that_nobody_else_wants_are_used(folder: Path) -> None:
    with lease(folder, 8, slots=4) as modest, lease(folder, 8) as hungry:
        assert (len(modest.now()), len(hungry.now())) == (2, 6)


def test_a_fixed_number_is_taken_and_kept(folder: Path) -> None:
    with lease(folder, 4, threads=3) as fixed:
        assert len(fixed.now()) == fixed.threads == 3
        with lease(folder, 4) as other:
            assert len(other.now()) == 1
            assert len(fixed.now()) == 3


def test_a_fixed_number_is_taken_whole_or_not_at_all(folder: Path) -> None:
    with lease(folder, 2, threads=1) as holder, lease(folder, 2, threads=2) as fixed:
        assert fixed.now() == frozenset() and fixed.threads == 2
        holder.__exit__(None, None, None)
        assert fixed.now() == {0, 1}


def test_who_waits_in_vain_goes_on_with_one_thread_and_takes_a_core_once_there_is_one(folder: Path) -> None:
    with lease(folder, threads=2) as holder, lease(folder, patience=0.3) as late:
        assert late.now() == frozenset() and late.threads == 1
        holder.__exit__(None, None, None)
        assert late.now() == {0, 1}


def test_leases_of_several_threads_of_one_process_are_apart(folder: Path) -> None:
    seen: list[frozenset[int]] = []
    together = threading.Barrier(3)

    def slot() -> None:
        with lease(folder, 3, slots=3, patience=5.0) as mine:
            together.wait(10)
            seen.append(mine.now())
            together.wait(10)

    threads = [threading.Thread(target=slot) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen, key=sorted) == [{0}, {1}, {2}]


def test_other_users_may_lock_what_one_made(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with lease(folder):
            assert folder.stat().st_mode & 0o7777 == 0o1777
            assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
    finally:
        os.umask(before)


def _a_link(folder: Path) -> None:
    folder.symlink_to(folder.parent, target_is_directory=True)


def _a_file(folder: Path) -> None:
    folder.write_text("")


def _a_link_inside(folder: Path) -> None:
    folder.mkdir()
    (folder / "core-0").symlink_to("/etc/passwd")


@pytest.mark.parametrize("spoil", [_a_link, _a_file, _a_link_inside])
def test_a_folder_that_cannot_be_used_is_done_without(folder: Path, spoil: Callable[[Path], None]) -> None:
    spoil(folder)

    with lease(folder, 4, slots=2) as without, lease(folder, 4, threads=3) as fixed:
        assert without.now() == fixed.now() == frozenset()
        assert (without.threads, fixed.threads) == (2, 3)
