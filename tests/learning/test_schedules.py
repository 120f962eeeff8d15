"""Schedules: where they start, where they end, and which way they go."""

import pytest

from harness.learning.schedules import LR_SCHEDULES, MOMENTUM_SCHEDULES, Plateau, lr_at, momentum_at


@pytest.mark.parametrize("schedule", sorted(set(LR_SCHEDULES) - {"constant", "plateau"}))
def test_lr_ends_at_its_end(schedule: str) -> None:
    assert lr_at(1.0, schedule=schedule, lr=0.03, lr_end=0.0001, warmup=0.1) == pytest.approx(0.0001)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "flat-cosine"])
def test_lr_starts_at_its_start_and_never_rises(schedule: str) -> None:
    values = [lr_at(step / 50, schedule=schedule, lr=0.03, lr_end=0.0001, warmup=0.0) for step in range(51)]
    assert values[0] == pytest.approx(0.03)
    assert values == sorted(values, reverse=True)


def test_the_linear_schedules_of_the_course() -> None:
    assert lr_at(0.5, schedule="linear", lr=0.03, lr_end=0.0001, warmup=0.0) == pytest.approx(0.01505)
    assert momentum_at(0.5, schedule="linear", momentum=0.9, momentum_end=0.999) == pytest.approx(0.9495)


def test_warmup_rises_from_zero_and_then_the_schedule_begins() -> None:
    at = {p: lr_at(p, schedule="linear", lr=1.0, lr_end=0.0, warmup=0.2) for p in (0.0, 0.1, 0.2, 0.6)}
    assert at == pytest.approx({0.0: 0.0, 0.1: 0.5, 0.2: 1.0, 0.6: 0.5})


def test_flat_cosine_is_flat_for_seven_tenths() -> None:
    at = [lr_at(p, schedule="flat-cosine", lr=1.0, lr_end=0.0, warmup=0.0) for p in (0.0, 0.69, 0.85)]
    assert at == pytest.approx([1.0, 1.0, 0.5])


def test_one_cycle_moves_lr_and_momentum_against_each_other() -> None:
    lrs = [lr_at(p, schedule="one-cycle", lr=1.0, lr_end=0.0, warmup=0.5) for p in (0.0, 0.3, 1.0)]
    momenta = [momentum_at(p, schedule="one-cycle", momentum=0.95, momentum_end=0.85) for p in (0.0, 0.3, 1.0)]
    assert lrs == pytest.approx([0.04, 1.0, 0.0])
    assert momenta == pytest.approx([0.95, 0.85, 0.95])


@pytest.mark.parametrize("schedule", [LR_SCHEDULES["constant"], MOMENTUM_SCHEDULES["constant"]])
def test_constant_ignores_the_end(schedule) -> None:
    assert schedule(0.9, 0.1, 0.7) == 0.9


def test_a_plateau_lowers_the_rate_each_time_the_error_has_not_fallen_for_some_epochs() -> None:
    plateau = Plateau(factor=0.5, patience=2)
    shares = []
    for error in (5.0, 4.0, 4.0, 4.0, 3.0, 3.5, 3.0, 9.0, float("nan")):
        plateau.offer(error)
        shares.append(plateau.share)
    assert shares == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]


@pytest.mark.parametrize(("progress", "share", "expected"), [(0.05, 1, 0.1), (0.5, 0.5, 0.1), (0.9, 0.25, 0.06)])
def test_a_plateau_s_rate_warms_up_and_ends_no_lower_than_lr_end(progress, share, expected) -> None:
    lr = lr_at(progress, schedule="plateau", lr=0.2, lr_end=0.06, warmup=0.1, share=share)
    assert lr == pytest.approx(expected)
    assert lr_at(0.9, schedule="constant", lr=0.2, lr_end=0.06, warmup=0.1, share=share) == 0.2
