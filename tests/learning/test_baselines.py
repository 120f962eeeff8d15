"""The baselines: each trains and scores, its docstring counts right, and the list of them is complete.

`harness.submission.source.baselines` says which there are, so that a new one is tested as soon as its file is there.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from support.tiny import FEW_FACES_CARD
from torch import nn

from harness import FACE15, Recipe, Split, load_baseline
from harness.benchmark import Benchmark, load_benchmark
from harness.cli.grade import main as grade_command
from harness.datasets.opening import open_split
from harness.grading.grade import grade
from harness.isolation.limits import GIB, Limits
from harness.isolation.outcome import Outcome, outcome
from harness.isolation.scratch import Scratch
from harness.isolation.tiers import Tier
from harness.learning.changes import changed
from harness.runs.conditions import Conditions
from harness.submission import source, worker
from harness.submission.source import baselines, find_source

NETWORKS = [
    name for name, path in baselines().items() if path.suffix == ".py" and "def build_model" in path.read_text()
]
LIMITS = Limits(seconds=3600, memory=8 * GIB)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Benchmark, Split]:
    """The card of 60 training faces, of which 24 have four keypoints, and 16 held-out ones; drawn once."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "few.toml").write_text(FEW_FACES_CARD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        benchmark = load_benchmark(folder / "few.toml")
        return folder / "few.toml", benchmark, open_split(benchmark)


def work_here(job: Path, *, on_message: Any, limits: Limits, **_: Any) -> Outcome:
    """Do a worker's job in this process; what it says is heard at once, since it waits for an answer."""
    (job / "log.txt").touch()  # which a launcher keeps
    ours, theirs = os.pipe()

    def hear() -> None:
        with os.fdopen(ours) as lines:
            for line in lines:
                on_message(json.loads(line))

    listener = threading.Thread(target=hear)
    listener.start()
    code = worker.main(job, theirs)
    os.close(theirs)
    listener.join()
    where = Scratch(job, limits, own_user=False)
    return outcome(code, None, limits=limits, seconds=0, peak_memory=0, log_tail="", held="", scratch=where)


OF_SEVERAL = ("ensemble", "specialists", "stacked")
"""They train many networks, a quarter of a minute each."""


def count(part: nn.Module) -> int:
    return sum(weight.numel() for weight in part.parameters())


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in OF_SEVERAL else name for name in baselines()]
)
def test_every_baseline_trains_and_scores(
    name: str, few: tuple[Path, Benchmark, Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graded as ever, for one epoch, but the worker's half runs in this process: starting one with torch costs seconds.

    Warnings are errors here, so a baseline is also free of those. The two tests of `grade NAME` start a real worker.
    """
    _, benchmark, split = few
    monkeypatch.setattr("harness.runs.job.launch", work_here)
    monkeypatch.setattr(sys, "path", list(sys.path))
    conditions = Conditions(device="cpu", overrides={"epochs": 1}, limits=LIMITS, tier=Tier.NONE)

    entry = grade(find_source(name), benchmark, split, conditions).entry

    assert (entry.status, entry.reason, entry.submission, entry.notes) == ("graded", None, name, [])
    assert math.isfinite(entry.scores["mean_pixel_error"].value)


@pytest.mark.parametrize("name", ["pca_ridge", "lenet"])
def test_a_baseline_is_graded_by_its_name(
    name: str, few: tuple[Path, Benchmark, Split], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, _, _ = few
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(card.parent))

    code = grade_command([name, "--benchmark", str(card), "--epochs", "1", "--device", "cpu", "--json", "entry.json"])

    assert code == 0
    assert json.loads(Path("entry.json").read_text())["submission"] == name


@pytest.mark.parametrize("name", NETWORKS)
def test_the_docstring_counts_the_parameters(name: str) -> None:
    """Of fifteen keypoints on 96 x 96 pixels."""
    baseline = load_baseline(name)

    assert f"{count(baseline.build_model(FACE15, (96, 96))):,}" in str(baseline.__doc__)


def test_the_sums_of_the_lecture() -> None:
    """On 28 x 28 pixels: a dense layer of 100, fields of 5 x 5 that share no weights, five of those over colour."""
    hidden_layer, receptive_fields = load_baseline("hidden_layer"), load_baseline("receptive_fields")
    dense = hidden_layer.HiddenLayer(15, (28, 28)).layers[:2]
    fields = receptive_fields.ReceptiveFields

    assert count(dense) == 78_500 and "78,500" in str(hidden_layer.__doc__)
    assert count(fields(1, (28, 28), fields=1)) == 14_976 and "14,976" in str(receptive_fields.__doc__)
    assert count(fields(3, (28, 28), fields=5)) == 218_880 and "218,880" in str(receptive_fields.__doc__)


def test_receptive_fields_that_do_share_their_weights_are_a_convolution() -> None:
    layer = load_baseline("receptive_fields").ReceptiveFields(3, (12, 10), fields=4, stride=2)
    shared = nn.Conv2d(3, 4, 5, stride=2)
    with torch.no_grad():
        layer.weight.copy_(shared.weight.flatten(1).unsqueeze(2).expand_as(layer.weight))
        layer.bias.copy_(shared.bias.unsqueeze(1).expand_as(layer.bias))
    images = torch.rand(2, 3, 12, 10)

    torch.testing.assert_close(layer(images), shared(images))


def test_every_trick_of_the_plain_cnn_changes_its_recipe_or_its_network() -> None:
    plain = load_baseline("plain_cnn")

    def described(changes: dict[str, Any]) -> tuple[Recipe, str]:
        recipe, build_model = changed(plain.recipe, plain.build_model, changes)
        return recipe, repr(build_model(FACE15, (96, 96)))

    for trick, changes in plain.variants.items():
        assert described(changes) != described({}), trick


def test_the_list_names_each_with_a_line_and_imports_none() -> None:
    code = "import sys; from harness.cli import main; main(['baselines'])\n"
    heavy = "print([m for m in ('torch', 'numpy', 'sklearn', 'timm') if m in sys.modules])"

    *lines, hint, imported = subprocess.run(
        [sys.executable, "-c", code + heavy], capture_output=True, text=True, check=True
    ).stdout.splitlines()

    assert [line.split()[0] for line in lines if line] == sorted(baselines())
    assert "One hidden layer of 100 units: where the course begins." in "\n".join(lines)
    assert "grade NAME" in hint and imported == "[]"


def test_a_file_whose_name_begins_with_an_underscore_is_no_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("alone.py", "_shared.py", "README.md"):
        (tmp_path / name).write_text("")
    monkeypatch.setattr(source, "shipped", lambda _: tmp_path)

    assert list(baselines()) == ["alone"]
