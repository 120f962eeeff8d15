import shutil
import subprocess
from pathlib import Path

import pytest
from support.jobs import needs_landlock
from support.nvidia import NODES, Machine

from harness.isolation import tiers, trial, trial_worker
from harness.isolation.faults import cuda_fault
from harness.isolation.tiers import Tier
from harness.isolation.trial import tiers_to_try, try_device

OLD_DRIVER = """
int cuDriverGetVersion(int *version) { *version = 12020; return 0; }
int cuInit(unsigned flags) { return 304; }
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Two cards' device nodes, and no library yet."""
    (tmp_path / "root").mkdir()
    machine = Machine(tmp_path / "root", monkeypatch)
    machine.nodes(*NODES)
    machine.driver()
    return machine


@needs_landlock
def test_the_cpu_computes_in_the_default_tier() -> None:
    result = try_device("cpu", Tier.LANDLOCK)

    assert result.works, result.remark
    assert "kept in by limits" in result.remark and "Landlock" in result.remark


def test_a_card_without_a_driver_is_said_to_lack_it(machine: Machine) -> None:
    result = try_device("cuda:0", Tier.NONE)

    assert not result.works
    assert result.remark.startswith("libcuda.so.1 is not found; install NVIDIA's driver, or start the container with")


def test_a_library_that_the_linker_does_not_look_for_is_named(machine: Machine) -> None:
    folder = machine.library("usr/local/nvidia/lib64")

    result = try_device("cuda:0", Tier.NONE)

    assert result.remark == f"libcuda.so.1 lies in {folder}, where nothing looks; export LD_LIBRARY_PATH={folder}"


@needs_landlock
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler to build a driver that fails")
def test_a_driver_that_does_not_start_is_explained_by_what_was_refused(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "driver.c").write_text(OLD_DRIVER)
    library = machine.library("opt/driver") / "libcuda.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "driver.c"], check=True)
    machine.variable("/opt/driver")
    (machine.root / "dev/nvidia-uvm-tools").chmod(0)

    result = try_device("cuda:0", Tier.LANDLOCK)

    assert result.remark.startswith("cuInit returned 304: ")
    assert f"{machine.root}/dev/nvidia-uvm-tools (EACCES)" in result.remark
    assert "nvidia-modeset" not in result.remark and "the name of a thread" not in result.remark


def test_a_worker_that_says_nothing_is_told_by_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_LIMITS", trial.Limits(seconds=0.01))

    assert "past its time limit of 0.0 s" in try_device("cpu", Tier.NONE).remark


STARTED = {"driver": 13000, "torch": "2.14.1+cu130", "built_for": "13.0"}


@pytest.mark.parametrize(
    ("heard", "sentence"),
    [
        ({"driver": 13000, "init": 100}, "cuInit returned 100: the driver shows no card; see nvidia-smi"),
        ({"driver": 13000, "init": 803}, "cuInit returned 803: libcuda.so.1 and the kernel's module are of different"),
        ({"driver": 13000, "init": 304}, "cuInit returned 304: nothing that CUDA is known to open was refused"),
        (
            {"driver": 13000, "init": 304, "refused": {"memfd_create": "ENOSYS"}},
            "cuInit returned 304: the isolation refused memfd_create (ENOSYS); report this line",
        ),
        ({"driver": 13000, "error": "ImportError: libcudnn.so.9"}, "torch does not load: ImportError: libcudnn.so.9"),
        (STARTED | {"built_for": None}, "torch 2.14.1+cu130 was built without CUDA; install a build with it"),
        (STARTED | {"driver": 12020}, "the driver is for CUDA 12.2 and torch 2.14.1+cu130 for 13.0; update the driver"),
        (STARTED | {"error": "OutOfMemoryError: CUDA out of memory."}, "the card has no memory left; nvidia-smi shows"),
        (STARTED | {"error": "RuntimeError: NVML_SUCCESS == r INTERNAL ASSERT"}, "the card has no memory left"),
        (STARTED | {"error": "AcceleratorError: CUDA error: no kernel image is"}, "torch 2.14.1+cu130 has no code for"),
        (STARTED | {"error": "AcceleratorError: CUDA error: invalid device ordinal"}, "there is no such card"),
        (STARTED | {"error": "RuntimeError: cuDNN error"}, "RuntimeError: cuDNN error"),
    ],
)
def test_every_fault_of_cuda_is_a_sentence_with_a_remedy(heard: dict[str, object], sentence: str) -> None:
    assert cuda_fault(heard).startswith(sentence)


def test_what_is_missing_was_not_refused(tmp_path: Path) -> None:
    assert str(tmp_path / "nvidia9") not in trial_worker.refused([str(tmp_path / "nvidia9")])


def test_a_container_is_not_tried_besides_what_it_does_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "_in_container", lambda: True)

    assert Tier.CONTAINER not in tiers_to_try() and Tier.NONE in tiers_to_try()
