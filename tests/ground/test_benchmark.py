from __future__ import annotations

import csv
import os
import tomllib
from pathlib import Path

import pytest
from support.tiny import REPOSITORY

from harness.benchmark import RenderedData, load_benchmark
from harness.errors import CardError
from harness.keypoints import FACE15
from harness.places import shipped

LAYOUT = """
[layout]
name = "pair"
keypoints = ["left_eye", "right_eye"]
mirror_pairs = [["left_eye", "right_eye"]]
inter_ocular = ["left_eye", "right_eye"]
[layout.groups]
eyes = ["left_eye", "right_eye"]
"""


@pytest.fixture
def kaggle_card() -> str:
    return (shipped("data") / "kaggle" / "benchmark.toml").read_text()


@pytest.mark.parametrize(("name", "minutes"), [("kaggle", 30), ("rendered", 30), ("rendered-full", 60)])
def test_shipped_cards_are_valid(name: str, minutes: int) -> None:
    benchmark = load_benchmark(name)

    assert benchmark.name == name
    assert benchmark.layout == FACE15 and benchmark.image_size == (96, 96)
    assert (benchmark.limits.time, benchmark.limits.memory) == (minutes * 60, 8 * 2**30)


@pytest.mark.parametrize("name", ["kaggle", "rendered", "rendered-full", "rendered68"])
def test_the_wheel_takes_the_cards_along(name: str) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())

    taken = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert taken[f"data/{name}/benchmark.toml"] == f"harness/_shipped/data/{name}/benchmark.toml"


def test_the_full_set_is_the_quick_one_and_more_faces() -> None:
    quick, full = (load_benchmark(name).data for name in ("rendered", "rendered-full"))
    assert isinstance(quick, RenderedData) and isinstance(full, RenderedData)

    assert (full.training, full.held_out) == (6000, 1000)
    assert full.model_copy(update={"training": quick.training, "held_out": quick.held_out}) == quick


def test_kaggles_bands_are_the_courses() -> None:
    benchmark = load_benchmark("kaggle")

    assert [benchmark.best_band(value) for value in (1.7, 1.6, 1.5, 1.41, 1.4)] == [
        None,
        "ok",
        "very_good",
        "very_good",
        "outstanding",
    ]


def test_bands_follow_the_direction_of_the_cards_metric(tmp_path: Path, kaggle_card: str) -> None:
    card, text = tmp_path / "auc.toml", kaggle_card.replace('metric = "mean_pixel_error"', 'metric = "auc"')
    rising = text.replace("= 1.6", "= 0.5").replace("= 1.5", "= 0.6").replace("= 1.4", "= 0.7")
    card.write_text(rising)
    benchmark = load_benchmark(card)

    assert [benchmark.best_band(value) for value in (0.4, 0.5, 0.65, 0.9)] == [None, "ok", "very_good", "outstanding"]
    assert benchmark.reaches(0.6, "very_good") and not benchmark.reaches(0.59, "very_good")

    card.write_text(text)  # the bands of an error
    with pytest.raises(CardError, match=r"key 'bands': the bands are out of order .* of auc higher is better"):
        load_benchmark(card)


def test_a_card_in_the_current_folder_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kaggle_card: str
) -> None:
    card = tmp_path / "data" / "kaggle" / "benchmark.toml"
    card.parent.mkdir(parents=True)
    card.write_text(kaggle_card.replace('title = "', 'title = "Our own: '))
    monkeypatch.chdir(tmp_path)

    assert load_benchmark("kaggle").title.startswith("Our own")
    assert not load_benchmark(shipped("data") / "kaggle").title.startswith("Our own")


