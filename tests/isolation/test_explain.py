import errno
import os
from pathlib import Path

import pytest
from support.jobs import needs_landlock, run

from harness.isolation.explain import explain
from harness.isolation.limits import Limits
from harness.isolation.tiers import Tier

NETWORK = "your submission tried to open a network connection, and submissions have none; put the weights or data that"
PROCESS = "your submission tried to start another process or program, and submissions have one; use threads"


@needs_landlock
@pytest.mark.parametrize(
    ("attempt", "sentence"),
    [
        ("socket.create_connection(('127.0.0.1', 80))", NETWORK),
        ("import urllib.request; urllib.request.urlopen('http://127.0.0.1')", NETWORK),
        ("import urllib.request; urllib.request.urlopen('http://example.org')", NETWORK),
        ("subprocess.run(['nvidia-smi'])", PROCESS),
        ("os.fork()", PROCESS),
        ("from multiprocessing import Pool; Pool(2)", PROCESS),
        ("from concurrent.futures import ProcessPoolExecutor as P; P(2).submit(abs, 1).result()", PROCESS),
        ("open('/etc/passwd')", "your submission may not open /etc/passwd; it may read its own files"),
        ("open(job / 'input' / 'probe.py', 'w')", "your submission may not open "),
        ("os.nice(1)", "your submission asked the system for something that submissions may not do ("),
    ],
)
def test_a_refusal_is_a_sentence(tmp_path: Path, attempt: str, sentence: str) -> None:
    result = run(
        tmp_path,
        f"""
        from harness.isolation.explain import explain
        try:
            {attempt}
        except Exception as error:
            say(why=explain(error))
        """,
        tier=Tier.LANDLOCK,
    )

    assert result.told["why"].startswith(sentence)


@needs_landlock
def test_a_loader_with_workers_is_told_to_have_none(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        import torch
        from harness.isolation.explain import explain
        try:
            list(torch.utils.data.DataLoader(torch.zeros(8, 2), num_workers=2))
        except Exception as error:
            say(why=explain(error))
        """,
        tier=Tier.LANDLOCK,
        limits=Limits(seconds=100),
    )

    assert result.told["why"].startswith("your submission's DataLoader starts processes")
    assert result.told["why"].endswith("set num_workers=0")


def test_a_compiler_that_may_not_start_is_named() -> None:
    inductor = {"__name__": "torch._inductor.cpp_builder"}
    exec("def find_compiler(): raise PermissionError(1, 'Operation not permitted')", inductor)

    with pytest.raises(PermissionError) as caught:
        inductor["find_compiler"]()

    assert "leave torch.compile out" in str(explain(caught.value))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.EFBIG, "File too large"), "your submission wrote a larger file than it may; keep fewer"),
        (OSError(errno.ENOSPC, "No space left"), "it wrote more than it may to disk; keep fewer"),
        (OSError(errno.EXDEV, "Cross-device", "a.pt", None, "/b.pt"), "your submission may not move a.pt there; copy"),
    ],
)
def test_what_a_folder_does_not_take_is_said(error: OSError, sentence: str) -> None:
    assert str(explain(error)).startswith(sentence)


def test_an_exception_of_the_submissions_own_is_left_to_others() -> None:
    assert explain(ValueError("shapes do not match")) is None
    assert explain(FileNotFoundError(2, os.strerror(2), "weights.pt")) is None


def test_the_cause_counts_not_what_it_was_wrapped_in() -> None:
    try:
        try:
            raise PermissionError(13, "Permission denied", "/data/answers.npy")
        except OSError as error:
            raise RuntimeError("could not load") from error
    except RuntimeError as error:
        assert str(explain(error)).startswith("your submission may not open /data/answers.npy; ")
