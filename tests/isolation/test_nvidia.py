import ctypes.util
from pathlib import Path

import pytest
from support.cheating import CHEATS, grade_cheat
from support.jobs import needs_landlock, run
from support.nvidia import CARD, NODES, SOUND, TOO_MUCH, WITH_SHARED_MEMORY, Machine

from harness.errors import MachineError
from harness.isolation import bwrap, launcher, nvidia
from harness.isolation.environment import environment
from harness.isolation.grants import Grants, grants_for, uses_cuda
from harness.isolation.survey import survey
from harness.isolation.tiers import Tier

PLAIN = "usr/lib/x86_64-linux-gnu"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A tree with nothing in it."""
    (tmp_path / "root").mkdir()
    return Machine(tmp_path / "root", monkeypatch)


@pytest.fixture
def plain(machine: Machine) -> Machine:
    """Two cards, the driver installed by a distribution's package."""
    machine.nodes(*NODES)
    machine.driver()
    machine.library(PLAIN)
    machine.cache("/lib/x86_64-linux-gnu/libc.so.6", f"/{PLAIN}/libcuda.so.1")
    return machine


def granted() -> Grants:
    return grants_for(Path("job"), cuda=uses_cuda("cuda:1"))


def handed_on() -> str | None:
    return environment(Path("job"), cores=1, cuda=True).get("LD_LIBRARY_PATH")


def test_plain_linux(plain: Machine) -> None:
    grants = granted()

    assert plain.inside(grants.devices) == {f"/dev/{name}" for name in NODES}
    assert plain.inside(grants.read) == {
        "/proc/driver/nvidia",
        "/proc/driver/nvidia-uvm",
        "/proc/devices",
        "/proc/modules",
        "/proc/version",
        "/sys/bus/pci/devices",
        f"/sys/devices/pci0000:00/{CARD}/vendor",
        f"/sys/devices/pci0000:00/{CARD}/numa_node",
        f"/{PLAIN}",
    }
    assert nvidia.library() == (plain.root / PLAIN, "ld.so.cache")
    assert handed_on() is None
    findings = {finding.name: finding for finding in survey()}
    assert findings["NVIDIA devices"].holds
    assert findings["libcuda.so.1"].remark == f"{plain.root / PLAIN}, by ld.so.cache"


def test_a_card_of_another_maker_and_the_cards_own_memory_stay_closed(plain: Machine) -> None:
    read = plain.inside(granted().read)

    assert not any(SOUND in path or path.endswith("resource0") for path in read)


def test_kubernetes_mounts_the_driver_where_a_variable_leads(plain: Machine) -> None:
    folder = plain.library("usr/local/nvidia/lib64")
    (plain.root / "usr/local/nvidia/lib").mkdir()
    plain.variable("relative", "/usr/local/nvidia/lib", "/usr/local/nvidia/lib64", "/home/me/lib")

    assert nvidia.library() == (folder, "LD_LIBRARY_PATH")
    assert handed_on() == str(folder)
    assert "/usr/local/nvidia/lib64" in plain.inside(granted().read)
    assert not {"/usr/local/nvidia/lib", f"/{PLAIN}"} & plain.inside(granted().read)


def test_the_variable_stays_behind_where_another_way_led_to_the_library(plain: Machine) -> None:
    (plain.root / "home/me/lib").mkdir(parents=True)
    plain.variable("/home/me/lib")

    assert handed_on() is None
    assert "/home/me/lib" not in plain.inside(granted().read)


def test_wsl_2(machine: Machine) -> None:
    machine.nodes("dxg")
    machine.library("usr/lib/wsl/lib")

    assert machine.inside(granted().devices) == {"/dev/dxg"}
    assert machine.inside(granted().read) == {"/usr/lib/wsl/lib"}
    assert nvidia.missing(nvidia.devices()) is None


def test_wsl_2_with_a_card_of_another_maker_does_not_ask_for_cuda(machine: Machine) -> None:
    machine.nodes("dxg")

    assert not uses_cuda("auto")


def test_nixos_links_the_driver_from_its_store(machine: Machine) -> None:
    machine.nodes(*NODES)
    stored = machine.library("nix/store/abc-nvidia-x11/lib")
    offered = machine.root / "nix/store/def-graphics-drivers/lib"
    offered.mkdir(parents=True)
    (offered / "libcuda.so.1").symlink_to(stored / "libcuda.so.1")
    (machine.root / "run").mkdir()
    (machine.root / "run/opengl-driver").symlink_to(offered.parent)

    assert nvidia.library() == (machine.root / "run/opengl-driver/lib", "habit")
    # Landlock judges by where a file really lies, bwrap by the name that it is opened by.
    assert {"/run/opengl-driver/lib", "/nix/store/abc-nvidia-x11/lib"} <= machine.inside(granted().read)


def test_of_a_card_that_is_shared_out_the_parts_are_opened_but_not_what_divides_it(plain: Machine) -> None:
    plain.file("dev/nvidia-caps/nvidia-cap1", mode=0o400)
    plain.file("dev/nvidia-caps/nvidia-cap2", mode=0o444)
    plain.file("dev/nvidia-caps/nvidia-cap30", mode=0o444)

    capabilities = {node for node in plain.inside(granted().devices) if "caps" in node}

    assert capabilities == {"/dev/nvidia-caps/nvidia-cap2", "/dev/nvidia-caps/nvidia-cap30"}


