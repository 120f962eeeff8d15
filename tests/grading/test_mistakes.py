"""Mistakes that people make, each planted in a submission, graded by the command, and named in the entry.

The faces of the tiny benchmark are bright dots that move together. What `PREDICTED` plants its mistakes in finds them
by their centroid; `TRAINED` plants them in how a network is trained.
"""

from __future__ import annotations

import re

import pytest
from support.submissions import estimator, grade
from support.tiny import Tiny, draw_faces, write_kaggle

CENTROID = """
def centroids(images):
    bright = np.maximum(images.astype(float) - 90, 0)
    ys, xs = np.mgrid[:32, :32]
    return np.stack([(bright * each).sum((1, 2)) / bright.sum((1, 2)) for each in (xs, ys)], axis=1)[:, None]

from harness.keypoints import FACE15
swap, mouth = list(FACE15.swap), list(FACE15.indices("mouth"))
mirrored = lambda points: FACE15.flip(points, 32)
"""
FIT = "self.shape = np.nanmean(keypoints - centroids(images), axis=0); self.mean = np.nanmean(keypoints, axis=0)"
LOOK = "look = lambda images: self.shape + centroids(images); points = look(images); "

FALLS = r"The error on training faces falls from \d+\.\d\d to 0\.\d\d px if "

PREDICTED = {
    "left and right swapped": ("points[:, swap]", FALLS + "left and right are exchanged: .*layout.swap"),
    "x and y transposed": ("points[..., ::-1]", FALLS + "x and y are exchanged: return x"),
    "first all x, then all y": ("points.swapaxes(1, 2).reshape(points.shape)", FALLS + "the first half of the numbers"),
    "from 0 to 1": ("points / 32", FALLS + r"the predictions are turned .* p looks like y / 32; return y = p \* 32"),
    "from -1 to 1": ("(points - 16) / 16", FALLS + r".* p looks like \(y - 16\) / 16; return y = p \* 16 \+ 16"),
    "from -0.5 to 0.5": ("points / 32 - 0.5", FALLS + r".* p looks like y / 32 - 0.5; return y = p \* 32 \+ 16"),
    "standardised": ("(points - points.mean((0, 1))) / points.std((0, 1))", FALLS + ".* p looks like standardised"),
    "one pixel off": ("points + 1", FALLS + "(1.00|0.99) px is subtracted from x .*y: here, pixels are counted from 0"),
    "mirrored with W - x": ("points + [1, 0]", FALLS + "1.0. px is subtracted from x: look for W - x where W - 1 - x"),
    "mirrored and not turned back": ("mirrored(points)", FALLS + "the points are mirrored and left and right"),
    "averaged with the mirrored, not turned back": (
        "(points + mirrored(points)) / 2",
        r"Every prediction is its own mirror image, .* layout.flip\(points, width\)",
    ),
    "pairs never relabelled": ("(points + points[:, swap]) / 2", "Left and right keypoints lie too close together"),
    "the mean face": ("self.mean + 0 * points", "Every image got the same prediction: .* does not look at its input"),
    "images transposed": ("look(images.swapaxes(1, 2))", FALLS + "the rows and columns of the images are exchanged"),
    "one group far off": (
        "points + [0, 4] * np.isin(np.arange(15), mouth)[:, None]",
        FALLS + "(4.00|3.99) px is subtracted from y of the mouth: the other groups are in their places",
    ),
}


@pytest.fixture
def faces(tiny: Tiny) -> Tiny:
    """The tiny benchmark with enough faces for a mean offset of a sample to be more than chance."""
    write_kaggle(tiny.data, *draw_faces(120), [f"S{row % 60}" for row in range(120)])
    return tiny


@pytest.mark.parametrize("mistake", PREDICTED)
def test_a_mistake_in_what_is_predicted_is_named_with_its_figures(faces: Tiny, mistake: str) -> None:
    planted, sentence = PREDICTED[mistake]

    _, entry = grade(faces, estimator(FIT, f"{LOOK}return {planted}", CENTROID), "--no-record")

    (found,) = entry["mistakes"]
    assert re.search(sentence, found), found


def test_without_a_mistake_none_is_found(faces: Tiny) -> None:
    _, entry = grade(faces, estimator(FIT, f"{LOOK}return points", CENTROID), "--no-record")

    assert entry["scores"]["mean_pixel_error"]["value"] < 0.3 and entry["mistakes"] == []


def network(forward: str = "", layers: str = "nn.Identity()", recipe: str = "", more: str = "") -> str:
    """A network whose ``forward`` begins so, with these layers in its middle and these fields of its recipe."""
    return f"""
import torch
from torch import nn
from harness import Recipe

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), {layers}, nn.ReLU(), nn.Flatten(), nn.Linear(2048, 30))

    def forward(self, x):
        {forward or "pass"}
        return 16 + 16 * self.body(x).view(-1, 15, 2)

def build_model(layout, image_size):
    return Net()
{more}
plain = dict(epochs=60, batch_size=16, lr=0.003, flip=0, shift=0, rotation=0, scale=0, ema=0, flip_test=False)
recipe = Recipe(**plain | dict({recipe}))
"""


OTHERWISE = (
    r"Training ended with an error of \d.\d\d px, and .* on training faces is .* it predicts otherwise than it trains"
)

TRAINED = {
    "normalised in training only": (network("x = (x - 0.3) / 0.05 if self.training else x"), "mistakes", OTHERWISE),
    "images transposed at test": (
        network("x = x if self.training else x.transpose(2, 3)"),
        "mistakes",
        FALLS.replace(r"0\.", r"\d\.") + "the rows and columns of the images are exchanged",
    ),
    "trained in eval mode": (
        network("self.body.eval()", "nn.BatchNorm2d(8), nn.Dropout(0.5)"),
        "notes",
        "2 of 2 layers of batch normalisation or dropout, 'body.1' first, were in eval mode while the model trained",
    ),
    "batch normalisation over two images": (
        network("", "nn.BatchNorm2d(8)", "batch_size=2, epochs=3"),
        "notes",
        "batch normalisation over 2 images at a time is noise",
    ),
    "over-fitted": (
        network("x = 20 * (x - 0.16) * (torch.arange(32) < 5)  # noise", recipe="epochs=400"),
        "advice",
        "It fits its training faces better .* than new ones",
    ),
    "under-trained": (network(recipe="epochs=1, lr=0.0001"), "mistakes", "it has hardly learnt yet"),
    "keypoints dropped by a pipeline": (
        network(
            more="""
def augment(image, keypoints):
    keypoints[keypoints[:, 0] > 16] = float("nan")
    return image, keypoints
"""
        ),
        "notes",
        r"augmentation took away \d\d% of the labels, and what it takes away is not learnt",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", TRAINED)
def test_a_mistake_in_how_a_network_is_trained_is_named(faces: Tiny, mistake: str) -> None:
    text, where, sentence = TRAINED[mistake]

    _, entry = grade(faces, text, "--no-record")

    found = entry[where] if isinstance(entry[where], str) else " ".join(entry[where] or ())
    assert re.search(sentence, found), (entry["reason"], entry["mistakes"], entry["notes"], entry["advice"])
