"""A worker on CUDA: it computes behind the walls, and they hold as well as on the CPU."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.cheating import CHEATS, constants, grade_cheat
from support.gpu import HOST_MEMORY, needs_gpu
from support.jobs import needs_landlock, refusal
from support.nvidia import TOO_MUCH, WITH_SHARED_MEMORY
from support.submissions import NETWORK, grade
from support.tiny import Tiny

from harness.isolation.tiers import Tier
from harness.isolation.trial import tiers_to_try, try_device

pytestmark = [needs_gpu, needs_landlock]

Record = Callable[[str, object], None]

CARD = next(
    (link for link in Path("/sys/bus/pci/devices").glob("*") if (link / "vendor").read_text().strip() == "0x10de"),
    Path("/missing"),
)
REACHING_OUT = {
    "a secret": "open({secret!r})",
    "a user's file": "open('/etc/passwd')",
    "the grader's memory": "open(f'/proc/{{os.getppid()}}/mem')",
    "the grader's environment": "open(f'/proc/{{os.getppid()}}/environ')",
    "the network": "socket.create_connection(('127.0.0.1', 80))",
    "a unix socket": "socket.socket(socket.AF_UNIX)",
    "another process": "os.fork()",
    "a program": "os.execv('/usr/bin/nvidia-smi', ['nvidia-smi'])",
    "shared memory with a name": "open('/dev/shm/mine', 'w')",
    "the kernel's messages": "open('/dev/kmsg')",
    "all device nodes": "os.listdir('/dev')",
    "the cards' memory": f"open('{CARD}/resource0', 'rb')",
    "the division of a card": "os.open('/dev/nvidia-caps/nvidia-cap1', os.O_RDONLY)",
}

OTHER_CHEATS = [
    "limit_disk_mapped",
    "limit_memory_files",
    "limit_memory_mapped",
    "limit_memory_shared",
    "limit_threads",
    "network_unix_path",
    "process_fork",
    "read_devices",
    "read_graders_memory",
]


@pytest.mark.parametrize("tier", tiers_to_try())
def test_a_worker_computes_in(tier: Tier, record_property: Record) -> None:
    trial = try_device("cuda:0", tier)

    record_property("figure", trial.remark)
    assert trial.works, trial.remark


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_a_network_trains_and_predicts_in_the_default_tier_on(tiny: Tiny, device: str, record_property: Record) -> None:
    code, entry = grade(tiny, NETWORK, "--device", device, *HOST_MEMORY)

    assert (code, entry["status"]) == (0, "graded"), entry["reason"]
    assert entry["isolation"] == "landlock"
    assert entry["device"].startswith("cuda")
    record_property(
        "figure", f"{entry['seconds']['total']:.1f} s in all, {entry['seconds']['training']:.1f} s training"
    )


@pytest.mark.parametrize("attempt", REACHING_OUT.values(), ids=REACHING_OUT)
def test_out_of_reach_is(attempt: str, tmp_path: Path) -> None:
    secret = tmp_path / "answers.txt"
    secret.touch(0o666)

    met = refusal(tmp_path, attempt.format(secret=str(secret)), device="cuda")

    assert met in {"EACCES", "EPERM", "ENOENT"}  # the last where this machine has no such thing


@pytest.mark.parametrize("cheat", WITH_SHARED_MEMORY)
def test_the_shared_memory_that_cuda_needs_is_no_gain_for(cheat: str) -> None:
    verdict = grade_cheat(CHEATS / f"{cheat}.py", device="cuda")

    assert verdict.gains == []
    assert TOO_MUCH in verdict.reason, verdict


@pytest.mark.parametrize("cheat", OTHER_CHEATS)
def test_nothing_is_gained_by(cheat: str) -> None:
    path = CHEATS / f"{cheat}.py"

    verdict = grade_cheat(path, device="cuda")

    assert verdict.gains == []
    assert constants(path)["EXPECT"] in (verdict.reason or "graded"), verdict
