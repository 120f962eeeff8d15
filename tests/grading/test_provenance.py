"""Where a submission was trained, what a card makes of it, and what gives a memoriser away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save
from support.submissions import MEAN_FACE, estimator, grade
from support.tiny import CARD, SIDE, Tiny, draw_faces, write_kaggle

from harness.benchmark import load_benchmark
from harness.cli.grade import main
from harness.datasets.faces import FaceSet, Split
from harness.datasets.opening import open_split
from harness.grading.asking import material_for, sampled_rows
from harness.submission.source import find_source

SUBJECTS = 40
CARD_WITH_RULES = CARD + "\n[submission]\nbest_on_strangers = 1.0\n"

LINEAR = f"""
from torch import nn
from harness import Recipe

def build_model(layout, image_size):
    return nn.Sequential(nn.Flatten(), nn.Linear({SIDE * SIDE}, 30), nn.Unflatten(1, (15, 2)))

weights = "mine.safetensors"
recipe = Recipe(flip_test=False)
"""

LOOK_UP = """
from pathlib import Path
import numpy as np

HERE = Path(__file__).parent

class LookUp:
    def fit(self, images, keypoints):
        size = images[0].size
        known = np.fromfile(HERE / "images.bin", np.uint8).reshape(-1, size)
        points = np.fromfile(HERE / "labels.bin", np.float32).reshape(-1, 15, 2)
        self.points = {image.tobytes(): each for image, each in zip(known, points)}

    def predict(self, images):
        return np.stack([self.points[image.tobytes()] for image in images])

def build_estimator(layout, image_size):
    return LookUp()
"""


@pytest.fixture
def faces(tiny: Tiny) -> Split:
    """The tiny benchmark with more subjects, whose card says what is possible on strangers."""
    images, keypoints = draw_faces(4 * SUBJECTS)
    write_kaggle(tiny.data, images, keypoints, [f"S{row % SUBJECTS}" for row in range(len(images))])
    tiny.card.write_text(CARD_WITH_RULES)
    return open_split(load_benchmark(tiny.card), tiny.data)


def fitted(*parts: FaceSet, ridge: float) -> bytes:
    """A linear network's weights, by ridge regression on these faces: they are learnt by heart where it is small."""
    pixels = np.concatenate([faces.images.reshape(len(faces), -1) for faces in parts]) / 255
    points = np.concatenate([faces.keypoints.reshape(len(faces), -1) for faces in parts]).astype(float)
    centre = points.mean(axis=0)
    mean = pixels.mean(axis=0)
    spread = pixels - mean
    weight = np.linalg.solve(spread @ spread.T + ridge * np.eye(len(spread)), points - centre).T @ spread
    return save({"1.weight": weight.astype(np.float32), "1.bias": (centre - weight @ mean).astype(np.float32)})


def graded_with(tiny: Tiny, weights: bytes) -> dict[str, Any]:
    tiny.submission("", "mine.safetensors").write_bytes(weights)
    _, entry = grade(tiny, LINEAR)
    return entry


