"""What differences between rows of a board mean."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.board.ties import Comparisons, Contestant, faces_to_separate, holm, standings
from harness.estimates import Bootstrap

PEOPLE = np.arange(100)
RNG = np.random.default_rng(0)
HARD = RNG.normal(2, 0.5, 100)
"""How hard each face is for everybody."""


def row(*trainings: np.ndarray, kept: bool = True) -> Contestant:
    """One with these errors of each person in each training."""
    bootstrap = Bootstrap(PEOPLE)
    shares = np.stack([bootstrap.shares(errors) for errors in trainings])
    return Contestant(bootstrap.mean(np.mean(trainings, axis=0)), shares if kept else None, faces=100)


def near(difference: float, spread: float = 0.1) -> np.ndarray:
    """Errors that are larger than `HARD` by this, and by something else for each person."""
    other = RNG.normal(0, spread, 100)
    return HARD + difference + other - other.mean()


def test_the_test_is_the_paired_t_test() -> None:
    from scipy.stats import ttest_rel

    first, second = near(0), near(0.02)

    (p,) = Comparisons([row(first), row(second)]).p_values(0, np.array([1]))

    assert p == pytest.approx(ttest_rel(first, second).pvalue)


def test_holms_correction_of_four_p_values() -> None:
    """The second of four counts three times, and none is below one that was smaller."""
    assert holm(np.array([0.04, 0.01, 0.03, 0.005])) == pytest.approx([0.06, 0.03, 0.06, 0.02])


def test_rows_that_are_not_significantly_different_from_the_first_share_a_group() -> None:
    rows = [row(near(each)) for each in (0, 0.01, 0.5, 0.51, 2)]

    found = standings(rows)

    assert [each.tie_group for each in found] == [1, 1, 2, 2, 3]
    assert found[0].p_best is None and found[0].p_above is None
    assert found[1].p_best >= 0.05 > found[2].p_best
    assert found[3].p_above >= 0.05 > found[4].p_above


def test_a_row_that_varies_more_may_be_tied_with_the_best_below_one_that_is_not() -> None:
    rows = [row(near(0)), row(near(0.1, 0.01)), row(near(0.11, 3))]

    assert [each.tie_group for each in standings(rows)] == [1, 2, 1]


def test_many_equal_rows_are_one_group_whatever_chance_makes_of_them() -> None:
    """Without the correction, some of them would differ from the best."""
    rows = sorted((row(HARD + RNG.normal(0, 0.1, 100)) for _ in range(60)), key=lambda each: each.score.value)

    uncorrected = Comparisons(rows).p_values(0, np.arange(1, 60))

    assert (uncorrected < 0.05).any()
    assert {each.tie_group for each in standings(rows)} == {1}


def test_one_trainings_luck_is_not_taken_for_a_difference() -> None:
    """The people say that they differ; so does each training from the next."""
    lucky = [near(each, 0.01) for each in (0, 0.2, 0.1)]
    others = [near(each, 0.01) for each in (0.25, 0.05, 0.12)]

    assert [each.tie_group for each in standings([row(lucky[0]), row(others[0])])] == [1, 2]
    assert [each.tie_group for each in standings([row(*lucky), row(*others)])] == [1, 1]


def test_without_what_each_person_adds_the_intervals_are_compared() -> None:
    pair = [row(near(0, 0.01)), row(near(0.05, 0.01))]
    assert [each.tie_group for each in standings(pair)] == [1, 2]

    unpaired = [pair[0], row(near(0.05, 0.01), kept=False)]
    assert [each.tie_group for each in standings(unpaired)] == [1, 1]
    far = [pair[0], row(near(2), kept=False)]
    assert [each.tie_group for each in standings(far)] == [1, 2]


def test_the_same_predictions_twice_are_tied_and_no_number_of_faces_separates_them() -> None:
    twice = [row(HARD), row(HARD)]

    assert [(each.tie_group, each.p_best) for each in standings(twice)] == [(1, None), (1, 1.0)]
    assert faces_to_separate(*twice) == math.inf


def test_how_many_more_faces_would_separate_two() -> None:
    """The difference is one standard error, and 2.8 are found in 80 % of cases."""
    differences = np.where(PEOPLE % 2, 1.0, -1.0)
    error = 1 / math.sqrt(99)

    more = faces_to_separate(row(HARD), row(HARD + differences + error))

    assert more == pytest.approx(100 * (2.8016**2 - 1), rel=1e-3)
    assert faces_to_separate(row(HARD), row(HARD + 1)) is None


@pytest.mark.parametrize("count", [0, 1])
def test_a_board_of_few_rows_has_nothing_to_compare(count: int) -> None:
    assert [each.tie_group for each in standings([row(HARD)] * count)] == [1] * count
