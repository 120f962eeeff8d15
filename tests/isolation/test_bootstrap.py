import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.jobs import needs_landlock, run

import harness
from harness.errors import MachineError
from harness.isolation import grants, landlock
from harness.isolation.owner import why_no_own_user
from harness.isolation.tiers import Tier

NEEDED = [sys.executable, os.__file__, str(Path(harness.__file__).parent), str(Path(pytest.__file__).parent)]
NO_OWN_USER = why_no_own_user(NEEDED)


def test_limits_alone_are_called_that(tmp_path: Path) -> None:
    assert run(tmp_path, "pass").outcome.held.split(", ")[0] == "limits"


@needs_landlock
def test_what_holds_is_what_the_kernel_took(tmp_path: Path) -> None:
    held = run(tmp_path, "pass", tier=Tier.LANDLOCK).outcome.held

    assert f"Landlock ABI {landlock.version()}, seccomp" in held


@needs_landlock
def test_a_wall_that_cannot_be_built_stops_it_before_the_submission_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "_readable", lambda paths: ("/missing",))
    heard: list[object] = []

    with pytest.raises(MachineError, match=r"could not be locked in on this machine: .*No such file.*missing"):
        run(tmp_path, "say(ran=True)", tier=Tier.LANDLOCK, on_message=heard.append)
    assert heard == []


@needs_landlock
def test_the_package_is_found_though_its_checkout_is_closed(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        import harness.keypoints
        try:
            os.listdir(Path(harness.__file__).parents[1])
        except PermissionError:
            say(layout=harness.keypoints.FACE15.name)
        """,
        tier=Tier.LANDLOCK,
    )

    assert result.told == {"layout": "face15"}


def test_hashes_are_the_same_every_time(tmp_path: Path) -> None:
    first = run(tmp_path / "first", "say(order=list({'flip', 'blur', 'shift'}))")
    second = run(tmp_path / "second", "say(order=list({'flip', 'blur', 'shift'}))")

    assert first.told == second.told


@pytest.mark.parametrize(
    ("end", "code"), [("pass", 0), ("return 2", 2), ("sys.exit()", 0), ("sys.exit(3)", 3), ("sys.exit('words')", 1)]
)
def test_the_entrys_result_is_the_exit_code(tmp_path: Path, end: str, code: int) -> None:
    assert run(tmp_path, end).outcome.exit_code == code


def test_threads_that_go_on_do_not_keep_the_worker(tmp_path: Path) -> None:
    outcome = run(tmp_path, "threading.Thread(target=time.sleep, args=(600,)).start(); print('done')").outcome

    assert (outcome.exit_code, outcome.log_tail) == (0, "done\n")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has capabilities")
def test_the_worker_has_no_capabilities_and_gains_none(tmp_path: Path) -> None:
    result = run(tmp_path, "say(status=Path('/proc/self/status').read_text())")

    status = dict(line.split(":\t") for line in result.told["status"].splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"] == "1"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(NO_OWN_USER is not None, reason=f"{NO_OWN_USER}")
@pytest.mark.parametrize("tier", [Tier.NONE, pytest.param(Tier.LANDLOCK, marks=needs_landlock)])
def test_under_root_the_worker_is_a_user_of_its_own(open_folder: Path, tier: Tier) -> None:
    answers = open_folder / "answers.txt"
    answers.touch(0o600)

    result = run(
        open_folder,
        f"""
        try:
            open({str(answers)!r})
        except PermissionError:
            (job / "output" / "predictions.npy").touch()
            say(user=os.getuid(), groups=os.getgroups(), mine=os.access("/proc/self/comm", os.W_OK))
        """,
        tier=tier,
    )

    user = result.told["user"]
    assert user != 0 and f"user {user}" in result.outcome.held
    assert result.told["groups"] == [] and result.told["mine"]
    assert (open_folder / "job" / "output" / "predictions.npy").stat().st_uid == user


@needs_landlock
@pytest.mark.skipif(NO_OWN_USER is not None, reason=f"{NO_OWN_USER}")
def test_an_unprivileged_grader_can_lock_in_a_worker(open_folder: Path) -> None:
    open_folder.chmod(0o777)
    grader = f"""
import sys; sys.path[:] = {[str(Path(__file__).parents[1]), *sys.path]}
from pathlib import Path; from support import jobs; import os
print(jobs.refusal(Path({str(open_folder)!r}), "open('/etc/passwd')"), os.getuid())
"""

    grading = subprocess.run(
        [sys.executable, "-c", grader],
        capture_output=True,
        text=True,
        check=False,
        env={},
        user=12345,
        group=12345,
        extra_groups=[],
    )

    assert grading.stdout.split() == ["EACCES", "12345"], grading.stderr
