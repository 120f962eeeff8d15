"""What scripts bring along that were written to run elsewhere, and what is said of it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from support.submissions import MEAN_FACE
from support.tiny import Tiny

from harness.cli import main
from harness.errors import HarnessError, LoadError
from harness.keypoints import FACE15
from harness.submission.contract import Settings, load_learner
from harness.submission.source import find_source
from harness.submission.traces import trace_of
from harness.submission.worker import _explained

SKLEARN = """
from sklearn.linear_model import Ridge

class Flat:
    def fit(self, images, keypoints):
        self.model = Ridge().fit(images.reshape(len(images), -1), keypoints.reshape(len(keypoints), -1))

    def predict(self, images):
        return self.model.predict(images.reshape(len(images), -1)).reshape(len(images), -1, 2)

def build_estimator(layout, image_size):
    return {}
"""
PIPELINE = "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler" + SKLEARN
FACES = re.escape("a submission reads no faces itself: fit(images, keypoints) gets those to learn from")


def failed(path: Path) -> BaseException:
    """What a submission raises as it is loaded and fitted to faces of which one lacks a keypoint."""
    keypoints = np.full((4, 15, 2), 3, np.float32)
    keypoints[0, 0] = np.nan
    before = list(sys.path), dict(sys.modules)
    try:
        learner = load_learner(path, FACE15, (6, 6), Settings("cpu", {}, None, lambda _: None))
        learner.fit(np.zeros((4, 6, 6), np.uint8), keypoints, np.arange(4))
    except BaseException as error:
        return error
    finally:
        sys.path[:] = before[0]
        for name in sys.modules.keys() - before[1].keys():
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(path.parent)):
                del sys.modules[name]
    raise AssertionError("it did not fail")


def said(path: Path) -> str:
    error = failed(path)
    return str(error if isinstance(error, HarnessError) else _explained(error, "loading", path))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("from helper import x", "No module named 'helper'; .* hand in a folder: mkdir mine && cp mine.py mine/sub"),
        ("import helper.parts", "if helper.py lies beside it, hand in a folder"),
        ("import torch; torch.load('best.pt')", "cannot read best.pt, since a single file is handed in alone; hand in"),
        (
            "import numpy as np; np.load('w/mean.npy')",
            "cp -r w/mean.npy mine/; then open Path.__file__",
        ),
        ("import pandas as pd; pd.read_csv('training.csv')", "mine.py, line 1: cannot read training.csv; " + FACES),
        ("open('../input/facial-keypoints-detection/training.zip')", FACES),
        ("import os; os.listdir('/kaggle/input')", FACES),
        ("open('/content/drive/MyDrive/faces.npz')", FACES),
        ("open('settings.txt')", "FileNotFoundError while loading: .*No such file.*settings.txt"),
        (
            "import argparse; p = argparse.ArgumentParser(); p.add_argument('data'); p.parse_args()",
            "asks for arguments",
        ),
        ("import sys; data = sys.argv[99]", "asks for arguments in sys.argv; a submission is run without arguments"),
        ("import sys; sys.exit(2)", r"it called sys.exit\(2\) while loading"),
        (SKLEARN.format("Ridge()"), r"dim 3.*; scikit-learn wants one row of numbers for each face: return an object"),
        (PIPELINE.format("make_pipeline(StandardScaler(), Ridge())"), "one row of numbers for each face"),
        (SKLEARN.format("Flat()"), "in fit: Input y contains NaN; keypoints are NaN where nobody labelled them: learn"),
    ],
)
def test_a_habit_of_elsewhere_gets_a_sentence_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mine.py"])
    (tmp_path / "mine.py").write_text(text)

    assert re.search(sentence, said(tmp_path / "mine.py"))


def test_the_remedy_for_a_helper_beside_a_single_file_works(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data)]
    tiny.submission(MEAN_FACE, "helper.py")
    path = tiny.submission("from helper import build_estimator")
    assert main(["check", str(path), *data]) == 2
    remedy = capsys.readouterr().err.splitlines()[0].split("hand in a folder: ")[1]

    subprocess.run(["sh", "-c", remedy], cwd=path.parent, check=True)

    assert set(find_source(path.with_suffix("")).files) == {"submission.py", "helper.py"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import torch; torch.load('best.pt')", "open Path(__file__).parent / 'best.pt'"),
        ("import torch; torch.load('other.pt')", "not in the folder that is handed in; put it there"),
        ("from random import mine", "random.py has the name of an installed module, which is imported in its place"),
        ("import random; random.mine()", "random.py has the name of an installed module"),
        ("from parts import missing", "cannot import name 'missing' from 'parts'"),
    ],
)
def test_a_folder_gets_a_remedy_for_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str
) -> None:
    monkeypatch.chdir("/")
    for name in ("random.py", "best.pt", "parts.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "submission.py").write_text(text)

    assert sentence in said(tmp_path / "submission.py")
    assert "parts.py has the name" not in said(tmp_path / "submission.py")


@pytest.mark.parametrize("name", ["random.py", "torch.py", "harness.py"])
def test_a_file_named_like_a_module_hides_nothing_and_a_parser_finds_no_arguments(tiny: Tiny, name: str) -> None:
    parsed = (
        "import argparse, random, torch\nargparse.ArgumentParser().parse_args()\nrandom.Random()\ntorch.nn.Linear\n"
    )
    path = tiny.submission(parsed + MEAN_FACE, name)

    assert main(["check", str(path), "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 0


def test_the_trace_shows_the_lines_of_the_submission_and_the_one_that_raised(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import pandas as pd\npd.read_csv('nowhere.csv')")

    trace = trace_of(failed(tmp_path / "mine.py"), tmp_path)

    files = [line.split('"')[1] for line in trace.splitlines() if line.startswith("  File ")]
    assert files[0] == "mine.py" and len(files) == 2 and files[1].endswith("common.py")
    assert trace.endswith("No such file or directory: 'nowhere.csv'\n")


def test_a_failure_names_the_file_once_and_shows_no_line_of_the_harness(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny.submission("import nothing_of_that_name")

    assert main(["check", str(path), "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 2

    shown = capsys.readouterr().err
    assert f"error: {path}, line 1: No module named 'nothing_of_that_name'; " in shown
    assert "worker.py" not in shown and "direct cause" not in shown


def test_a_checkpoint_gets_the_line_that_converts_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("weights = 'best.pt'")
    torch.save({"layer.bias": torch.ones(30)}, tmp_path / "best.pt")
    with pytest.raises(LoadError) as caught:
        find_source(tmp_path / "mine.py")
    line = str(caught.value).split("convert them (")[1].split("), or hand in")[0]

    subprocess.run([sys.executable, *shlex.split(line)[1:]], cwd=tmp_path, check=True)

    assert load_file(tmp_path / "mine.safetensors")["layer.bias"].sum() == 30
