"""Augmentation: the picture and its keypoints move together."""

import math

import numpy as np
import pytest
import torch

from harness.keypoints import FACE15, KeypointLayout
from harness.learning.augment import Augmenter
from harness.learning.recipe import Recipe

HEIGHT, WIDTH = 80, 96
CPU = torch.device("cpu")
OFF = {"flip": 0.0, "rotation": 0.0, "scale": 0.0, "shift": 0.0, "brightness": 0.0, "contrast": 0.0}
MOVES = {
    "nothing": {},
    "flip": {"flip": 1.0},
    "rotation": {"rotation": 30.0},
    "scale": {"scale": 0.3},
    "shift": {"shift": 8.0},
    "flip and rotation": {"flip": 1.0, "rotation": 30.0},
    "everything": {"flip": 0.5, "rotation": 30.0, "scale": 0.2, "shift": 8.0},
}


def augmenter(**tricks) -> Augmenter:
    return Augmenter(Recipe(**OFF).with_changes(**tricks), FACE15, (HEIGHT, WIDTH), CPU)


def as_on_a_gpu(**tricks) -> Augmenter:
    """The path of other devices, computed on this one."""
    made = augmenter(**tricks)
    made.warps_bytes = False
    return made


def dot(x: float, y: float, width: float = 2.0) -> np.ndarray:
    """A soft white dot at (x, y)."""
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    return np.round(255 * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * width**2))).astype(np.uint8)


def centre_of_mass(picture: np.ndarray) -> np.ndarray:
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    picture = np.where(picture > 0.05, picture, 0)
    return np.array([(picture * xs).sum(), (picture * ys).sum()]) / picture.sum()


def test_the_number_of_threads_changes_nothing_and_is_followed() -> None:
    images, keypoints = faces_of_noise(7)
    made, pictures = augmenter(rotation=30.0, gamma=0.5), []
    before = torch.get_num_threads()
    try:
        for threads in (2, 1, 3):
            torch.set_num_threads(threads)
            pictures.append(made(images, keypoints, generator())[0])
    finally:
        torch.set_num_threads(before)
    assert torch.equal(pictures[0], pictures[1]) and torch.equal(pictures[0], pictures[2])


def faces_of_noise(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, HEIGHT, WIDTH), dtype=np.uint8)
    return torch.from_numpy(images), torch.from_numpy(rng.uniform(0, 80, (count, 15, 2)).astype(np.float32))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("make", [augmenter, as_on_a_gpu], ids=["cpu", "gpu"])
@pytest.mark.parametrize("moves", MOVES.values(), ids=MOVES)
def test_a_dot_drawn_at_a_keypoint_is_found_at_the_moved_keypoint(moves, make) -> None:
    points = np.random.default_rng(0).uniform((33, 28), (62, 51), (15, 2)).astype(np.float32)
    images = torch.from_numpy(np.stack([dot(*point) for point in points]))
    keypoints = torch.from_numpy(np.tile(points, (15, 1, 1)))
    pictures, moved = make(**moves)(images, keypoints, generator())
    for row, picture in enumerate(pictures[:, 0].numpy()):
        distance = np.linalg.norm(moved[row].numpy() - centre_of_mass(picture), axis=1)
        found = distance.argmin()
        assert distance[found] < 1 / 3
        assert found in (row, FACE15.swap[row])


def test_a_flip_is_the_layouts_own() -> None:
    points = np.random.default_rng(0).uniform(5, 75, (4, 15, 2)).astype(np.float32)
    images = torch.randint(0, 256, (4, HEIGHT, WIDTH), dtype=torch.uint8, generator=generator())
    pictures, moved = augmenter(flip=1.0)(images, torch.from_numpy(points), generator())
    np.testing.assert_allclose(moved.numpy(), FACE15.flip(points, WIDTH), atol=1e-4)
    torch.testing.assert_close(pictures[:, 0], images.flip(-1) / 255)


