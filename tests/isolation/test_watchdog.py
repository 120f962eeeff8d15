import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.jobs import run

from harness.isolation import launcher, losses
from harness.isolation.limits import MIB, Limits
from harness.isolation.losses import Loss

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")

END_OF_THE_FIRST_THREAD = """
def go_on():
    time.sleep(0.3)
    {then}
    time.sleep(60)

threading.Thread(target=go_on).start()
system({{"x86_64": 60, "aarch64": 93}}[os.uname().machine], 0)
"""
FILL_REMOVED_FILES = (
    "files = [open(name, 'wb', buffering=0) for name in 'abc']; "
    "[(os.remove(file.name), file.write(bytes(2**20))) for file in files]"
)


@pytest.fixture(autouse=True)
def no_cgroup(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be seen here, the kernel would end first."""
    monkeypatch.setattr(launcher, "make_cgroup", lambda _: None)


@pytest.mark.parametrize(
    ("then", "limits", "stopped"),
    [
        ("kept = b'1' * (300 * 2**20)", Limits(seconds=10, memory=200 * MIB), "memory"),
        (FILL_REMOVED_FILES, Limits(seconds=10, disk=2 * MIB), "disk"),
    ],
    ids=["memory", "disk"],
)
def test_a_process_is_watched_after_its_first_thread_ended(
    tmp_path: Path, then: str, limits: Limits, stopped: str
) -> None:
    assert run(tmp_path, END_OF_THE_FIRST_THREAD.format(then=then), limits=limits).outcome.stopped == stopped


@pytest.mark.parametrize("name", ["Threads:\\t1", "a) S 1", "VmRSS: 1 kB"])
def test_a_threads_name_does_not_change_the_counts(tmp_path: Path, name: str) -> None:
    result = run(
        tmp_path,
        f"""
        ctypes.CDLL(None).prctl(15, ctypes.c_char_p({name!r}.encode()), 0, 0, 0)
        [threading.Thread(target=time.sleep, args=(60,)).start() for n in range(30)]
        time.sleep(60)
        """,
        limits=Limits(seconds=10, threads=20),
    )

    assert result.outcome.stopped == "threads"


class Machine:
    """Memory of which ``worker`` bytes go with every moment that the worker runs, and ``others`` with every moment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, worker: int, others: int) -> None:
        self.used, self.runs, self.times_stopped = 0, True, 0
        self.worker, self.others = worker, others
        monkeypatch.setattr(losses.time, "sleep", self.pass_time)

    def pass_time(self, _: float) -> None:
        self.used += self.others + self.worker * self.runs

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self.runs, self.times_stopped = False, self.times_stopped + 1
        yield
        self.runs = True


@pytest.mark.parametrize(
    ("worker", "others", "caused"),
    [(50 * MIB, 0, True), (50 * MIB, 80 * MIB, True), (0, 80 * MIB, False), (0, 0, False)],
    ids=["the worker", "the worker and another", "another", "nobody any more"],
)
def test_only_a_loss_that_stops_with_the_worker_is_its_own(
    monkeypatch: pytest.MonkeyPatch, worker: int, others: int, caused: bool
) -> None:
    machine = Machine(monkeypatch, worker, others)
    loss = Loss(lambda: machine.used, limit=100 * MIB)
    assert not loss.is_caused(0, machine.stopped) and machine.times_stopped == 0

    machine.used = 200 * MIB

    assert loss.is_caused(0, machine.stopped) is caused


def test_a_worker_is_not_stopped_again_for_the_loss_that_was_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, worker=0, others=0)
    loss = Loss(lambda: machine.used, limit=100 * MIB)
    machine.used = 200 * MIB

    assert not any(loss.is_caused(0, machine.stopped) for _ in range(5))
    assert machine.times_stopped == 1


def test_shared_memory_counts_after_most_of_its_mapping_is_gone(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        import mmap
        pieces = []
        for _ in range(6):
            pieces.append(mmap.mmap(-1, 2**26))
            pieces[-1].write(bytes(2**26))
            time.sleep(0.2)
            pieces[-1].resize(mmap.PAGESIZE)
        time.sleep(3)
        """,
        limits=Limits(seconds=10, memory=256 * MIB),
    )

    assert result.outcome.stopped == "memory"
