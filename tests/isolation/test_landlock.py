from pathlib import Path

import pytest
from support.jobs import needs_landlock, refusal, run

from harness.errors import MachineError
from harness.isolation import landlock
from harness.isolation.tiers import Tier

pytestmark = needs_landlock


@pytest.fixture(params=[abi for abi in (1, 2, 4, landlock.version()) if abi <= landlock.version()])
def abi(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "answers.txt"
    path.write_text("47.5")
    path.chmod(0o666)
    return path


ATTACKS = {
    "open": "open({secret!r})",
    "list its folder": "os.listdir({folder!r})",
    "a symbolic link": "os.symlink({secret!r}, 'link'); open('link')",
    "a hard link": "os.link({secret!r}, 'link')",
    "rename it into reach": "os.rename({secret!r}, 'mine')",
    "rename something over it": "open('mine', 'w').close(); os.rename('mine', {secret!r})",
    "through the root of /proc": "open('/proc/self/root' + {secret!r})",
    "through a descriptor without rights": "open('/proc/self/fd/' + str(os.open({secret!r}, os.O_PATH)))",
    "from its folder": "os.chdir({folder!r}); open('answers.txt')",
    "the raw system call": "system(257 if os.uname().machine == 'x86_64' else 56, -100, {secret!r}.encode(), 0)",
    "map it": "import mmap; mmap.mmap(os.open({secret!r}, os.O_RDWR), 4)",
    "write": "open({secret!r}, 'w')",
    "remove": "os.remove({secret!r})",
    "truncate": "os.truncate({secret!r}, 0)",
    "truncate by opening to read": "os.open({secret!r}, os.O_RDONLY | os.O_TRUNC)",
    "truncate by opening to nothing": "os.open({secret!r}, 3 | os.O_TRUNC)",
    "a file beside it": "open({folder!r} + '/new', 'w')",
    "the parent's memory": "open(f'/proc/{{os.getppid()}}/mem')",
    "the parent's environment": "open(f'/proc/{{os.getppid()}}/environ')",
    "the first process": "os.listdir('/proc/1/fd')",
    "the job's own plan": "open(job / 'plan.json')",
    "the input, to write": "open(job / 'input' / 'probe.py', 'a')",
    "a pipe for the grader to hang on": "os.mkfifo(job / 'output' / 'predictions.npy')",
    "the kernel's messages": "open('/dev/kmsg')",
    "shared memory": "open('/dev/shm/mine', 'w')",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_what_is_not_granted_cannot_be_reached(tmp_path: Path, secret: Path, attack: str) -> None:
    met = refusal(tmp_path, attack.format(secret=str(secret), folder=str(tmp_path)))

    assert met in {"EACCES", "EPERM", "EXDEV"}
    assert secret.read_text() == "47.5"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["open", "a hard link", "rename it into reach", "truncate by opening to read"])
def test_older_kernels_hold_as_well(tmp_path: Path, secret: Path, name: str, abi: int) -> None:
    met = refusal(tmp_path, ATTACKS[name].format(secret=str(secret), folder=str(tmp_path)), landlock_abi=abi)

    assert met in {"EACCES", "EPERM", "EXDEV"}
    assert secret.read_text() == "47.5"


def test_input_is_readable_and_two_folders_are_writable(tmp_path: Path, abi: int) -> None:
    result = run(
        tmp_path,
        """
        assert (job / "input" / "probe.py").read_text()
        Path("notes.txt").write_text("in the temporary folder")
        Path("folder").mkdir()
        os.rename("notes.txt", "renamed.txt")
        os.remove("renamed.txt")
        (job / "output" / "predictions.npy").write_bytes(b"...")
        assert len(os.urandom(4)) == len(open("/dev/urandom", "rb").read(4))
        assert "processor" in open("/proc/cpuinfo").read() and "Threads" in open("/proc/self/status").read()
        """,
        tier=Tier.LANDLOCK,
        landlock_abi=abi,
    )

    assert result.outcome.reason is None, result.outcome.log_tail
    assert f"Landlock ABI {abi}" in result.outcome.held


def test_a_granted_folder_is_readable(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "weights").write_text("w")
    (tmp_path / "more").chmod(0o755)

    result = run(
        tmp_path,
        f"say(read=Path({str(tmp_path / 'more' / 'weights')!r}).read_text())",
        tier=Tier.LANDLOCK,
        granted=[tmp_path / "more"],
    )

    assert result.told == {"read": "w"}


def test_a_secret_below_a_granted_folder_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "more" / "data").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "more" / "data")

    with pytest.raises(MachineError, match=r"link must stay out .* lies in .*more, .* move"):
        run(tmp_path, "say(a=1)", tier=Tier.LANDLOCK, granted=[tmp_path / "more"], secrets=[tmp_path / "link"])
