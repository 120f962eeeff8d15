from pathlib import Path

import pytest
from support.jobs import needs_landlock, run

from harness.errors import MachineError
from harness.isolation import bwrap, grants, landlock, nvidia, survey, tiers
from harness.isolation.tiers import Tier, choose, probe


@needs_landlock
def test_landlock_is_the_default_where_it_holds() -> None:
    assert choose("auto") is Tier.LANDLOCK


def test_without_it_nothing_is_chosen_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)

    with pytest.raises(MachineError, match=r"isolation landlock does not hold on this machine: .*--isolation none"):
        choose("auto")
    assert choose("none") is Tier.NONE


def test_every_tier_is_probed_with_its_reason() -> None:
    probes = probe()

    assert [tier for tier, _, _ in probes] == list(Tier)
    assert all(why for _, _, why in probes)
    assert probes[-1].holds and "answers" in probes[-1].why


@needs_landlock
def test_outside_a_container_the_remedy_is_the_line_that_starts_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "_in_container", lambda: False)

    with pytest.raises(MachineError, match="docker run"):
        choose("container")


@pytest.mark.skipif(bwrap.why_not() is not None, reason=f"{bwrap.why_not()}")
def test_bwrap_leaves_nothing_but_what_is_granted(tmp_path: Path) -> None:
    # Behind Landlock alone one can still tell that a file exists, and one's own number among all processes.
    (tmp_path / "answers").write_text("47.5")
    hidden = [str(tmp_path / "answers"), "/etc/passwd", "/boot"]

    result = run(tmp_path, f"say(seen=[p for p in {hidden} if os.path.exists(p)], number=os.getpid())", tier=Tier.BWRAP)

    assert result.outcome.reason is None, result.outcome.log_tail
    assert result.told["seen"] == []
    assert result.told["number"] < 10


def test_the_survey_says_what_this_machine_has() -> None:
    findings = {finding.name: finding for finding in survey.survey()}

    assert findings["Landlock"].holds == (landlock.version() > 0)
    assert findings["bwrap"].holds == (bwrap.why_not() is None)
    assert str(Path(tiers.__file__).parents[1]) in findings["submissions read"].remark


@pytest.mark.parametrize(
    ("device", "nodes", "uses"),
    [
        ("cpu", ["/dev/nvidia0"], False),
        ("cuda:1", ["/dev/nvidia0"], True),
        ("auto", ["/dev/nvidia0"], True),
        ("auto", [], False),
    ],
)
def test_only_a_worker_for_the_gpu_gets_its_devices(
    monkeypatch: pytest.MonkeyPatch, device: str, nodes: list[str], uses: bool
) -> None:
    monkeypatch.setattr(nvidia, "devices", lambda: nodes)
    monkeypatch.setattr(grants, "_readable", tuple)

    assert grants.uses_cuda(device) is uses
    opened = grants.grants_for(Path("job"), cuda=grants.uses_cuda(device)).devices
    assert ("/dev/nvidia0" in opened) is uses and "/dev/urandom" in opened
