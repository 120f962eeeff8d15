"""Whole subjects in an order, and in folds."""

import numpy as np

from harness.subjects import folds_by_subject, order_by_hash


def test_the_order_is_the_same_on_every_machine_and_another_with_another_seed() -> None:
    subjects = np.arange(10, 18)
    assert order_by_hash(subjects).tolist() == [3, 7, 0, 1, 2, 4, 6, 5]
    assert order_by_hash(subjects, 3).tolist() != order_by_hash(subjects).tolist()


def test_subjects_that_are_added_do_not_change_the_order_of_the_others() -> None:
    before, after = (subjects[order_by_hash(subjects)].tolist() for subjects in (np.arange(8), np.arange(20)))
    assert [subject for subject in after if subject < 8] == before


def test_folds_keep_subjects_together_and_are_even_however_the_rows_are_ordered() -> None:
    subjects = np.random.default_rng(0).integers(0, 40, size=300)

    fold = folds_by_subject(subjects, 3)

    assert all(len(set(fold[subjects == subject])) == 1 for subject in range(40))
    assert np.ptp(np.bincount(fold, minlength=3)) < 15
    np.testing.assert_array_equal(folds_by_subject(subjects[::-1], 3), fold[::-1])
