"""What a worker says of an exception."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from harness.errors import ContractError, HarnessError
from harness.submission.worker import _explained

GPU = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB"
NO_MEMORY = [
    (torch.OutOfMemoryError(GPU), "GPU"),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "GPU"),
    (RuntimeError("MPS backend out of memory (MPS allocated: 9.07 GB, max allowed: 9.07 GB)"), "GPU"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000 bytes"), "main"),
    (MemoryError("Unable to allocate 7.45 GiB for an array with shape (1000000000,)"), "main"),
]


def explained(error: BaseException) -> HarnessError:
    return _explained(error, "training", Path("submission"))


@pytest.mark.parametrize(("error", "memory"), NO_MEMORY)
def test_only_main_memory_can_be_asked_for(error: Exception, memory: str) -> None:
    said = str(explained(error))
    assert "use a smaller batch_size or model" in said
    assert ("--memory-limit" in said) == (memory == "main")
    assert ("the GPU's memory" in said) == (memory == "GPU")


def test_memory_that_ran_out_while_the_contract_was_checked_is_not_a_breach_of_it() -> None:
    cause = torch.OutOfMemoryError(GPU)
    try:
        raise ContractError("the model failed on a batch of images") from cause
    except ContractError as error:
        assert "the GPU's memory" in str(explained(error))


def test_a_contract_that_the_submission_broke_by_raising_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def forward():\n    raise ValueError('mat1 and mat2')\n")
    module: dict[str, Any] = {}
    exec(compile((tmp_path / "mine.py").read_text(), tmp_path / "mine.py", "exec"), module)
    try:
        module["forward"]()
    except ValueError as cause:
        error = ContractError("mine.py, line 9, in build_model: the model failed")
        error.__cause__ = cause
    assert str(_explained(error, "training", tmp_path / "mine.py")) == "mine.py, line 2, in forward: the model failed"
