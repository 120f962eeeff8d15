"""Limits of time and of both memories hold for a worker on CUDA, and two of them share a card."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
import torch
from support.gpu import HOST_MEMORY, needs_gpu
from support.jobs import needs_landlock
from support.submissions import NETWORK, estimator, grade
from support.tiny import REPOSITORY, Tiny

pytestmark = [needs_gpu, needs_landlock]

Record = Callable[[str, object], None]

TOO_LARGE = NETWORK.replace("return 16 +", "len(images) > 2 and images.new_zeros(2**44); return 16 +")
ENDLESS = estimator(fit="x = torch.ones(2**28, device='cuda')\n        while True: x = x * 1.01", top="import torch")
PINNED = estimator(
    fit="self.held = [torch.zeros(2**28, dtype=torch.uint8).pin_memory() for _ in range(60)]; time.sleep(60)",
    top="import torch",
)
PLAIN = estimator(fit="torch.zeros(1, device='cuda'); self.held = np.ones(2**33); time.sleep(60)", top="import torch")


def test_out_of_the_cards_memory_is_told_to_use_a_smaller_batch(tiny: Tiny) -> None:
    code, entry = grade(tiny, TOO_LARGE, "--device", "cuda", *HOST_MEMORY)

    assert code == 2
    assert "memory" in entry["reason"] and "smaller batch_size" in entry["reason"]


def test_a_run_past_its_time_is_ended_and_gives_the_cards_memory_back(tiny: Tiny, record_property: Record) -> None:
    free, _ = torch.cuda.mem_get_info()

    _, entry = grade(tiny, ENDLESS, "--device", "cuda", *HOST_MEMORY, "--time-limit", "20s")

    assert "time limit of 20 s" in entry["reason"]
    time.sleep(1)
    assert torch.cuda.mem_get_info()[0] > free - 2**29
    record_property("figure", f"ended after {entry['seconds']['total']:.1f} s")


@pytest.mark.parametrize("submission", [PLAIN, PINNED], ids=["plain", "pinned"])
def test_too_much_main_memory_ends_it(tiny: Tiny, submission: str) -> None:
    _, entry = grade(tiny, submission, "--device", "cuda", *HOST_MEMORY)

    assert "memory" in entry["reason"]


def test_two_runs_share_a_card(tiny: Tiny, record_property: Record) -> None:
    tiny.submission(NETWORK)
    command = "import sys; from harness.cli.grade import main; raise SystemExit(main(sys.argv[1:]))"
    options = ["submissions/mine.py", "--benchmark", str(tiny.card), "--data", str(tiny.data), "--device", "cuda"]
    began = time.monotonic()

    runs = [
        subprocess.Popen(
            [sys.executable, "-c", command, *options, *HOST_MEMORY, "--json", f"{number}.json", "--no-record"],
            cwd=tiny.root,
            env=os.environ | {"PYTHONPATH": f"{REPOSITORY}:{os.environ.get('PYTHONPATH', '')}"},
        )
        for number in range(2)
    ]

    assert [run.wait() for run in runs] == [0, 0]
    first, second = (json.loads((tiny.root / f"{number}.json").read_text()) for number in range(2))
    assert first["scores"] == second["scores"]
    record_property("figure", f"{time.monotonic() - began:.1f} s for both")
