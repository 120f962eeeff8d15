"""Rendered faces: the same from the same seed, and with keypoints where the features are drawn."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import psutil
import pytest

from harness.datasets.rendered import kaggle_labels, render, sheet
from harness.datasets.rendered.camera import Camera, rotate
from harness.datasets.rendered.face import render_face
from harness.datasets.rendered.features import Expression, Features, Proportions
from harness.datasets.rendered.imaging import develop
from harness.datasets.rendered.shape import Head
from harness.datasets.rendered.stream import Stream
from harness.keypoints import FACE15

LEFT_EYE, RIGHT_EYE = FACE15.index("left_eye_center"), FACE15.index("right_eye_center")
LEFT_CORNER, RIGHT_CORNER = FACE15.index("mouth_left_corner"), FACE15.index("mouth_right_corner")


def a_head(index: int) -> Head:
    return Head(Features(Proportions.draw(Stream(index, "who")), Expression.draw(Stream(index, "what"))))


@pytest.fixture(scope="module")
def plain_faces() -> list[tuple[np.ndarray, np.ndarray]]:
    """Large faces without glasses, hands or a camera's faults."""
    faces = [render_face(5, index, (192, 192), imaging=develop, occlusion=False) for index in range(60)]
    return [(picture.astype(np.float32), keypoints) for picture, keypoints in faces]


@pytest.fixture(scope="module")
def views() -> np.ndarray:
    """Keypoints (200, 15, 2) of heads as cameras see them."""
    heads = [a_head(index) for index in range(200)]
    cameras = [Camera.draw(Stream(index, "where"), head, (96, 96)) for index, head in enumerate(heads)]
    return np.stack([camera.project(head.keypoints) for camera, head in zip(cameras, heads, strict=True)])


def test_a_seed_gives_the_same_faces_and_a_longer_set_begins_with_the_shorter():
    images, keypoints = render(3, 6)
    more_images, more_keypoints = render(3, 9)
    assert images.shape == (6, 96, 96) and images.dtype == np.uint8
    assert keypoints.shape == (6, 15, 2) and keypoints.dtype == np.float32
    assert np.array_equal(more_images[:6], images) and np.array_equal(more_keypoints[:6], keypoints)


def test_seeds_up_to_128_bits_give_different_faces():
    pictures = [render(seed, 1)[0] for seed in (0, 1, 2**127, 2**127 + 1)]
    assert len({picture.tobytes() for picture in pictures}) == 4


@pytest.mark.parametrize("size", [(48, 48), (96, 128)])
def test_any_size_holds_the_face(size: tuple[int, int]):
    images, keypoints = render(1, 3, size)
    assert images.shape == (3, *size)
    assert np.abs(keypoints.mean(axis=1) - [size[1] / 2, size[0] / 2]).max() < min(size) / 4


def test_progress_is_told_face_by_face():
    told: list[tuple[int, int]] = []
    render(0, 3, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_dark_of_the_eye_lies_at_the_eye_centre(plain_faces):
    away = []
    for picture, keypoints in plain_faces:
        unit = np.linalg.norm(keypoints[LEFT_EYE] - keypoints[RIGHT_EYE])
        rows, columns = np.indices(picture.shape)
        for x, y in keypoints[[LEFT_EYE, RIGHT_EYE]]:
            near = np.hypot(columns - x, rows - y) < 0.17 * unit
            dark = np.where(near, np.maximum(np.percentile(picture[near], 35) - picture, 0), 0)
            away.append(
                np.array([(dark * columns).sum(), (dark * rows).sum()]) / dark.sum() / unit - [x / unit, y / unit]
            )
    assert np.abs(np.median(away, axis=0)).max() < 0.03  # eye distances: one pixel of a 96-pixel picture
    assert np.percentile(np.linalg.norm(away, axis=1), 90) < 0.08


def test_the_line_between_the_lips_ends_at_the_corners_of_the_mouth(plain_faces):
    ends = []
    for picture, keypoints in plain_faces:
        unit = np.linalg.norm(keypoints[LEFT_EYE] - keypoints[RIGHT_EYE])
        for corner, other in ((LEFT_CORNER, RIGHT_CORNER), (RIGHT_CORNER, LEFT_CORNER)):
            outward = (keypoints[corner] - keypoints[other]) / np.linalg.norm(keypoints[corner] - keypoints[other])
            along, across = np.meshgrid(np.linspace(-0.25, 0.25, 51), np.linspace(-0.06, 0.06, 7))
            x = keypoints[corner, 0] + unit * (outward[0] * along - outward[1] * across)
            y = keypoints[corner, 1] + unit * (outward[1] * along + outward[0] * across)
            strip = cv2.remap(picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
            darkest = np.convolve(strip.min(axis=0), np.ones(5) / 5, mode="same")[2:-2]
            ends.append(along[0, 2:-2][np.gradient(darkest).argmax()])
    assert abs(np.median(ends)) < 0.03
    assert np.percentile(np.abs(ends), 75) < 0.06


def test_a_mirrored_head_has_mirrored_keypoints():
    head = a_head(0)
    p, e = head.features.proportions, head.features.expression
    other = Features(replace(p, skew=-p.skew), replace(e, gaze=(-e.gaze[0], e.gaze[1]), brow_skew=-e.brow_skew))
    camera = Camera(rotate(0.4, 0.1, 0.2), 30.0, (47.5, 31.0), (96, 96))
    mirror = Camera(rotate(-0.4, 0.1, -0.2), 30.0, (47.5, 31.0), (96, 96))
    expected = FACE15.flip(camera.project(head.keypoints), 96)
    assert np.allclose(mirror.project(Head(other).keypoints), expected, atol=0.05)  # the surface is sampled


def test_left_and_right_are_alike_over_many_faces(views):
    spread = views.std(axis=0) / len(views) ** 0.5
    assert (np.abs(FACE15.flip(views, 96).mean(axis=0) - views.mean(axis=0)) < 4 * 2**0.5 * spread).all()


def test_poses_spread(views):
    eyes = views[:, LEFT_EYE] - views[:, RIGHT_EYE]
    unit = np.linalg.norm(eyes, axis=1)
    roll = np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0]))
    nose = views[:, FACE15.index("nose_tip")] - views[:, [LEFT_EYE, RIGHT_EYE]].mean(axis=1)
    sideways = (nose * eyes).sum(axis=1) / unit**2
    assert 5 < roll.std() < 12
    assert 0.12 < sideways.std() < 0.3  # the nose moves beside the eyes' middle as the head turns


