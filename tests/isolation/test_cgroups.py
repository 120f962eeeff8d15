from pathlib import Path

import pytest
from support.jobs import run

from harness.isolation import cgroups
from harness.isolation.cgroups import make_cgroup, why_no_cgroup
from harness.isolation.limits import GIB, MIB, Limits

NO_CGROUP = why_no_cgroup()
needs_cgroup = pytest.mark.skipif(NO_CGROUP is not None, reason=f"{NO_CGROUP}")

KEEP_A_FILE_IN_MEMORY = """
import mmap
pieces = []
for _ in range(40):
    pieces.append(mmap.mmap(-1, 2**24, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
    pieces[-1].write(b"x" * 2**24)
    pieces[-1].madvise(mmap.MADV_DONTNEED)
time.sleep(60)
"""


@needs_cgroup
def test_the_kernel_holds_a_worker_to_its_memory_and_the_reason_says_so(tmp_path: Path) -> None:
    outcome = run(tmp_path, KEEP_A_FILE_IN_MEMORY, limits=Limits(seconds=20, memory=300 * MIB)).outcome

    assert outcome.stopped == "memory" and "cgroup" in outcome.held


@needs_cgroup
def test_nothing_is_left_of_a_group_when_its_worker_has_ended(tmp_path: Path) -> None:
    path = run(tmp_path, "say(groups=Path('/proc/self/cgroup').read_text())").told["groups"]

    assert "/worker-" in path
    assert "/worker-" not in Path("/proc/self/cgroup").read_text()


def test_a_group_of_version_2_lies_below_the_nearest_that_hands_on_what_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = tmp_path / "user.slice" / "app.slice" / "session.scope"
    scope.mkdir(parents=True)
    for folder, controls in ((scope, ""), (scope.parent, "cpu memory pids")):
        (folder / "cgroup.procs").write_text("1\n2\n")
        (folder / "cgroup.controllers").write_text("memory pids" if controls else "")
        (folder / "cgroup.subtree_control").write_text(controls)
    written: dict[str, int] = {}
    monkeypatch.setattr(cgroups, "_own_paths", lambda: {"": "/user.slice/app.slice/session.scope"})
    monkeypatch.setattr(cgroups, "_mounts", lambda kind: [(tmp_path, "/", "rw")] if kind == "cgroup2" else [])
    monkeypatch.setattr(cgroups, "_write", lambda file, value: written.update({file.name: value}))

    cgroup = make_cgroup(Limits(memory=GIB, threads=20))

    assert cgroup is not None and str(cgroup) == "cgroup v2 (memory and pids)"
    assert cgroup.folders["memory"] == cgroup.folders["pids"]
    assert cgroup.folders["memory"].parent == scope.parent
    assert written == {"memory.max": GIB, "memory.swap.max": 0, "pids.max": 41}
    (cgroup.folders["memory"] / "memory.events").write_text("max 3\noom 1\noom_kill 1\n")
    assert cgroup.ran_out_of_memory()


def test_where_nothing_can_be_made_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "_mounts", lambda _: [])

    assert make_cgroup(Limits()) is None
    assert "systemd-run --user --scope" in str(why_no_cgroup())
