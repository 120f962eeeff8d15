"""Readers of other people's files: what comes out is where the pictures show it, and what is wrong is said."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.pictures import DATA, WRITERS, Picture, card_text, draw_pictures

from harness.benchmark import Benchmark, load_benchmark
from harness.datasets.faces import Split
from harness.datasets.opening import open_split
from harness.errors import CardError, DataError

READERS = list(WRITERS)
CSV, JSON, PTS = "training_frames_keypoints.csv", "person_keypoints_train2017.json", "helen/trainset/Ana_Alba_0000.pts"
LIST = "WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_train.txt"
POINTS = 'crop = "points"\nmargin = 0.25'
TRAINING, HELD_OUT = draw_pictures(5, 12), draw_pictures(5, 4, seed=1)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def benchmark(home: Path, text: str) -> Benchmark:
    (home / "card.toml").write_text(text)
    return load_benchmark(home / "card.toml")


def brought(home: Path, reader: str, crop: str = POINTS, **more) -> tuple[Benchmark, Path]:
    """A card, and a folder of files of five keypoints."""
    card = benchmark(home, card_text(reader, crop, **more))
    WRITERS[reader](home / "data", card.layout, TRAINING, HELD_OUT)
    return card, home / "data"


def opened(home: Path, reader: str, crop: str = POINTS, **more) -> Split:
    return open_split(*brought(home, reader, crop, **more))


def expected(picture: Picture, crop: str, size: tuple[int, int], whole: tuple[int, int] | None = None) -> np.ndarray:
    """Where the points of a picture are in an image of (height, width) that shows its box and a margin."""
    height, width = size
    if "box" in crop:
        left, top, right, bottom = picture.box
    elif "points" in crop:
        (left, top), (right, bottom) = picture.points.min(axis=0), picture.points.max(axis=0)
    else:
        high, wide = whole or picture.pixels.shape[:2]
        left, top, right, bottom = -0.5, -0.5, wide - 0.5, high - 0.5
    margin = 0 if "margin" not in crop else float(crop.rsplit(maxsplit=1)[-1]) * max(right - left, bottom - top)
    one = max((right - left + 2 * margin) / width, (bottom - top + 2 * margin) / height)
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    return (picture.points - middle) / one + [(width - 1) / 2, (height - 1) / 2]


def add_boxes(table: Path, pictures: list[Picture]) -> None:
    header, *rows = table.read_text().splitlines()
    rows = [",".join([row, *map(str, each.box)]) for row, each in zip(rows, pictures, strict=True)]
    table.write_text("\n".join([f"{header},box_left,box_top,box_right,box_bottom", *rows]) + "\n")


@pytest.mark.parametrize("size", [(96, 96), (40, 56)])
@pytest.mark.parametrize("crop", [POINTS, 'crop = "box"\nmargin = 0.1', 'crop = "image"'])
@pytest.mark.parametrize("reader", READERS)
def test_points_arrive_where_the_crop_puts_them_and_where_the_image_shows_them(
    home: Path, reader: str, crop: str, size: tuple[int, int]
) -> None:
    if reader == "pts" and "box" in crop:
        pytest.skip("these files have no box")
    card, folder = brought(home, reader, crop, size=size)
    if reader == "csv" and "box" in crop:
        add_boxes(folder / CSV, TRAINING)
        add_boxes(folder / "test_frames_keypoints.csv", HELD_OUT)
    faces = open_split(card, folder).together()
    whole = (200, 200) if reader == "npz" else None
    wanted = [expected(each, crop, size, whole) for each in (*TRAINING, *HELD_OUT)]

    assert faces.images.shape == (16, *size)
    for image, points in zip(faces.images, faces.keypoints, strict=True):
        error = min(np.abs(points - each).max() for each in wanted)
        assert error < 0.01
        # Each dot's centre of brightness; at this size they do not touch.
        for x, y in points if crop == POINTS and size == (96, 96) else []:
            left, top = round(float(x)) - 5, round(float(y)) - 5
            dot = image[top : top + 11, left : left + 11].astype(float) - 30
            ys, xs = np.mgrid[top : top + 11, left : left + 11]
            assert ((dot * xs).sum() / dot.sum(), (dot * ys).sum() / dot.sum()) == pytest.approx((x, y), abs=0.15)


def test_a_picture_of_the_cards_size_is_taken_as_it_is(home: Path) -> None:
    card = benchmark(home, card_text("npz", 'crop = "image"', size=(200, 200)))
    WRITERS["npz"](home / "data", card.layout, TRAINING, HELD_OUT)
    faces = open_split(card, home / "data").together()

    kept = np.load(home / "data" / "faces.npz")
    assert {image.tobytes() for image in faces.images} == {image[..., 0].tobytes() for image in kept["images"]}
    assert np.sort(faces.keypoints.ravel()) == pytest.approx(np.sort(kept["keypoints"].ravel()), abs=1e-4)


def test_a_large_photograph_is_averaged_not_sampled(home: Path) -> None:
    """Stripes of a pixel each become grey, and a bright square stays where it is."""
    (home / "data").mkdir()
    pixels = np.zeros((1600, 1200), np.uint8)
    pixels[:, ::2] = 200
    pixels[790:810, 590:610] = 255
    for name in ("a", "b"):
        Image.fromarray(pixels).save(home / "data" / f"{name}.png")
        pixels[:9] += 7
    points = "200,400,1000,400,599.5,799.5,300,1300,900,1300"
    (home / "data" / "faces.csv").write_text(
        f"file,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5,who\na.png,{points},a\nb.png,{points},b\n"
    )
    text = card_text("csv", 'crop = "image"').replace(DATA["csv"], 'held_out = 0.5\nsubjects = "who"')
    faces = open_split(benchmark(home, text), home / "data").together()

    for image, points in zip(faces.images, faces.keypoints, strict=True):
        assert points[2] == pytest.approx((47.5, 47.5))
        assert image[20, 20:70] == pytest.approx(np.full(50, 100), abs=6)
        assert image[47:49, 47:49].mean() > 150
        np.testing.assert_allclose(image[47, 40:56], image[47, 40:56][::-1], atol=6)


@pytest.mark.parametrize(
    ("save", "grey"),
    [
        (lambda path: Image.new("RGB", (60, 60), (255, 0, 0)).save(path), 76),
        (lambda path: Image.new("RGBA", (60, 60), (255, 0, 0, 0)).save(path), 76),
        (lambda path: Image.new("L", (60, 60), 90).save(path), 90),
        (lambda path: Image.new("1", (60, 60), 1).save(path), 255),
        (lambda path: Image.new("P", (60, 60), 0).save(path), 0),
        (lambda path: Image.fromarray(np.full((60, 60), 90 * 257, np.uint16)).save(path), 90),
    ],
    ids=["colour", "transparent", "grey", "black and white", "palette", "16 bits"],
)
def test_pictures_of_any_colour_become_grey(home: Path, save: Callable[[Path], None], grey: int) -> None:
    (home / "data").mkdir()
    for name in ("a.png", "b.png"):
        save(home / "data" / name)
    points = "20,20,40,20,30,30,20,40,40,40"
    (home / "data" / "faces.csv").write_text(f",0,1,2,3,4,5,6,7,8,9,who\na.png,{points},a\nb.png,{points},b\n")
    text = card_text("csv", POINTS).replace(DATA["csv"], 'held_out = 0.5\nsubjects = "who"')

    assert set(open_split(benchmark(home, text), home / "data").together().images.ravel().tolist()) == {grey}


@pytest.mark.parametrize(
    "header",
    [
        ",0,1,2,3,4,5,6,7,8,9",
        "file,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5",
        "Image,1_x,1_y,2_x,2_y,3_x,3_y,4_x,4_y,5_x,5_y",
    ],
)
def test_coordinates_are_found_by_name_or_in_turn(home: Path, header: str) -> None:
    card, folder = brought(home, "csv")
    in_turn = open_split(card, folder).together().keypoints
    table = folder / "training_frames_keypoints.csv"
    rows = [line.split(",") for line in [header, *table.read_text().splitlines()[1:]]]
    blocks = [[row[0], *row[1::2], *row[2::2]] for row in rows]  # all x, then all y
    named = [[row[0], "x", *row[:0:-1]] for row in rows]
    for lines, told in ((rows, True), (blocks, "x" in header), (named, "1_x" in header)):
        table.write_text("\n".join(map(",".join, lines)) + "\n")
        if told:
            np.testing.assert_array_equal(open_split(card, folder).together().keypoints, in_turn)


def test_subjects_are_known_by_a_pattern_a_column_or_an_array(home: Path) -> None:
    more = 'subjects = "{subject}_*.jpg"'
    by_pattern = opened(home, "coco")
    assert len(set(by_pattern.together().subjects.tolist())) == 4
    assert not set(by_pattern.training.subjects.tolist()) & set(by_pattern.held_out.subjects.tolist())
    assert len(set(opened(home, "npz").together().subjects.tolist())) == 4

    with pytest.raises(DataError, match=r"its subject 'Ana_Alba' is among the training faces, too; take"):
        opened(home, "csv", more=more)
    card = benchmark(home, card_text("csv", POINTS, more='subjects = "{subject}-*.jpg"'))
    with pytest.raises(DataError, match=r"line 2 .*path 'Ana_Alba_0000.jpg' does not match subjects = '{subject}-"):
        open_split(card, home / "data")


def test_where_v_is_0_a_keypoint_is_missing(home: Path) -> None:
    card, folder = brought(home, "coco")
    file = folder / "person_keypoints_train2017.json"
    whole = json.loads(file.read_text())
    whole["annotations"][0]["keypoints"][-3:] = [0, 0, 0]  # the names are reversed, so it is the first
    file.write_text(json.dumps(whole))
    faces = open_split(card, folder).together()

    assert np.argwhere(~faces.labelled)[:, 1].tolist() == [0] and len(faces) == 16

    for annotation in whole["annotations"][:2]:  # one has one labelled, the other all in one place
        annotation["keypoints"][3:] = [50, 50, 2] * 5 if annotation["id"] == 100 else [0, 0, 0] * 4 + [50, 50, 1]
    file.write_text(json.dumps(whole))
    assert len(open_split(card, folder).together()) == 14


def test_held_out_faces_may_be_named_on_the_command_line(home: Path) -> None:
    card, folder = brought(home, "pts")
    (folder / "ibug").rename(home / "exam")
    split = open_split(card, folder, held_out=Path("exam"))

    assert (len(split.training), len(split.held_out)) == (12, 4)


def test_data_may_name_the_file_itself(home: Path) -> None:
    card, folder = brought(home, "npz")

    assert len(open_split(card, folder / "faces.npz").together()) == 16
    (folder / "faces.npz").rename(home / "faces.zip")
    with pytest.raises(DataError, match=r"faces.zip is not a .npz file; unpack it, and name the folder of the files"):
        open_split(card, home / "faces.zip")


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return change


def rewritten(**arrays: np.ndarray) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with np.load(folder / "faces.npz") as kept:
            whole = dict(kept)
        np.savez(folder / "faces.npz", **{k: v for k, v in (whole | arrays).items() if v is not None})

    return change


def bomb(folder: Path) -> None:
    """A picture of 900 million pixels in 60 bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    header = chunk(b"IHDR", (30_000).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0")
    (folder / "training" / NAME).write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")))


X, NAME = str(TRAINING[0].points[0, 0]), TRAINING[0].name


@pytest.mark.parametrize(
    ("reader", "spoil", "message"),
    [
        (
            "csv",
            replaced(CSV, X, "left"),
            f"{CSV}, line 2 (data row 0), column '0': 'left' is not a number; write pixels",
        ),
        (
            "csv",
            replaced(CSV, X, ""),
            "line 2 (data row 0): keypoint '1' has one coordinate of two; write both or neither",
        ),
        ("csv", replaced(CSV, X, "99999"), "line 2 (data row 0): keypoint '1' is at (99999.0, "),
        ("csv", replaced(CSV, X, "inf"), "line 2 (data row 0): keypoint '1' is at (inf, "),
        ("csv", replaced(CSV, NAME, "../x.jpg"), "line 2 (data row 0): '../x.jpg' is not the path of a picture below"),
        ("csv", replaced(CSV, NAME, "who.jpg"), "there is no picture 'who.jpg' below"),
        (
            "csv",
            replaced(CSV, NAME, "who"),
            "line 2 (data row 0): none of its cells names a picture (.jpg, .jpeg, .png",
        ),
        (
            "csv",
            replaced(CSV, ",0,1,2,3,4,5,6,7,8,9\n", ""),
            "line 1: is a row of data ('Ana_Alba_0000.jpg'), and the names",
        ),
        (
            "csv",
            replaced(CSV, ",0,1,", ",0,"),
            "line 2 (data row 0), column '9': the line has 11 cells where the first",
        ),
        (
            "csv",
            lambda folder: (folder / CSV).write_text("f,0,1\na.jpg,2,3\n"),
            "it has 2 columns, and layout 'five' has 5",
        ),
        ("csv", bomb, f"{NAME}: has more than 67,108,864 pixels; save it smaller, and its keypoints"),
        (
            "csv",
            lambda folder: (folder / "training" / NAME).write_bytes(b"\xff\xd8\xff"),
            f"{NAME}: cannot be decoded as a",
        ),
        (
            "csv",
            lambda folder: (folder / CSV).unlink(),
            f"{CSV} is not there; put the file there, or correct 'file' in",
        ),
        (
            "csv",
            lambda folder: (folder / "test_frames_keypoints.csv").unlink(),
            "test_frames_keypoints.csv cannot be read",
        ),
        ("csv", lambda folder: (folder / CSV).replace(folder / "test_frames_keypoints.csv"), f"{CSV} is not there"),
        (
            "coco",
            replaced(JSON, '"keypoints": [0', '"keypoints": ["0"'),
            "annotation 0 (id 100): 'keypoints' is not a list",
        ),
        (
            "coco",
            replaced(JSON, '"image_id": 0', '"image_id": 99'),
            "annotation 0 (id 100): its image_id is 99, of which",
        ),
        ("coco", replaced(JSON, '"width": ', '"width": 1'), "annotation 0 (id 100): says that its picture has (1"),
        ("coco", replaced(JSON, ", 2, ", ", 3, "), "annotation 0 (id 100): a keypoint's v is 3; it should be 0 (not"),
        ("coco", replaced(JSON, '"annotations"', '"notes"'), "key 'annotations' is not a list of objects; check that"),
        ("coco", replaced(JSON, "{", ""), f"{JSON}: is not JSON ("),
        (
            "coco",
            replaced(JSON, '"1"', '"one"'),
            "annotation 0 (id 100): has 6 keypoints, and layout 'five' has 5, not all",
        ),
        (
            "pts",
            replaced(PTS, "n_points:  5", "n_points:  6"),
            f"{PTS}: says n_points: 6 and has 10 coordinates, where",
        ),
        (
            "pts",
            replaced(PTS, "}", ""),
            f"{PTS}: is not in the form of 300-W; it should be 'version: 1', 'n_points: 5'",
        ),
        ("pts", replaced(PTS, ".", "o"), f"{PTS}: x of point 1 is '"),
        (
            "pts",
            lambda folder: (folder / PTS).with_suffix(".jpg").unlink(),
            "Ana_Alba_0000.pts: there is no picture of this",
        ),
        ("wflw", replaced(LIST, X, "left"), f"{LIST}, line 1: its number 1 is 'left'; write digits"),
        (
            "wflw",
            replaced(LIST, X + " ", ""),
            f"{LIST}, line 1: has 19 numbers before the path, where 20 should be (the 10",
        ),
        (
            "npz",
            rewritten(images=None),
            "faces.npz: has no array 'images', only 'keypoints', 'boxes', 'subjects'; write np",
        ),
        (
            "npz",
            rewritten(keypoints=np.zeros((16, 68, 2))),
            "faces.npz: keypoints is float64 (16, 68, 2); for 16 images",
        ),
        (
            "npz",
            rewritten(images=np.full((16, 9, 9), 7.0)),
            "faces.npz, image 0: has values from 7.0 to 7.0; write whole",
        ),
        ("npz", rewritten(images=np.array([{}] * 16)), "faces.npz: cannot be read as arrays (Object arrays cannot be"),
        (
            "npz",
            rewritten(keypoints=np.full((16, 5, 2), 0.5)),
            "faces.npz, image 0: the box from (0.5, 0.5) to (0.5, 0.5)",
        ),
        (
            "npz",
            lambda folder: (folder / "faces.npz").write_bytes(b"PK\x03\x04"),
            "faces.npz: cannot be read as arrays",
        ),
        (
            "npz",
            lambda folder: (folder / "faces.npz").rename(folder / "faces"),
            "holds no .npz file; put it there, or say",
        ),
        ("npz", lambda folder: (folder / "more.npz").touch(), "holds 2 .npz files (faces.npz, more.npz); say which in"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place_and_remedy(
    home: Path, reader: str, spoil: Callable[[Path], object], message: str
) -> None:
    card, folder = brought(home, reader)
    spoil(folder)

    with pytest.raises(DataError) as caught:
        open_split(card, folder)
    assert message in str(caught.value)


def test_a_face_may_not_be_on_both_sides(home: Path) -> None:
    card, folder = brought(home, "csv")
    name = TRAINING[0].name
    (folder / "training" / name).rename(folder / "test" / name)
    (folder / "training" / name).write_bytes((folder / "test" / name).read_bytes())
    row = (folder / CSV).read_text().splitlines()[1]
    with (folder / "test_frames_keypoints.csv").open("a") as table:
        table.write(row + "\n")

    with pytest.raises(DataError, match=r"test_frames_keypoints.csv, line 6 .*: is a training face, too; take it out"):
        open_split(card, folder)


def test_the_folder_of_the_pictures_is_guessed_in_the_message(home: Path) -> None:
    _, folder = brought(home, "csv")
    card = benchmark(home, (home / "card.toml").read_text().replace('images = "training"\n', "", 1))

    with pytest.raises(DataError, match=r"no picture 'Ana_Alba_0000.jpg' below .*; say images = \"training\" in"):
        open_split(card, folder)


def test_arrays_are_made_again_where_a_picture_or_the_crop_changed(home: Path) -> None:
    card, folder = brought(home, "pts")
    first = open_split(card, folder)
    assert open_split(card, folder).fingerprint == first.fingerprint

    closer = benchmark(home, card_text("pts", 'crop = "points"\nmargin = 0.1'))
    assert open_split(closer, folder).fingerprint != first.fingerprint
    Image.fromarray(TRAINING[0].pixels // 2).save(folder / "helen" / "trainset" / TRAINING[0].name)
    assert open_split(card, folder).fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("reader", "crop", "more", "message"),
    [
        ("csv", 'crop = "points"', "", 'crop = "points" needs a margin, as margin = 0.25'),
        ("csv", 'crop = "image"\nmargin = 0.2', "", 'crop = "image" takes all of the image, so it has no margin'),
        ("csv", "margin = 0.2", "", "key 'data.crop' is missing; add it"),
        ("pts", 'crop = "box"', "", 'files of reader = "pts" have no box; say crop = "points" and a margin'),
        ("npz", POINTS, 'images = "x"', "an .npz names no pictures; take out images, held_out_images and subjects"),
        ("pts", POINTS, 'subjects = "name"', "subjects should be a pattern of the pictures' paths"),
        ("csv", POINTS, 'subjects = "{subject}{subject}"', "key 'data.subjects': should have one {subject}"),
        ("csv", POINTS, "sed = 3", "unknown key 'data.sed'; correct its spelling or take it out"),
    ],
)
def test_a_card_whose_data_do_not_fit_together_is_refused(
    home: Path, reader: str, crop: str, more: str, message: str
) -> None:
    with pytest.raises(CardError) as caught:
        benchmark(home, card_text(reader, crop, more=more))
    assert message in str(caught.value)