def test_a_card_may_spell_out_a_layout(tmp_path: Path, kaggle_card: str) -> None:
    card = tmp_path / "pair.toml"
    card.write_text(kaggle_card.replace('layout = "face15"\n', "") + LAYOUT)

    layout = load_benchmark(card).layout
    assert layout.keypoints == layout.nme_by == ("left_eye", "right_eye")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("inter_ocular", "nme_by", ("left_eye", "right_eye")),
        ('inter_ocular = ["left_eye", "right_eye"]', 'nme_by = "box"', "box"),
        ('inter_ocular = ["left_eye", "right_eye"]', 'nme_by = "image"', "image"),
        ('inter_ocular = ["left_eye", "right_eye"]', "", None),
        ('["left_eye", "right_eye"]', '["1", "2"]', ("1", "2")),
    ],
)
def test_a_layout_says_what_the_nme_divides_by(tmp_path: Path, kaggle_card: str, old: str, new: str, expected) -> None:
    card = tmp_path / "pair.toml"
    text = kaggle_card.replace('layout = "face15"\n', "") + LAYOUT.replace(old, new).replace(
        '[["left_eye", "right_eye"]]', '[["1", "2"]]' if '"1"' in new else '[["left_eye", "right_eye"]]'
    )
    card.write_text(text)

    assert load_benchmark(card).layout.nme_by == expected
    if expected is None:
        card.write_text(text.replace('"mean_pixel_error"', '"nme"'))
        with pytest.raises(CardError, match=r"key 'metric': layout 'pair' does not say what the nme is divided by"):
            load_benchmark(card)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('inter_ocular = ["left_eye", "right_eye"]', 'nme_by = "eyes"', "key 'layout.nme_by': should be two keypoints"),
        ('inter_ocular = ["left_eye", "right_eye"]', 'nme_by = ["left_eye"]', "key 'layout.nme_by': should be two"),
        (
            'keypoints = ["left_eye"',
            'keypoints = ["a,b"',
            "key 'layout.keypoints.0': should be letters, digits",
        ),
        ("keypoints = ", "points = ", "key 'layout.keypoints' is missing; add it"),
        (
            '[["left_eye", "right_eye"]]',
            "[]",
            "key 'layout': keypoint 'left_eye' has a side but no mirror pair",
        ),
    ],
)
def test_a_bad_layout_is_told_by_key_and_remedy(
    tmp_path: Path, kaggle_card: str, old: str, new: str, message: str
) -> None:
    card = tmp_path / "pair.toml"
    assert old in LAYOUT
    card.write_text(kaggle_card.replace('layout = "face15"\n', "") + LAYOUT.replace(old, new))

    with pytest.raises(CardError) as caught:
        load_benchmark(card)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("held_out = 0.2", "", "key 'data.held_out' is missing; add it"),
        ("metric = ", "metrik = ", "unknown key 'metrik'"),
        ("ok = 1.6", 'ok = "1.6"', "key 'bands.ok': Input should be a valid number"),
        ("ok = 1.6", "ok = 1.1", "key 'bands': the bands are out of order"),
        ('"30m"', "30", "key 'limits.time': should be text in quotes, with its unit"),
        ('"8g"', '"plenty"', "key 'limits.memory': 'plenty' is not a size such as"),
        ('reader = "kaggle"', 'reader = "voc"', "key 'data.reader' must be one of 'kaggle', 'csv', "),
        ('"face15"', '"face16"', "key 'layout': there is no built-in layout of this name"),
        ("[96, 96]", "[96]", "key 'image_size.1' is missing"),
        ('"mean_pixel_error"', '"accuracy"', "key 'metric': there is no such metric. Known: mean_pixel_error, rmse, "),
        ('"mean_pixel_error"', '"mean_pixel_eror"', "there is no such metric; did you mean 'mean_pixel_error'?"),
        ('name = "kaggle"', 'name = "../x"', "key 'name'"),
        ("[bands]", "[bands", "cannot be read as TOML"),
        ("held_out = 0.2", "held_out = 1", "key 'data.held_out': should be a share between 0 and 1, or a file"),
        ("held_out = 0.2", "held_out = 1.0", "key 'data.held_out': should be a share between 0 and 1, or a file"),
        ('weights = "marked"', 'weights = "no"', "key 'submission.weights': Input should be 'marked' or 'refused'"),
        ('weights = "marked"', "max_size = 16", "key 'submission.max_size': should be text in quotes, with its unit"),
        ('weights = "marked"', 'sizes = "16m"', "unknown key 'submission.sizes'"),
        ("[96, 96]", "[96, 1000000]", "key 'image_size.1': Input should be less than or equal to 2048"),
        ("held_out = 0.2", "held_out = 0.2\nseed = 1" + "0" * 5000, "cannot be read as TOML"),
        ("[bands]", "a = " + "[" * 5000 + "\n[bands]", "cannot be read as TOML"),
        ("[bands]", "#" * 300_000 + "\n[bands]", "cannot be read: it has more than the 256 KiB"),
    ],
)
def test_a_bad_card_is_told_by_file_key_and_remedy(
    tmp_path: Path, kaggle_card: str, old: str, new: str, message: str
) -> None:
    card = tmp_path / "bad.toml"
    assert old in kaggle_card
    card.write_text(kaggle_card.replace(old, new))

    with pytest.raises(CardError) as caught:
        load_benchmark(card)
    assert str(card) in str(caught.value) and message in str(caught.value)