def test_a_machine_without_any(machine: Machine) -> None:
    assert nvidia.devices() == [] and nvidia.library() is None and handed_on() is None
    assert not uses_cuda("auto") and not uses_cuda("cuda:0")
    assert granted() == grants_for(Path("job"), cuda=False)


def test_a_driver_whose_module_for_memory_was_not_loaded(machine: Machine) -> None:
    machine.nodes("nvidiactl", "nvidia0")

    findings = {finding.name: finding for finding in survey()}

    assert not findings["NVIDIA devices"].holds
    assert findings["NVIDIA devices"].remark.endswith("dev/nvidia-uvm is missing; as root run: nvidia-modprobe -u -c=0")
    assert findings["libcuda.so.1"].remark.startswith("not found; install the driver, or start the container with")


def test_a_secret_beside_the_library_is_refused(plain: Machine) -> None:
    plain.library("home/me/answers")
    plain.variable("/home/me/answers")
    secret = plain.file("home/me/answers/keypoints.npy")

    with pytest.raises(MachineError, match=r"keypoints\.npy must stay out of a submission's reach but lies in"):
        grants_for(Path("job"), cuda=True, secrets=[secret])


@pytest.mark.parametrize("secret", ["home/me/answers.npy", "dev/sda", "proc/kcore", "etc/shadow", "usr/lib/answers"])
def test_what_lies_beside_the_driver_is_not_granted(plain: Machine, secret: str) -> None:
    grants_for(Path("job"), cuda=True, secrets=[plain.file(secret)])


def test_which_card_is_which_is_handed_on(plain: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")

    variables = environment(Path("job"), cores=1, cuda=True)

    assert (variables["CUDA_VISIBLE_DEVICES"], variables["CUDA_DEVICE_ORDER"]) == ("1,0", "PCI_BUS_ID")


@pytest.mark.skipif(not Path("/etc/ld.so.cache").exists(), reason="this system has no ld.so.cache")
def test_the_linkers_cache_of_this_machine_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    monkeypatch.setattr(nvidia, "LIBRARY", str(ctypes.util.find_library("c")))

    found = nvidia.library()

    assert found is not None and found.found_by == "ld.so.cache"


@needs_landlock
def test_a_worker_opens_what_cuda_opens_and_nothing_beside_it(plain: Machine, tmp_path: Path) -> None:
    mapped = Path("/proc/self/maps").read_text().splitlines()
    plain.library("opt/driver/lib", copied_from=next(Path(line.split()[-1]) for line in mapped if "libm" in line))
    plain.variable("/opt/driver/lib")
    plain.file("home/me/answers.npy")
    closed = [f"sys/devices/pci0000:00/{SOUND}/vendor", f"sys/devices/pci0000:00/{CARD}/resource0", "proc/driver/rtc"]

    result = run(
        tmp_path,
        f"""
        root = Path({str(plain.root)!r})
        for node in {nvidia.devices()}:
            os.close(os.open(node, os.O_RDWR))
        numa = (root / "sys/bus/pci/devices/{CARD}/numa_node").read_text()
        ctypes.CDLL("libcuda.so.1")
        names = []
        def name():
            comm = Path(f"/proc/self/task/{{threading.get_native_id()}}/comm")
            comm.write_text("cuda-EvtHandlr")
            names.append(comm.read_text())
        for thread in [threading.Thread(target=name) for _ in range(2)]:
            thread.start(); thread.join()
        refused = []
        for path in {closed} + ["home/me/answers.npy"]:
            try:
                (root / path).read_bytes()
            except PermissionError:
                refused.append(path)
        say(numa=numa, names=names, refused=refused)
        """,
        tier=Tier.LANDLOCK,
        device="cuda:1",
    )

    assert result.outcome.reason is None, result.outcome.log_tail
    assert result.told["numa"] == "0\n"
    assert result.told["names"] == ["cuda-EvtHandlr\n"] * 2
    assert result.told["refused"] == [*closed, "home/me/answers.npy"]


@needs_landlock
@pytest.mark.parametrize("cgroup", [True, False], ids=["cgroup", "no cgroup"])
@pytest.mark.parametrize("cheat", WITH_SHARED_MEMORY)
def test_a_cheat_gains_nothing_by_the_shared_memory_that_cuda_needs(
    plain: Machine, cheat: str, cgroup: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not cgroup:
        monkeypatch.setattr(launcher, "make_cgroup", lambda _: None)
    verdict = grade_cheat(CHEATS / f"{cheat}.py", device="auto")  # CUDA's grants, and the CPU since there is no card

    assert verdict.gains == []
    assert TOO_MUCH in verdict.reason


def test_bwrap_hands_the_device_nodes_in(plain: Machine) -> None:
    words = bwrap.command(granted(), Path("job"))

    bound = [words[place + 1] for place, word in enumerate(words) if word == "--dev-bind"]
    assert plain.inside(bound) == {f"/dev/{name}" for name in NODES}
    assert len(bound) == len(NODES)
