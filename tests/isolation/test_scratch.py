import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.jobs import needs_landlock, run

from harness.isolation import scratch
from harness.isolation.limits import MIB, Limits
from harness.isolation.owner import why_no_own_user
from harness.isolation.scratch import why_no_tmpfs
from harness.isolation.survey import survey
from harness.isolation.tiers import Tier

LIMITS = Limits(seconds=20, memory=512 * MIB, disk=16 * MIB, files=60)
NO_TMPFS = why_no_tmpfs(LIMITS, own_user=why_no_own_user([]) is None)
needs_tmpfs = pytest.mark.skipif(NO_TMPFS is not None, reason=f"{NO_TMPFS}")

PAGES_OF_REMOVED_FILES = """
import mmap
written, kept = 0, []
try:
    for number in range(100):
        with open("x", "wb+", buffering=0) as file:
            os.remove("x")
            written += file.write(bytes(2**20))
            kept.append(mmap.mmap(file.fileno(), 1))
except OSError as error:
    say(written=written, met=errno.errorcode[error.errno])
"""


@pytest.fixture
def nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog looks only when the worker has ended."""
    monkeypatch.setattr("harness.isolation.watchdog.Watchdog.look", lambda _: None)


@needs_tmpfs
@needs_landlock
@pytest.mark.usefixtures("nobody_looks")
def test_the_kernel_lets_a_submission_write_an_eighth_more_than_its_limit_however_it_hides_it(tmp_path: Path) -> None:
    result = run(tmp_path, PAGES_OF_REMOVED_FILES, tier=Tier.LANDLOCK, limits=LIMITS)

    assert "tmpfs" in result.outcome.held
    assert result.told["met"] == "ENOSPC" and 16 * MIB < result.told["written"] <= 18 * MIB


MAPPED = """
import mmap
for name in "ab":
    with open(name, "wb+") as file:
        file.truncate(2**24)
        mmap.mmap(file.fileno(), 0)[:] = b"1" * 2**24
"""


@needs_tmpfs
@needs_landlock
@pytest.mark.usefixtures("nobody_looks")
@pytest.mark.parametrize(
    ("code", "stopped"),
    [
        ("[Path(f'{n}').write_bytes(bytes(2**20)) for n in range(17)]", "disk"),
        ("[Path(f'{n}').touch() for n in range(61)]", "files"),
        ("[Path(f'{n}').touch() for n in range(1000)]", "files"),
        (MAPPED, "disk"),
    ],
    ids=["bytes", "files", "many files", "more than fits, through a mapping"],
)
def test_a_limit_that_is_broken_at_the_end_counts_though_nobody_looked_in_time(
    tmp_path: Path, code: str, stopped: str
) -> None:
    assert run(tmp_path, code, tier=Tier.LANDLOCK, limits=LIMITS).outcome.stopped == stopped


@needs_tmpfs
@needs_landlock
def test_files_in_memory_count_as_memory_without_a_cgroup_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.isolation.launcher.make_cgroup", lambda _: None)
    code = "Path('a').write_bytes(bytes(2**27)); kept = b'1' * 2**26; time.sleep(60)"

    result = run(tmp_path, code, tier=Tier.LANDLOCK, limits=Limits(seconds=20, memory=160 * MIB, disk=512 * MIB))

    assert result.outcome.stopped == "memory"


@needs_tmpfs
@needs_landlock
def test_what_a_worker_writes_does_not_lie_on_the_disk_and_the_grader_reads_it(tmp_path: Path) -> None:
    result = run(tmp_path, "(job / 'output' / 'a').write_text('1'); Path('b').write_text('2')", tier=Tier.LANDLOCK)

    left = result.outcome.scratch
    assert ((left.output / "a").read_text(), (left.temporary / "b").read_text()) == ("1", "2")
    assert [*(tmp_path / "job" / "output").iterdir(), *(tmp_path / "job" / "tmp").iterdir()] == []


@needs_tmpfs
@needs_landlock
def test_nothing_of_it_is_left_when_the_grader_is_killed(tmp_path: Path) -> None:
    code = "Path('b').write_text('2'); say(here=os.listdir()); time.sleep(60)"
    grader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, json, pathlib; sys.path[:0] = sys.argv[1:2]; from support import jobs; "
            "jobs.run(pathlib.Path(sys.argv[2]), sys.argv[3], tier=jobs.Tier.LANDLOCK, "
            "on_message=lambda message: print(json.dumps(message), flush=True))",
            *(str(Path(__file__).parents[1]), str(tmp_path), code),
        ],
        stdout=subprocess.PIPE,
    )
    with grader:
        assert grader.stdout is not None
        assert json.loads(grader.stdout.readline()) == {"here": ["b"]}
        grader.kill()

    assert list((tmp_path / "job" / "tmp").iterdir()) == []


@needs_landlock
@pytest.mark.parametrize("disk", [2 * MIB, 2**60])
def test_where_there_is_no_such_thing_the_folders_lie_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: int
) -> None:
    if disk == 2 * MIB:
        monkeypatch.setattr(scratch, "why_no_mounts", lambda own_user: "no")

    result = run(tmp_path, "Path('b').write_text('2')", tier=Tier.LANDLOCK, limits=Limits(seconds=20, disk=disk))

    assert result.outcome.reason is None and "tmpfs" not in result.outcome.held
    assert (tmp_path / "job" / "tmp" / "b").read_text() == "2"


def test_it_takes_no_more_than_half_of_the_machines_memory() -> None:
    assert "more than half of this machine's memory" in str(why_no_tmpfs(Limits(disk=2**60), own_user=False))


@needs_landlock
def test_the_doctor_says_what_a_worker_got() -> None:
    finding = next(finding for finding in survey() if finding.name == "files in memory")

    assert finding.holds == (NO_TMPFS is None) and (NO_TMPFS or "tmpfs") in finding.remark