def test_a_pair_that_is_no_pair_is_told(tmp_path: Path, kaggle_card: str) -> None:
    card = tmp_path / "bad.toml"
    layout = LAYOUT.replace('mirror_pairs = [["left_eye", "right_eye"]]', 'mirror_pairs = [["left_eye", "left_eye"]]')
    card.write_text(kaggle_card.replace('layout = "face15"\n', "") + layout)

    with pytest.raises(CardError, match=r"key 'layout': keypoint 'left_eye' is paired with itself"):
        load_benchmark(card)


def test_rendered_faces_have_the_keypoints_that_the_renderer_knows(tmp_path: Path) -> None:
    card = tmp_path / "bad.toml"
    rendered = (shipped("data") / "rendered" / "benchmark.toml").read_text()
    card.write_text(rendered.replace('layout = "face15"\n', "") + LAYOUT)

    with pytest.raises(
        CardError, match=r"""key 'data': reader = "rendered" draws .*'pair' has others; say layout = "face15" or"""
    ):
        load_benchmark(card)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "training = 2400",
            "training = 1000000000000",
            "key 'data.training': Input should be less than or equal to 10",
        ),
        ("held_out_seed = 1", "held_out_seed = 0", "key 'data.held_out_seed': should differ from 'seed'"),
    ],
)
def test_rendered_faces_that_cannot_be_or_were_seen_are_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    card, rendered = tmp_path / "bad.toml", (shipped("data") / "rendered" / "benchmark.toml").read_text()
    assert old in rendered
    card.write_text(rendered.replace(old, new))

    with pytest.raises(CardError) as caught:
        load_benchmark(card)
    assert message in str(caught.value)


@pytest.mark.timeout(10)
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    card = tmp_path / "data" / "benchmark.toml"
    card.parent.mkdir()
    os.mkfifo(card)

    with pytest.raises(CardError, match="there is no such card"):
        load_benchmark(card.parent)


def test_a_card_may_name_a_file_of_held_out_faces_beside_it(tmp_path: Path, kaggle_card: str) -> None:
    card = tmp_path / "exam.toml"
    card.write_text(kaggle_card.replace("held_out = 0.2", 'held_out = "faces/exam.csv"').replace("seed = 0\n", ""))

    assert load_benchmark(card).held_out_file == tmp_path / "faces" / "exam.csv"
    assert load_benchmark("kaggle").held_out_file is None and load_benchmark("rendered").held_out_file is None


def test_rendered_faces_take_no_file_of_held_out_faces(tmp_path: Path) -> None:
    card = tmp_path / "bad.toml"
    rendered = (shipped("data") / "rendered" / "benchmark.toml").read_text()
    card.write_text(rendered.replace("held_out = 400", 'held_out = "exam.csv"'))

    with pytest.raises(
        CardError, match=r"""key 'data.held_out': .*a file of held-out faces needs reader = "kaggle" """
    ):
        load_benchmark(card)


def test_a_card_says_what_may_be_handed_in(tmp_path: Path, kaggle_card: str) -> None:
    silent, strict = tmp_path / "silent.toml", tmp_path / "strict.toml"
    silent.write_text(kaggle_card.partition("[submission]")[0])
    strict.write_text(kaggle_card.replace('weights = "marked"', 'weights = "refused"\nmax_size = "16m"'))

    rules = load_benchmark(silent).submission
    assert (rules.weights, rules.max_size, rules.best_on_strangers) == ("marked", None, None)
    rules = load_benchmark(strict).submission
    assert (rules.weights, rules.max_size) == ("refused", 16 * 2**20)


@pytest.mark.parametrize(
    ("name", "board", "best"), [("kaggle", "real-faces", "stacked"), ("rendered", "rendered", "pretrained")]
)
def test_the_best_on_strangers_is_what_the_board_says(name: str, board: str, best: str) -> None:
    lines = (REPOSITORY / "leaderboard" / f"{board}.csv").read_text().splitlines()
    scores = {row["submission"]: float(row["mean_pixel_error"]) for row in csv.DictReader(lines) if row["rank"]}

    assert load_benchmark(name).submission.best_on_strangers == scores[best]


def test_an_unknown_benchmark_is_told_with_the_known_ones() -> None:
    with pytest.raises(CardError, match=r"did you mean 'kaggle'\?.*Known: kaggle, rendered"):
        load_benchmark("kagle")
