"""Colour pictures of several sizes with a bright dot for each keypoint, and how other people keep such faces."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from harness.keypoints import KeypointLayout

PEOPLE = ("Ana_Alba", "Bo", "Cy_Orr", "Di_Fe_Ro")


@dataclass(frozen=True)
class Picture:
    """Pixels uint8 (H, W, 3), points float64 (K, 2) whose pixel centres are whole numbers, a box around the face."""

    name: str
    pixels: np.ndarray
    points: np.ndarray
    box: tuple[float, float, float, float]


def draw_pictures(keypoints: int, count: int, seed: int = 0, *, busy: bool = False) -> list[Picture]:
    """Pictures of faces about 80 pixels wide somewhere in 140 to 200; each person is shown in ``count`` / 4 of them.

    Where they are busy, no two have the same background, and so none are near-duplicates.
    """
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 6 * np.pi, keypoints, endpoint=False)
    shape = np.linspace(0.25, 1, keypoints)[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    drawn = []
    for i in range(count):
        width, height = rng.integers(140, 200, size=2)
        points = shape * rng.uniform(36, 44) + (width / 2, height / 2) + rng.uniform(-9, 9, size=2)
        points = np.round(points + rng.uniform(-1, 1, size=points.shape), 3)
        ys, xs = np.mgrid[:height, :width]
        squares = (xs - points[:, 0, None, None]) ** 2 + (ys - points[:, 1, None, None]) ** 2
        grey = 30 + 180 * np.exp(-squares / 8).max(axis=0)
        if busy:
            grey += cv2.resize(rng.uniform(0, 45, size=(12, 12)), (int(width), int(height)))
        pixels = np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)
        (left, top), (right, bottom) = points.min(axis=0) - 4, points.max(axis=0) + np.array([4, 8])
        name = f"{PEOPLE[i % len(PEOPLE)]}_{seed}{i:03}.jpg"
        drawn.append(Picture(name, pixels, points, (left, top, right, bottom)))
    return drawn


def save(folder: Path, pictures: Sequence[Picture]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in pictures:
        Image.fromarray(each.pixels).save(folder / each.name, quality=95, subsampling=0)


def write_csv(folder: Path, layout: KeypointLayout, training: Sequence[Picture], held_out: Sequence[Picture]) -> None:
    """As Udacity's course has them: the column of names has no name, those of the coordinates are numbers."""
    for part, pictures in (("training", training), ("test", held_out)):
        save(folder / part, pictures)
        lines = [",".join(["", *map(str, range(len(layout.columns)))])]
        lines += [",".join([each.name, *map(str, each.points.ravel())]) for each in pictures]
        (folder / f"{part}_frames_keypoints.csv").write_text("\n".join(lines) + "\n")


def write_coco(folder: Path, layout: KeypointLayout, training: Sequence[Picture], held_out: Sequence[Picture]) -> None:
    """As COCO has people: more keypoints than the layout's, in another order, and people without any."""
    save(folder / "train2017", pictures := [*training, *held_out])
    names = ["left_shoulder", *reversed(layout.keypoints)]
    annotations = [
        {
            "id": 100 + i,
            "image_id": i,
            "category_id": 1,
            "bbox": [each.box[0] + 0.5, each.box[1] + 0.5, each.box[2] - each.box[0], each.box[3] - each.box[1]],
            "keypoints": [0, 0, 0, *(value for x, y in each.points[::-1].tolist() for value in (x, y, 2))],
        }
        for i, each in enumerate(pictures)
    ]
    annotations.append({**annotations[0], "id": 7, "keypoints": [0, 0, 0] * len(names)})
    whole = {
        "images": [
            {"id": i, "file_name": each.name, "height": each.pixels.shape[0], "width": each.pixels.shape[1]}
            for i, each in enumerate(pictures)
        ],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": names}],
    }
    (folder / "person_keypoints_train2017.json").write_text(json.dumps(whole))