@pytest.mark.parametrize("seed", range(10))
def test_faces_of_any_seed_are_drawn_with_every_keypoint_on_the_picture(seed: int):
    images, keypoints = render(seed, 20)
    assert images.std(axis=(1, 2)).min() > 5
    assert keypoints.min() >= 0 and keypoints.max() <= 95


@pytest.mark.parametrize(("seed", "index"), [(0, 66), (3, 252), (7, 651), (9, 126)])
@pytest.mark.parametrize("side", [96, 48])
def test_a_crop_that_would_cut_off_a_keypoint_ends_a_pixel_beyond_it(seed: int, index: int, side: int):
    _, keypoints = render_face(seed, index, (side, side))
    assert min(keypoints.min(), side - 1 - keypoints.max()) == pytest.approx(side / 96)


def test_kaggle_labels_leave_four_keypoints_on_most_rows():
    keypoints = np.zeros((4000, 15, 2), np.float32)
    labelled = ~np.isnan(kaggle_labels(7, keypoints)).any(axis=2)
    assert labelled.all(axis=1).mean() == pytest.approx(2140 / 7049, abs=0.03)
    assert not np.isnan(keypoints).any()
    poor = labelled.sum(axis=1) <= 4
    kept = labelled[poor].mean(axis=0) > 0.5
    assert {FACE15.keypoints[k] for k in np.flatnonzero(kept)} == {
        "left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip",
    }  # fmt: skip
    assert 0.990 < labelled[poor][:, kept].mean() < 1.0


def test_kaggle_labels_of_a_row_do_not_depend_on_the_rows_after_it():
    keypoints = np.ones((30, 15, 2), np.float32)
    assert np.array_equal(kaggle_labels(1, keypoints)[:10], kaggle_labels(1, keypoints[:10]), equal_nan=True)
    assert not np.isnan(kaggle_labels(1, keypoints, 1.0, lost=0.0)).any()


def test_the_sheet_draws_every_labelled_keypoint_in_its_groups_colour():
    images = np.zeros((5, 96, 96), np.uint8)
    keypoints = np.full((5, 15, 2), np.nan, np.float32)
    keypoints[4, FACE15.index("nose_tip")] = 40, 50
    page = sheet(images, keypoints, columns=4, zoom=2)
    assert page.shape == (2 * 96 * 2, 4 * 96 * 2, 3)
    rows, columns = np.nonzero(page.any(axis=2))
    assert rows.mean() == pytest.approx(192 + 100.5, abs=0.6) and columns.mean() == pytest.approx(80.5, abs=0.6)
    assert page[292, 80].tolist() == [0, 0, 255]


def test_many_faces_drawn_by_several_processes_are_those_drawn_one_by_one() -> None:
    images, keypoints = render(5, 60)

    for index in (0, 1, 58, 59):
        image, points = render_face(5, index, (96, 96))
        np.testing.assert_array_equal(images[index], image)
        np.testing.assert_array_equal(keypoints[index], points.astype(np.float32))


def test_a_seed_stands_on_no_command_line() -> None:
    # Every user of the machine can see those, and the seed may be a secret.
    seed, seen = 2**100 + 7, []

    def look(done: int, total: int) -> None:
        if done == 1:
            seen.extend(child.cmdline() for child in psutil.Process().children())

    render(seed, 60, progress=look)

    assert any("harness.datasets.rendered" in line for line in seen)
    assert not any(str(seed) in word for line in seen for word in line)


def test_a_caller_that_gives_up_leaves_no_process_behind() -> None:
    def give_up(done: int, total: int) -> None:
        raise KeyboardInterrupt

    before = psutil.Process().children(recursive=True)
    with pytest.raises(KeyboardInterrupt):
        render(0, 1000, progress=give_up)

    assert psutil.Process().children(recursive=True) == before
