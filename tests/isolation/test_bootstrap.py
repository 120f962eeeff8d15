import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.jobs import needs_landlock, run

import harness
from harness.errors import MachineError
from harness.isolation import grants, landlock
from harness.isolation.mounts import closed_folders
from harness.isolation.owner import why_no_own_user
from harness.isolation.tiers import Tier

NEEDED = [sys.executable, os.__file__, str(Path(harness.__file__).parent), str(Path(pytest.__file__).parent)]
NO_OWN_USER = why_no_own_user(NEEDED)
CLOSED = closed_folders(NEEDED)

needs_own_user = pytest.mark.skipif(NO_OWN_USER is not None, reason=f"{NO_OWN_USER}")


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


@needs_own_user
@pytest.mark.parametrize(
    "tier",
    [
        pytest.param(Tier.NONE, marks=pytest.mark.skipif(bool(CLOSED), reason=f"{CLOSED} are closed")),
        pytest.param(Tier.LANDLOCK, marks=needs_landlock),
    ],
)
def test_under_root_the_worker_is_a_user_of_its_own(tmp_path: Path, tier: Tier) -> None:
    answers = tmp_path / "answers.txt"
    answers.touch(0o600)

    result = run(
        tmp_path,
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
    assert (result.outcome.scratch.output / "predictions.npy").stat().st_uid == user


@needs_landlock
@needs_own_user
def test_what_lies_in_a_closed_folder_shows_only_as_far_as_it_is_granted(closed_folder: Path) -> None:
    for name in ("granted", "beside"):
        (closed_folder / name).mkdir()
        (closed_folder / name / "file").write_text("text")

    result = run(
        closed_folder,
        f"""
        folder = Path({str(closed_folder)!r})
        say(user=os.getuid(),
            read=(folder / "granted" / "file").read_text(), beside=(folder / "beside").exists(),
            write=os.access(folder / "granted" / "file", os.W_OK), here=os.getcwd(),
            open=[n for n in range(3, 100) if n != channel and os.path.exists(f"/dev/fd/{{n}}")])
        Path("made").touch()
        (job / "output" / "made").touch()
        """,
        tier=Tier.LANDLOCK,
        granted=[closed_folder / "granted"],
    )

    assert result.outcome.reason is None, result.outcome.log_tail
    assert result.told["user"] != 0 and f"user {result.told['user']}" in result.outcome.held
    assert result.told["read"] == "text" and not result.told["beside"] and not result.told["write"]
    assert result.told["open"] == []
    assert result.told["here"] == str(closed_folder / "job" / "tmp")
    scratch = result.outcome.scratch
    assert (scratch.output / "made").exists() and (scratch.temporary / "made").exists()


@pytest.mark.skipif(NO_OWN_USER is not None or bool(CLOSED), reason=f"{NO_OWN_USER or CLOSED}")
@needs_landlock
def test_an_unprivileged_grader_can_lock_in_a_worker(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    grader = f"""
import sys; sys.path[:] = {[str(Path(__file__).parents[1]), *sys.path]}
from pathlib import Path; from support import jobs; import os
print(jobs.refusal(Path({str(tmp_path)!r}), "open('/etc/passwd')"), os.getuid())
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