def write_pts(folder: Path, layout: KeypointLayout, training: Sequence[Picture], held_out: Sequence[Picture]) -> None:
    """As 300-W has them: a file beside each picture, whose pixels count from 1."""
    for part, pictures in (("helen/trainset", training), ("ibug", held_out)):
        save(folder / part, pictures)
        for each in pictures:
            points = "".join(f"{x:.6f} {y:.6f}\n" for x, y in each.points + 1)
            text = f"version: 1\nn_points:  {len(layout)}\n{{\n{points}}}\n"
            (folder / part / each.name).with_suffix(".pts").write_text(text)


def write_wflw(folder: Path, layout: KeypointLayout, training: Sequence[Picture], held_out: Sequence[Picture]) -> None:
    """As WFLW has them: the points, the box, six attributes and the path."""
    save(folder / "WFLW_images" / "0--Parade", [*training, *held_out])
    lists = folder / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    lists.mkdir(parents=True)
    for part, pictures in (("train", training), ("test", held_out)):
        lines = [
            " ".join([*map(str, each.points.ravel()), *map(str, each.box), *"010010", f"0--Parade/{each.name}"])
            for each in pictures
        ]
        (lists / f"list_98pt_rect_attr_{part}.txt").write_text("\n".join(lines) + "\n")


def write_npz(folder: Path, layout: KeypointLayout, training: Sequence[Picture], held_out: Sequence[Picture]) -> None:
    """As arrays: the pictures padded to one size, in colour."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [*training, *held_out]
    images = np.full((len(pictures), 200, 200, 3), 30, np.uint8)
    for image, each in zip(images, pictures, strict=True):
        image[: each.pixels.shape[0], : each.pixels.shape[1]] = each.pixels
    np.savez(
        folder / "faces.npz",
        images=images,
        keypoints=np.array([each.points for each in pictures]),
        boxes=np.array([each.box for each in pictures]),
        subjects=np.array([each.name.rsplit("_", 1)[0] for each in pictures]),
    )


Writer = Callable[[Path, KeypointLayout, Sequence[Picture], Sequence[Picture]], None]
WRITERS: dict[str, Writer] = {
    "csv": write_csv,
    "coco": write_coco,
    "pts": write_pts,
    "wflw": write_wflw,
    "npz": write_npz,
}
"""The name of a reader -> what writes files for it."""

CARD = """
name = "brought"
title = "Somebody's faces"
image_size = {size}
metric = "mean_pixel_error"
bands = {{ ok = 9.0, very_good = 6.0, outstanding = 0.5 }}
limits = {{ time = "60s", memory = "3g" }}
{layout}
[data]
{data}
"""

DATA = {
    "csv": 'file = "training_frames_keypoints.csv"\nimages = "training"\nheld_out = "test_frames_keypoints.csv"\n'
    'held_out_images = "test"',
    "coco": 'images = "train2017"\nheld_out = 0.25\nsubjects = "{subject}_*.jpg"',
    "pts": 'held_out = "ibug"',
    "wflw": 'file = "WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_train.txt"\n'
    'held_out = "WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_test.txt"\nimages = "WFLW_images"',
    "npz": "held_out = 0.25",
}
"""The name of a reader -> the card's ``[data]`` for files of its writer, without reader and crop."""

FIVE = """
[layout]
name = "five"
keypoints = ["1", "2", "3", "4", "5"]
mirror_pairs = [["1", "2"], ["4", "5"]]
nme_by = ["1", "2"]
[layout.groups]
eyes = ["1", "2"]
below = ["3", "4", "5"]
"""


def card_text(reader: str, crop: str, layout: str = FIVE, size: tuple[int, int] = (96, 96), more: str = "") -> str:
    """A card for files of the reader's writer; ``crop`` is that line of it, and the margin's."""
    named = f'layout = "{layout}"' if "\n" not in layout else ""
    data = f'reader = "{reader}"\n{crop}\n{DATA[reader]}\n{more}'
    text = CARD.format(size=list(size), layout=named, data=data)
    return text if named else text + layout
