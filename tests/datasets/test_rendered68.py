"""The 68 points of rendered faces: on what is drawn, mirrored with the head, and no change to the fifteen."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from harness.benchmark import load_benchmark
from harness.datasets.rendered import kaggle_labels, render
from harness.datasets.rendered.camera import Camera, rotate
from harness.datasets.rendered.face import render_face
from harness.datasets.rendered.features import Expression, Features, Proportions
from harness.datasets.rendered.imaging import develop
from harness.datasets.rendered.markup import markup_of
from harness.datasets.rendered.shape import Head
from harness.datasets.rendered.stream import Stream
from harness.keypoints import IBUG68

MARKUP = markup_of(IBUG68)
FURTHER = np.linspace(-0.15, 0.15, 61)
"""Places along a line through a keypoint, down the face, in eye distances; 0.03 is a pixel of a picture of 96."""


def a_head(index: int) -> Head:
    return Head(Features(Proportions.draw(Stream(index, "who")), Expression.draw(Stream(index, "what"))))


@pytest.fixture(scope="module")
def plain_faces() -> list[tuple[np.ndarray, np.ndarray]]:
    """Large faces without glasses, hands or a camera's faults."""
    faces = [render_face(5, index, (192, 192), IBUG68, imaging=develop, occlusion=False) for index in range(60)]
    return [(picture.astype(np.float32), keypoints) for picture, keypoints in faces]


def profile(picture: np.ndarray, keypoints: np.ndarray, numbers: list[int]) -> np.ndarray:
    """Brightness (61,) at FURTHER, as a mean over the points of these numbers of iBUG."""
    across = keypoints[45] - keypoints[36]  # from one outer eye corner to the other, 1.4 eye distances
    unit = np.linalg.norm(across) / 1.4
    down = np.array([-across[1], across[0]]) / np.linalg.norm(across)
    places = (keypoints[np.array(numbers) - 1][:, None] + unit * FURTHER[:, None] * down).astype(np.float32)
    return cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_LINEAR).mean(axis=0)


def darkest(brightness: np.ndarray) -> int:
    return int(brightness.argmin())


def brightening(brightness: np.ndarray) -> int:
    return int(np.gradient(brightness).argmax())


def darkening(brightness: np.ndarray) -> int:
    return int(np.gradient(brightness).argmin())


@pytest.mark.parametrize(
    ("numbers", "drawn"),
    [
        pytest.param([18, 19, 20, 21, 22, 23, 24, 25, 26, 27], darkest, id="the hairs of the brows"),
        pytest.param([38, 39, 44, 45], darkening, id="the lashes of the upper lids"),
        pytest.param([41, 42, 47, 48], brightening, id="the rims of the lower lids"),
        pytest.param([33, 35], brightening, id="the lower rims of the nostrils"),
        pytest.param([32, 34, 36], darkest, id="the line below the nose"),
        pytest.param([61, 65], darkest, id="the corners of the opening"),
        pytest.param([62, 63, 64], darkest, id="the upper lip's line"),
        pytest.param([66, 67, 68], brightening, id="the lower lip, below the opening"),
        pytest.param([9], darkest, id="the shadow below the chin"),
    ],
)
def test_points_lie_on_what_is_drawn(plain_faces, numbers, drawn) -> None:
    offsets = [FURTHER[drawn(profile(*face, numbers))] for face in plain_faces]

    assert abs(np.median(offsets)) < 0.03


def test_the_upper_lips_edge_lies_where_skin_becomes_lip(plain_faces, monkeypatch) -> None:
    monkeypatch.setattr("harness.datasets.rendered.face.illuminate", lambda surface, *_: surface.albedo)
    offsets = []
    for index in range(60):
        picture, keypoints = render_face(5, index, (192, 192), IBUG68, imaging=develop, occlusion=False)
        brightness = profile(picture.astype(np.float32), keypoints, [50, 51, 52, 53, 54])
        span = slice(13, 43)  # from the skin above to the middle of the lip
        skin, lip = brightness[span][0], brightness[span][-1]
        if lip < 0.88 * skin:  # lips that differ from the skin
            offsets.append(FURTHER[span][np.abs(brightness[span] - (skin + lip) / 2).argmin()])

    assert len(offsets) > 30
    assert abs(np.median(offsets)) < 0.03


