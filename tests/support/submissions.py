"""Submissions in a few lines, good and bad, and what comes of grading one."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from harness.cli.grade import main
from support.tiny import Tiny

NETWORK = """
from torch import nn
from harness import Recipe

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, 30))

    def forward(self, images):
        return 16 + 16 * self.layers(images).view(-1, 15, 2)

def build_model(layout, image_size):
    return Net()

recipe = Recipe(epochs=2, shift=1)
"""

MEAN_FACE = '''
"""The mean of the training faces, for every image."""
import numpy as np

class MeanFace:
    def fit(self, images, keypoints):
        self.mean = np.nanmean(keypoints, axis=0)

    def predict(self, images):
        return np.repeat(self.mean[None], len(images), axis=0)

def build_estimator(layout, image_size):
    return MeanFace()
'''


def estimator(fit: str = "pass", predict: str = "return np.zeros((len(images), 15, 2))", top: str = "") -> str:
    """A submission with these bodies of fit and predict."""
    return f"""
import os, sys, time
import numpy as np
{top}

class Mine:
    def fit(self, images, keypoints):
        {fit}

    def predict(self, images):
        {predict}

def build_estimator(layout, image_size):
    return Mine()
"""


def grade(tiny: Tiny, text: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and entry of grading a submission with this text."""
    return grade_path(tiny, tiny.submission(text), *options)


def grade_path(tiny: Tiny, path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and entry of grading what lies there."""
    given = ["--benchmark", str(tiny.card), "--data", str(tiny.data), "--json", "entry.json", "--device", "cpu"]
    code = main([str(path), *given, *options])
    return code, json.loads(Path("entry.json").read_text())


def first_row() -> dict[str, str]:
    """The first row of the board."""
    return next(csv.DictReader(Path("leaderboard/tiny.csv").read_text().splitlines()))


FAILURES = {
    "syntax error": ("def build_model(:", "mine.py, line 1: invalid syntax; correct the syntax"),
    "import error": ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
    "neither builder": ("x = 1", "defines neither build_model"),
    "both builders": (MEAN_FACE + "\nbuild_model = build_estimator", "keep one of them"),
    "builder of other arguments": ("def build_model():\n    pass", "must be a function of (layout, image_size)"),
    "build_model gives no network": ("def build_model(layout, size):\n    return 3", "must return a torch.nn.Module"),
    "no predict": ("def build_estimator(layout, size):\n    return object()", "which has no method fit()"),
    "network of the wrong shape": (
        NETWORK.replace("view(-1, 15, 2)", "view(-1, 10, 3)"),
        "mine.py, line 11, in forward: the model returned shape (2, 10, 3)",
    ),
    "unknown recipe field": (NETWORK.replace("epochs=2", "epoch=2"), "did you mean 'epochs'?"),
    "negative learning rate": (NETWORK.replace("epochs=2", "lr=-1"), "recipe field lr is -1"),
    "recipe of another type": (NETWORK.replace("Recipe(epochs=2, shift=1)", "{}"), "recipe = Recipe("),
    "diverging loss": (
        NETWORK.replace("shift=1", "optimizer='sgd', lr=1e9, loss='mse'").replace("epochs=2", "epochs=9"),
        "lower",
    ),
    "weights that are missing": (NETWORK + "\nweights = 'mine.safetensors'", "names no file beside the submission"),
    "wrong shape": (
        estimator(predict="return np.zeros((len(images), 2, 15))"),
        "mine.py, line 11, in predict: predict() returned shape (12, 2, 15)",
    ),
    "wrong dtype": (estimator(predict="return np.full((len(images), 15, 2), 'x')"), "array of floats"),
    "NaN": (estimator(predict="return np.full((len(images), 15, 2), np.nan)"), "NaN or Inf for"),
    "Inf": (estimator(predict="return np.full((len(images), 15, 2), np.inf)"), "NaN or Inf for"),
    "an error in fit": (estimator(fit="raise KeyError('gone')"), "mine.py, line 8, in fit: KeyError while training"),
    "an error without words": (
        estimator(fit="from harness.errors import SubmissionError; raise SubmissionError('')"),
        "it gave up without a reason",
    ),
    "it kills itself": (estimator(fit="import os; os.kill(os.getpid(), 9)"), "ended by signal SIGKILL, which it may"),
    "sys.exit(0)": (estimator(fit="sys.exit(0)"), "called sys.exit(0) while training"),
    "os._exit(0)": (estimator(fit="os._exit(0)"), "without an error while training"),
    "a crash of the interpreter": (estimator(fit="import ctypes; ctypes.string_at(0)"), "segmentation fault"),
    "an endless loop": (estimator(fit="while True: pass"), "time limit of 8 s"),
    "100 MB of prints": (estimator(fit="print('x' * 100_000_000)"), "it printed more than 10 MiB"),
    "memory past the limit": (estimator(fit="np.ones(10**9)"), "memory"),
    # What torch says of a full card where it cannot ask NVML who fills it.
    "a full card": (
        estimator(fit="raise RuntimeError('NVML_SUCCESS == r INTERNAL ASSERT FAILED at CUDACachingAllocator.cpp')"),
        "memory while training",
    ),
}

SEARCHED = (
    NETWORK.replace("return 16 + 16", "return self.centre + 16").replace(
        "build_model(layout, image_size):\n    return Net()",
        "build_model(layout, image_size, *, centre=90):\n    net = Net()\n    net.centre = centre\n    return net",
    )
    + """
def search_space(trial):
    return {"centre": trial.suggest_int("centre", 14, 18), "lr": trial.suggest_float("lr", 1e-3, 1e-2, log=True)}
"""
)
"""It starts far from every face, so that any trial does better."""