def test_half_of_the_images_are_flipped_and_only_they_are_relabelled() -> None:
    points = np.random.default_rng(0).uniform(5, 75, (200, 15, 2)).astype(np.float32)
    _, moved = augmenter(flip=0.5)(
        torch.zeros(200, HEIGHT, WIDTH, dtype=torch.uint8), torch.from_numpy(points), generator()
    )
    same = np.isclose(moved.numpy(), points, atol=1e-4).all(axis=(1, 2))
    mirrored = np.isclose(moved.numpy(), FACE15.flip(points, WIDTH), atol=1e-4).all(axis=(1, 2))
    assert (same ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


def test_missing_keypoints_stay_missing_and_move_with_the_swap() -> None:
    keypoints = torch.full((1, 15, 2), 40.0)
    keypoints[0, FACE15.index("left_eye_center")] = math.nan
    _, moved = augmenter(flip=1.0, rotation=10.0)(
        torch.zeros(1, HEIGHT, WIDTH, dtype=torch.uint8), keypoints, generator()
    )
    missing = moved[0].isnan().any(dim=1).nonzero().flatten().tolist()
    assert missing == [FACE15.index("right_eye_center")]


def test_a_keypoint_outside_the_frame_stays_labelled() -> None:
    _, moved = augmenter(shift=40.0)(
        torch.zeros(50, HEIGHT, WIDTH, dtype=torch.uint8), torch.full((50, 15, 2), 5.0), generator()
    )
    assert moved.min() < 0
    assert moved.isfinite().all()


@pytest.mark.parametrize(
    "tricks",
    [*MOVES.values(), {"brightness": 0.2}, {"rotation": 20.0, "contrast": 0.3, "brightness": 0.2, "gamma": 0.5}],
)
def test_both_paths_give_the_same_picture(tricks) -> None:
    images = torch.from_numpy(np.stack([dot(x, 40, width=6.0) for x in range(30, 60, 3)]))
    keypoints = torch.rand(len(images), 15, 2, generator=generator()) * 80
    on_cpu, points_on_cpu = augmenter(**tricks)(images, keypoints, generator(1))
    on_gpu, points_on_gpu = as_on_a_gpu(**tricks)(images, keypoints, generator(1))
    torch.testing.assert_close(on_cpu, on_gpu, atol=0.012, rtol=0)
    torch.testing.assert_close(points_on_cpu, points_on_gpu)


GREY = {
    "brightness": {"brightness": 0.3},
    "contrast": {"contrast": 0.5},
    "gamma": {"gamma": 1.0},
    "noise": {"noise": 0.2},
    "blur": {"blur": 2.0},
    "occlusion": {"occlusion": 1.0},
}


@pytest.mark.parametrize("edit", GREY.values(), ids=GREY)
def test_grey_level_edits_change_the_picture_and_leave_the_points(edit) -> None:
    images = torch.from_numpy(np.stack([dot(48, 40, width=8.0)] * 20))
    keypoints = torch.rand(20, 15, 2, generator=generator()) * 80
    pictures, points = augmenter(**edit)(images, keypoints, generator())
    assert pictures.shape == (20, 1, HEIGHT, WIDTH) and pictures.dtype == torch.float32
    assert pictures.min() >= 0 and pictures.max() <= 1
    changed = (pictures[:, 0] - images / 255).abs().amax(dim=(1, 2)) > 0.003
    assert changed.sum() >= 12
    assert len(pictures.flatten(1).unique(dim=0)) == 20  # each image its own
    assert torch.equal(points, keypoints)


def test_brightness_adds_at_most_its_limit_and_contrast_turns_about_middle_grey() -> None:
    grey = torch.full((500, HEIGHT, WIDTH), 102, dtype=torch.uint8)
    brightened, _ = augmenter(brightness=0.2)(grey, torch.zeros(500, 15, 2), generator())
    contrasted, _ = augmenter(contrast=0.5)(grey, torch.zeros(500, 15, 2), generator())
    assert [brightened.min().item(), brightened.max().item()] == pytest.approx([0.2, 0.6], abs=0.005)
    assert [contrasted.min().item(), contrasted.max().item()] == pytest.approx([0.35, 0.45], abs=0.005)


def test_blur_keeps_the_light_and_spreads_it() -> None:
    image = torch.from_numpy(dot(48, 40)).expand(10, -1, -1)
    blurred, _ = augmenter(blur=3.0)(image, torch.zeros(10, 15, 2), generator())
    torch.testing.assert_close(blurred.sum(dim=(1, 2, 3)), (image / 255).sum(dim=(1, 2)), rtol=1e-3, atol=0)
    assert (blurred.amax(dim=(1, 2, 3)) <= image.max() / 255).all()


def test_an_occluding_box_covers_a_rectangle_of_one_grey() -> None:
    image = torch.from_numpy(np.tile(np.arange(WIDTH, dtype=np.uint8), (1, HEIGHT, 1)))
    picture, _ = augmenter(occlusion=1.0)(image, torch.zeros(1, 15, 2), generator(3))
    covered = picture[0, 0] != image[0] / 255
    rows, columns = covered.any(dim=1), covered.any(dim=0)
    assert 0 < covered.sum() == rows.sum() * columns.sum() < 0.17 * HEIGHT * WIDTH
    assert len(picture[0, 0][covered].unique()) == 1


@pytest.mark.parametrize("trick", ["flip", "brightness", "occlusion"])
def test_switching_one_trick_off_leaves_the_others_as_they_were(trick: str) -> None:
    everything = {"flip": 0.5, "rotation": 20.0, "brightness": 0.2, "occlusion": 0.5}
    without = augmenter(**{**everything, trick: 0.0})
    images, keypoints = torch.zeros(9, HEIGHT, WIDTH, dtype=torch.uint8), torch.full((9, 15, 2), 47.5)
    keypoints[:, :, 0] = (WIDTH - 1) / 2  # on the axis, where a flip moves nothing
    _, with_it = augmenter(**everything)(images, keypoints, generator(5))
    _, without_it = without(images, keypoints, generator(5))
    torch.testing.assert_close(with_it, without_it)


@pytest.mark.parametrize("make", [augmenter, as_on_a_gpu], ids=["cpu", "gpu"])
def test_the_same_generator_gives_the_same_batch(make) -> None:
    tricks = {"flip": 0.5, "rotation": 20.0, "noise": 0.1, "occlusion": 0.5, "gamma": 0.5, "blur": 1.0}
    images, keypoints = torch.from_numpy(np.stack([dot(40, 40)] * 7)), torch.full((7, 15, 2), 40.0)
    first, second, other = (make(**tricks)(images, keypoints, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])


def test_a_layout_without_mirror_pairs_keeps_its_order() -> None:
    nose = KeypointLayout("nose", ("nose_tip",), (), {"nose": ("nose_tip",)})
    made = Augmenter(Recipe(**OFF).with_changes(flip=1.0), nose, (HEIGHT, WIDTH), CPU)
    _, moved = made(torch.zeros(1, HEIGHT, WIDTH, dtype=torch.uint8), torch.tensor([[[10.0, 20.0]]]), generator())
    assert moved.tolist() == [[[WIDTH - 1 - 10.0, 20.0]]]