def test_the_jaw_of_a_cheek_turned_away_lies_on_the_outline() -> None:
    away = []
    for index in range(80):
        head = a_head(index)
        camera = Camera.draw(Stream(index, "where"), head, (192, 192), MARKUP)
        sideways = camera.rotation[0, 2]  # where the nose points to
        if abs(sideways) > 0.2:
            on_head = np.isfinite(camera.trace(head.radius)[2]).astype(np.uint8)
            from_outline = cv2.distanceTransform(np.pad(on_head, 1), cv2.DIST_L2, 5)[1:-1, 1:-1] / camera.focal
            points = camera.project(MARKUP.points(head, camera.rotation))
            for x, y in np.rint(points[[13, 14, 15] if sideways > 0 else [1, 2, 3]]).astype(int):
                away.append(from_outline[y, x])

    assert len(away) > 60
    assert np.median(away) < 0.05 and np.percentile(away, 90) < 0.08


def test_beyond_the_chin_and_the_jaws_edge_the_neck_lies_further_back() -> None:
    for index in range(20):
        head = a_head(index)
        points = MARKUP.points(head, np.eye(3))[5:12]
        angle = np.arctan2(points[:, 0], points[:, 2])
        inside, outside = (np.hypot(*head.at(angle, points[:, 1] + by)[:, [0, 2]].T) for by in (-0.1, 0.1))

        assert (inside > outside).all()


def test_a_mirrored_head_has_mirrored_points() -> None:
    head = a_head(0)
    p, e = head.features.proportions, head.features.expression
    other = Head(Features(replace(p, skew=-p.skew), replace(e, gaze=(-e.gaze[0], e.gaze[1]), brow_skew=-e.brow_skew)))
    for yaw, pitch, roll in [(0.0, 0.0, 0.0), (0.4, 0.1, 0.2), (-0.8, -0.2, 0.1)]:
        camera = Camera(rotate(yaw, pitch, roll), 30.0, (47.5, 31.0), (96, 96))
        mirror = Camera(rotate(-yaw, pitch, -roll), 30.0, (47.5, 31.0), (96, 96))
        seen, seen_in_mirror = (
            view.project(MARKUP.points(which, view.rotation)) for view, which in ((camera, head), (mirror, other))
        )

        assert np.allclose(seen_in_mirror, IBUG68.flip(seen, 96), atol=0.1)  # the surface is sampled


def test_the_points_of_the_jaw_keep_their_order_and_distance() -> None:
    for index in range(300):
        head = a_head(index)
        camera = Camera.draw(Stream(index, "where"), head, (96, 96), MARKUP)
        if abs(camera.rotation[0, 2]) > 0.7:
            continue  # nearly in profile the chin is its own outline, and its neighbours crowd there
        jaw = camera.project(MARKUP.points(head, camera.rotation))[:17]

        assert np.linalg.norm(np.diff(jaw, axis=0), axis=1).min() > 1.5


@pytest.mark.parametrize("size", [(96, 96), (48, 64)])
def test_every_point_is_on_the_picture_a_pixel_from_its_edge(size: tuple[int, int]) -> None:
    _, keypoints = render(4, 40, size, IBUG68)

    edge = min(size) / 96
    last = np.array([size[1] - 1, size[0] - 1])
    assert keypoints.shape == (40, 68, 2)
    assert (keypoints >= edge - 1e-3).all() and (keypoints <= last - edge + 1e-3).all()


def test_several_processes_draw_what_one_draws() -> None:
    images, keypoints = render(5, 60, (96, 96), IBUG68)

    for index in (0, 59):
        image, points = render_face(5, index, (96, 96), IBUG68)
        np.testing.assert_array_equal(images[index], image)
        np.testing.assert_array_equal(keypoints[index], points.astype(np.float32))


def test_the_fifteen_points_and_their_pictures_have_not_changed() -> None:
    # Entries on the boards of rendered and rendered-full name the fingerprint of these faces. Raise VERSION, and grade
    # the boards anew, where they must change.
    images, keypoints = render(0, 12)

    digest = hashlib.sha256(images.tobytes() + keypoints.tobytes()).hexdigest()
    assert digest == "05bb1f250b284de5e6aebc69aea1a1cf543d098838d70f718938a3d1209d96a1"


def test_the_poorer_of_two_label_sources_marks_five_points() -> None:
    labelled = ~np.isnan(kaggle_labels(7, np.zeros((200, 68, 2), np.float32), 0.3, lost=0.0, layout=IBUG68)).any(axis=2)

    assert set(labelled.sum(axis=1).tolist()) == {5, 68}


def test_the_card_draws_68_points() -> None:
    benchmark = load_benchmark("rendered68")

    assert benchmark.layout == IBUG68 and benchmark.data.reader == "rendered"
