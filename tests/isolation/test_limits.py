import sys
from pathlib import Path

import pytest
from support.jobs import run

from harness.isolation.limits import GIB, MIB, Limits, usable_cores


def test_every_limit_has_a_sentence_with_its_figure_and_a_remedy() -> None:
    limits = Limits(seconds=1800, memory=8 * GIB, disk=2 * GIB, files=2000, printed=10 * MIB, threads=256)

    assert limits.sentence("time").startswith("it ran past its time limit of 30 min; train for fewer epochs")
    assert "8 GiB; use a smaller batch" in limits.sentence("memory")
    assert "2 GiB to disk, or mapped files that it had removed; keep fewer" in limits.sentence("disk")
    assert "2,000 files; keep fewer" in limits.sentence("files")
    assert "10 MiB; print once an epoch" in limits.sentence("printed")
    assert "256 threads; start fewer" in limits.sentence("threads")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not enforce limits on memory")
def test_the_kernel_holds_the_worker_to_the_rest(tmp_path: Path) -> None:
    limits = Limits(seconds=10, memory=GIB, disk=MIB, threads=16)

    result = run(
        tmp_path,
        """
        import resource
        kinds = ["CORE", "CPU", "FSIZE", "NOFILE", "DATA"]
        say(limits={kind: resource.getrlimit(getattr(resource, "RLIMIT_" + kind)) for kind in kinds})
        """,
        limits=limits,
    )

    cpu = 10 * usable_cores() + 60
    values = {"CORE": 0, "CPU": cpu, "FSIZE": MIB, "NOFILE": 1024, "DATA": 2 * GIB + 16 * 8 * MIB}
    assert result.told["limits"] == {kind: [value, value] for kind, value in values.items()}


def test_cuda_may_reserve_addresses_and_only_an_own_user_is_counted() -> None:
    limits = Limits()

    assert "RLIMIT_AS" not in limits.rlimits(cuda=True, own_user=False)
    assert "RLIMIT_NPROC" not in limits.rlimits(cuda=False, own_user=False)
    assert limits.rlimits(cuda=False, own_user=True)["RLIMIT_NPROC"] >= limits.threads


def test_a_file_that_grows_too_large_fails_inside(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        from harness.isolation.explain import explain
        try:
            Path("checkpoint").write_bytes(bytes(2**21))
        except OSError as error:
            say(why=explain(error))
        """,
        limits=Limits(disk=MIB),
    )

    assert result.told == {"why": "your submission wrote a larger file than it may; keep fewer or smaller checkpoints"}