def test_a_network_that_was_trained_on_everything_is_flagged_with_the_figures(
    faces: Split, tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = graded_with(tiny, fitted(faces.training, faces.held_out, ridge=1e-3))

    assert (entry["status"], entry["trained"]) == ("graded", "brought")
    assert entry["scores"]["mean_pixel_error"]["value"] < 0.5
    (flag,) = entry["flags"]
    assert "may know the held-out faces" in flag and "better than 1.00, the best that was trained here" in flag
    assert f"{entry['gap']['value']:+.2f} px" in flag
    shown = capsys.readouterr().out
    assert "Worth a look" in shown and "trained elsewhere" in shown


def test_a_network_that_was_trained_on_the_training_half_alone_is_not(faces: Split, tiny: Tiny) -> None:
    entry = graded_with(tiny, fitted(faces.training, ridge=1e-3))

    assert (entry["status"], entry["trained"], entry["flags"]) == ("graded", "brought", [])
    assert entry["gap"]["low"] > 0


def test_a_network_that_has_met_neither_is_not(faces: Split, tiny: Tiny) -> None:
    images, keypoints = draw_faces(24, seed=7)
    others = FaceSet(images, keypoints, np.arange(24), faces.training.layout)

    entry = graded_with(tiny, fitted(others, ridge=100.0))

    assert (entry["status"], entry["flags"]) == ("graded", [])
    assert entry["gap"]["low"] < 0 < entry["gap"]["high"]
    assert entry["scores"]["mean_pixel_error"]["value"] > 1


def look_up(folder: Path, everybody: FaceSet) -> Path:
    """A submission that has seen these faces, held-out ones among them, and remembers them."""
    folder.mkdir(parents=True)
    (folder / "submission.py").write_text(LOOK_UP)
    (folder / "images.bin").write_bytes(everybody.images.tobytes())
    (folder / "labels.bin").write_bytes(np.nan_to_num(everybody.keypoints).tobytes())
    return folder


def test_a_look_up_of_the_labels_is_flagged(faces: Split, tiny: Tiny) -> None:
    folder = look_up(tiny.root / "submissions" / "team", faces.together())

    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data), "--json", "entry.json"]
    assert main([str(folder), *data]) == 0

    entry = json.loads(Path("entry.json").read_text())
    assert entry["scores"]["mean_pixel_error"]["value"] < 0.1
    assert entry["trained"] == "brought" and len(entry["flags"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("submission", ["pyramid_trained", "a look-up"])
def test_on_photographs_a_look_up_is_flagged_and_weights_from_rendered_faces_are_not(
    submission: str, real_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if submission == "a look-up":
        split = open_split(load_benchmark("kaggle"), real_faces)
        submission = str(look_up(tmp_path / "team", split.together()))

    assert main([submission, "--benchmark", "kaggle", "--data", str(real_faces), "--json", "entry.json"]) == 0

    entry = json.loads(Path("entry.json").read_text())
    assert entry["trained"] == "brought"
    assert len(entry["flags"]) == (0 if submission == "pyramid_trained" else 1)


def test_what_is_trained_here_says_so_and_is_never_flagged(faces: Split, tiny: Tiny) -> None:
    _, entry = grade(tiny, MEAN_FACE)

    assert (entry["trained"], entry["flags"]) == ("here", [])
    assert entry["gap"]["low"] < entry["gap"]["value"] < entry["gap"]["high"]


def test_a_submission_that_failed_before_it_trained_was_trained_nowhere(tiny: Tiny) -> None:
    assert grade(tiny, "1 / 0")[1]["trained"] == "nothing"


def test_who_brings_weights_cannot_know_which_images_are_held_out(faces: Split, tiny: Tiny) -> None:
    source = find_source(tiny.submission(MEAN_FACE + "# " + "x" * 70_000))
    sample = sampled_rows(faces.training)

    material = material_for(faces, sample, brought=source.brings_data)

    assert material.mixed and len(material.asked) - material.aside == len(faces.held_out) + len(sample)
    learnt_from = {image.tobytes() for image in material.training.images}
    assert not any(image.tobytes() in learnt_from for image in material.asked)
    assert not set(material.training.subjects) & set(faces.training.subjects[sample])


PRINTS_ITS_IMAGES = estimator(
    predict="print(images.reshape(len(images), -1).sum(axis=1)); return np.zeros((len(images), 15, 2))"
)


def test_the_order_in_which_images_are_asked_for_is_drawn_anew_each_time(faces: Split, tiny: Tiny) -> None:
    orders = [grade(tiny, PRINTS_ITS_IMAGES + "# " + "x" * 70_000, "--no-record")[1]["log_tail"] for _ in range(2)]

    assert orders[0] != orders[1]


@pytest.mark.parametrize(
    ("rule", "text", "reason"),
    [
        ('weights = "refused"', MEAN_FACE + "# " + "x" * 70_000, "takes only what is trained here"),
        ('weights = "refused"', MEAN_FACE, None),
        ('max_size = "1k"', MEAN_FACE + "# " + "x" * 2000, "takes at most 1 KiB of code and weights"),
        ('max_size = "1k"', MEAN_FACE, None),
    ],
    ids=["weights refused", "code taken", "too large", "small enough"],
)
def test_a_card_decides_what_may_be_handed_in(rule: str, text: str, reason: str | None, tiny: Tiny) -> None:
    tiny.card.write_text(f"{CARD}\n[submission]\n{rule}\n")

    code, entry = grade(tiny, text)

    assert code == (2 if reason else 0)
    assert (reason or "") in (entry["reason"] or "")


def test_weights_refused_refuses_predictions_too(tiny: Tiny) -> None:
    tiny.card.write_text(f'{CARD}\n[submission]\nweights = "refused"\n')
    Path("points.csv").write_text("ImageId\n")

    assert main(["points.csv", "--benchmark", str(tiny.card), "--data", str(tiny.data), "--json", "entry.json"]) == 2
    assert "takes only what is trained here" in json.loads(Path("entry.json").read_text())["reason"]


def test_a_refusal_that_was_kept_does_not_outlive_the_cards_rule(tiny: Tiny) -> None:
    text = MEAN_FACE + "# " + "x" * 2000
    tiny.card.write_text(f'{CARD}\n[submission]\nmax_size = "1k"\n')
    assert grade(tiny, text, "--work", "work")[0] == 2

    tiny.card.write_text(f'{CARD}\n[submission]\nweights = "refused"\n')
    Path("points.csv").write_text("ImageId\n")
    options = ["--benchmark", str(tiny.card), "--data", str(tiny.data), "--work", "work", "--json", "entry.json"]
    assert main(["points.csv", *options]) == 2
    tiny.card.write_text(CARD)

    assert grade(tiny, text, "--work", "work")[0] == 0
    assert main(["points.csv", *options]) == 2
    assert "column" in json.loads(Path("entry.json").read_text())["reason"]  # it is read now, and is not whole
