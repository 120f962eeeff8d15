"""Devices by name."""

import pytest
import torch

from harness.errors import MachineError
from harness.learning.devices import choose_device, described


def test_auto_is_a_device_of_this_machine_and_others_are_refused() -> None:
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    assert choose_device("cpu") == torch.device("cpu")
    for name in ("tpu", "cuda:", "cuda:-1", "cpu:0", "cuda:N"):
        with pytest.raises(
            MachineError, match=f"unknown device '{name}'; choose one of auto, cpu, cuda, mps, or cuda:1"
        ):
            choose_device(name)


def test_one_of_several_gpus_is_chosen_by_its_number(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"NVIDIA H{device.index}")
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    assert described(choose_device("cuda:1")) == "cuda (NVIDIA H1)"
    with pytest.raises(MachineError, match=r"no device 'cuda:2': torch sees 2 GPUs, the last is cuda:1"):
        choose_device("cuda:2")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_where_there_is_none_is_the_machine_s_fault() -> None:
    with pytest.raises(MachineError, match=r"no device 'cuda'.*or choose --device cpu"):
        choose_device("cuda")
