"""Splits by subject, and the groups of near-duplicates that stand in for subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.datasets import split as split_module
from harness.datasets.faces import FaceSet
from harness.datasets.split import near_duplicate_groups, split_by_subject
from harness.errors import DataError
from harness.keypoints import FACE15

Images = NDArray[np.uint8]


def pictures(count: int, seed: int = 0) -> Images:
    """Soft blobs, each picture with blobs of its own: as smooth as faces, and nothing alike."""
    coarse = np.random.default_rng(seed).integers(0, 200, (count, 8, 8), dtype=np.uint8)
    return np.stack([cv2.resize(image, (96, 96), interpolation=cv2.INTER_CUBIC) for image in coarse])


def faces_of(subjects: list[int], labelled: list[int]) -> FaceSet:
    """Faces of these subjects, each with its first so many keypoints labelled."""
    keypoints = np.random.default_rng(0).uniform(0, 95, (len(subjects), 15, 2)).astype(np.float32)
    for row, count in enumerate(labelled):
        keypoints[row, count:] = np.nan
    images = np.zeros((len(subjects), 96, 96), np.uint8)
    images[:, 0, 0] = np.arange(len(subjects))  # so that a row can be told apart
    return FaceSet(images, keypoints, np.array(subjects), FACE15)


def crowd(seed: int = 0) -> FaceSet:
    """200 faces of 40 subjects: half of them fully labelled, others partly or not at all."""
    random = np.random.default_rng(seed)
    return faces_of(random.integers(0, 40, 200).tolist(), random.choice([15, 15, 4, 0], 200).tolist())


def subjects_of(faces: FaceSet) -> set[int]:
    return set(faces.subjects.tolist())


SEEDS = range(8)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("held_out", [0.05, 0.2, 0.5])
def test_no_subject_stands_on_both_sides(seed: int, held_out: float) -> None:
    faces = crowd(seed)
    split = split_by_subject(faces, held_out, seed, "data")
    assert not subjects_of(split.training) & subjects_of(split.held_out)
    assert split.held_out.complete.sum() >= held_out * faces.complete.sum()
    assert split.held_out.labelled.any(axis=1).all()
    gone = subjects_of(faces) - subjects_of(split.training)
    kept = [row for row in range(200) if faces.subjects[row] not in gone]
    np.testing.assert_array_equal(split.training.images[:, 0, 0], kept)


def test_strata_part_the_held_out_rows() -> None:
    split = split_by_subject(crowd(), 0.2, 0, "data")
    assert list(split.strata) == ["full", "partial"]
    np.testing.assert_array_equal(split.strata["full"], split.held_out.complete)
    np.testing.assert_array_equal(split.strata["partial"], ~split.held_out.complete)


def test_there_is_no_partial_stratum_without_partly_labelled_rows() -> None:
    split = split_by_subject(faces_of([1, 2, 3, 3], [15, 15, 15, 0]), 0.5, 0, "data")
    assert list(split.strata) == ["full"]


def test_no_more_subjects_are_held_out_than_needed() -> None:
    split = split_by_subject(faces_of(list(range(10)), [15] * 10), 0.25, 0, "data")
    assert len(split.held_out) == 3


def test_the_same_split_comes_again_whatever_the_order_of_rows() -> None:
    faces = crowd()
    split = split_by_subject(faces, 0.2, 3, "data")
    again = split_by_subject(faces, 0.2, 3, "data")
    turned = split_by_subject(faces.take(np.arange(200)[::-1]), 0.2, 3, "data")
    np.testing.assert_array_equal(split.held_out.images, again.held_out.images)
    assert split.fingerprint == again.fingerprint
    assert subjects_of(split.held_out) == subjects_of(turned.held_out)


def test_seeds_hold_out_different_subjects() -> None:
    held_out = {frozenset(subjects_of(split_by_subject(crowd(), 0.2, seed, "data").held_out)) for seed in SEEDS}
    assert len(held_out) == len(SEEDS)


def test_the_fingerprint_is_of_the_data_the_share_and_the_seed() -> None:
    ways = [(0.2, 0, "data"), (0.3, 0, "data"), (0.2, 1, "data"), (0.2, 0, "other data")]
    assert len({split_by_subject(crowd(), *way).fingerprint for way in ways}) == len(ways)


@pytest.mark.parametrize("subject", range(0, 40, 7))
def test_more_rows_of_a_subject_move_nobody_unless_the_share_asks(subject: int) -> None:
    faces = crowd()
    before = subjects_of(split_by_subject(faces, 0.2, 0, "data").held_out)

    def with_rows(count: int, labelled: int) -> set[int]:
        more = faces_of([*faces.subjects.tolist(), *[subject] * count], [15] * 200 + [labelled] * count)
        keypoints = np.concatenate([faces.keypoints, more.keypoints[200:]])
        return subjects_of(split_by_subject(replace(more, keypoints=keypoints), 0.2, 0, "data").held_out)

    assert with_rows(30, labelled=4) - {subject} == before - {subject}
    after = with_rows(30, labelled=15)
    assert after <= before or before <= after  # the queue is the same, only its cut may move


@pytest.mark.parametrize(
    ("subjects", "labelled", "held_out", "problem"),
    [
        ([5, 5], [15, 15], 0.5, "every row shows the same subject.*; add faces of other subjects"),
        ([1, 2], [4, 14], 0.5, "no row has all its keypoints.*; add fully labelled rows"),
        ([1, 2], [15, 15], 0.9, "takes 2 of 2 subjects and leaves no labelled face.*; choose a smaller share"),
        ([1, 2], [15, 15], 0.0, "held_out = 0.0 leaves one side of the split empty; choose a share between"),
        ([1, 2], [15, 15], 1.0, "held_out = 1.0 leaves one side of the split empty; choose a share between"),
    ],
)
def test_data_that_cannot_be_split_is_refused(
    subjects: list[int], labelled: list[int], held_out: float, problem: str
) -> None:
    with pytest.raises(DataError, match=problem):
        split_by_subject(faces_of(subjects, labelled), held_out, 0, "data")


# Near-duplicates


def copy(images: Images) -> Images:
    return images.copy()


def noisy(images: Images) -> Images:
    noise = np.random.default_rng(1).normal(0, 3, images.shape)
    return np.clip(images + noise, 0, 255).round().astype(np.uint8)


def brighter(images: Images) -> Images:
    return images + np.uint8(25)


def shifted(images: Images) -> Images:
    return np.pad(images, ((0, 0), (0, 0), (1, 0)), mode="edge")[:, :, :-1]


def jpeg(images: Images) -> Images:
    return np.stack([cv2.imdecode(cv2.imencode(".jpg", image)[1], cv2.IMREAD_GRAYSCALE) for image in images])


@pytest.mark.parametrize("edit", [copy, noisy, brighter, shifted, jpeg])
def test_edited_copies_are_found_and_others_are_not(edit: Callable[[Images], Images]) -> None:
    originals = pictures(50)
    groups = near_duplicate_groups(np.concatenate([originals, edit(originals)]))
    np.testing.assert_array_equal(groups, np.tile(np.arange(50), 2))


def test_a_chain_of_near_duplicates_is_one_group() -> None:
    chain = [pictures(1)]
    while len(chain) < 8:
        chain.append(shifted(chain[-1]))
    ends = np.concatenate([chain[0], chain[-1]])
    assert near_duplicate_groups(ends).tolist() == [0, 1]
    assert near_duplicate_groups(np.concatenate(chain)).tolist() == [0] * 8


def test_groups_do_not_depend_on_how_many_rows_are_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.concatenate([pictures(20), shifted(pictures(20)), shifted(shifted(pictures(20)))])
    whole = near_duplicate_groups(images)
    monkeypatch.setattr(split_module, "CHUNK_ROWS", 7)
    np.testing.assert_array_equal(near_duplicate_groups(images), whole)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_near_duplicate_stands_on_both_sides(seed: int) -> None:
    images = np.concatenate([pictures(30), noisy(pictures(30))])
    faces = faces_of(near_duplicate_groups(images).tolist(), [15] * 60)
    split = split_by_subject(faces, 0.3, seed, "data")
    held_out = set(split.held_out.images[:, 0, 0].tolist())
    assert held_out
    assert {(row + 30) % 60 for row in held_out} == held_out
