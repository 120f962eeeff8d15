"""Ablation: each trick against the submission as it is, and nothing done twice."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.submissions import NETWORK, SEARCHED
from support.tiny import Tiny

from harness.benchmark import load_benchmark
from harness.cli import main
from harness.datasets.faces import FaceSet
from harness.datasets.opening import open_split
from harness.learning.recipe import Recipe
from harness.runs.facts import Facts, NetworkFacts
from harness.runs.job import Job, Listener
from harness.runs.run import Run
from harness.runs.worker_log import Event

SHIFT_PX = 2.0
VARIANTS = {"half the shift": {"width": 1.0}, "=cmd()": {"width": 3.0}, "broken": {"width": -1.0}}


class Workers:
    """Stands in for the workers: predicts the answers, moved by ``width`` pixels, and a little more for other seeds."""

    def __init__(self, held_out: FaceSet) -> None:
        self.held_out = held_out
        self.variants: dict[str, Any] = VARIANTS
        self.overrides: list[dict[str, Any]] = []

    def run_job(self, job: Job, listen: Listener, is_over: Callable[[], bool], *_: object) -> Run:
        facts = Facts(variants=self.variants, networks=[NetworkFacts(recipe=Recipe(seed=5).as_dict())])
        if listen(Event(facts)):
            return Run(None, "it was stopped", facts=facts, stopped=True)
        self.overrides.append(job.conditions.overrides)
        moved = job.conditions.overrides.get("width", SHIFT_PX) + (job.conditions.overrides["seed"] - 5) / 2
        if moved < 0:
            return Run(None, "it cannot be narrower than nothing", training_seconds=4.0)
        points = np.nan_to_num(self.held_out.keypoints) + np.float32([moved, 0])
        return Run(points, None, facts=facts, training_seconds=10.0)


@pytest.fixture
def workers(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Workers:
    workers = Workers(open_split(load_benchmark(tiny.card), tiny.data).held_out)
    monkeypatch.setattr("harness.runs.executors.run_job", workers.run_job)
    return workers


def ablate(tiny: Tiny, *options: str, text: str = NETWORK) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code and table of an ablation, by trick."""
    path = tiny.submission(text)
    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data), "--device", "cpu"]
    code = main(["ablate", str(path), *data, *options])
    table = Path("mine.ablation.csv")
    rows = csv.DictReader(table.read_text().splitlines()) if table.exists() else []
    return code, {row["trick"]: row for row in rows}


def test_each_trick_is_measured_against_the_submission_as_it_is(
    workers: Workers, tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    code, table = ablate(tiny, "--json", "table.json")

    assert code == 0
    assert list(table) == ["as it is", "half the shift", "'=cmd()", "broken"]
    assert float(table["as it is"]["mean_pixel_error"]) == pytest.approx(SHIFT_PX, abs=1e-3)
    better = {name: float(table["half the shift"][name] or "nan") for name in table["as it is"] if "difference" in name}
    assert better == pytest.approx(dict.fromkeys(better, 1 - SHIFT_PX), abs=1e-3)
    assert float(table["'=cmd()"]["difference"]) == pytest.approx(3 - SHIFT_PX, abs=1e-3)
    assert table["broken"]["reason"] == "it cannot be narrower than nothing"
    assert table["half the shift"]["training_seconds"] == "10.0"
    assert table["broken"]["training_seconds"] == "4.0"
    assert {len(row[name]) for row in table.values() for name in ("source", "data")} == {12}
    shown = capsys.readouterr().out
    assert "half the shift" in shown and "-1.000" in shown and "broken" in shown
    assert [row["trick"] for row in json.loads(Path("table.json").read_text())][:2] == ["as it is", "half the shift"]
    assert not Path("leaderboard").exists()


def test_seeds_are_averaged_and_paired(workers: Workers, tiny: Tiny) -> None:
    _, table = ablate(tiny, "--seeds", "3")

    assert [each["seed"] for each in workers.overrides[:3]] == [5, 6, 7]
    # With half a pixel more for each further seed.
    assert float(table["as it is"]["mean_pixel_error"]) == pytest.approx(SHIFT_PX + 0.5, abs=1e-3)
    assert float(table["half the shift"]["difference"]) == pytest.approx(1 - SHIFT_PX, abs=1e-3)


def test_an_ablation_that_was_cut_off_goes_on_and_repeats_nothing(
    workers: Workers, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = ablate(tiny)
    ran = len(workers.overrides)
    kept = sorted(Path("mine.ablation").glob("*.npz"))
    kept[-1].rename(tiny.root / "gone")
    Path("mine.ablation.csv").unlink()
    workers.overrides.clear()

    _, again = ablate(tiny)

    assert (ran, len(kept)) == (4, 4)
    assert len(workers.overrides) == 1
    assert again == whole

    ablate(tiny, "--retry-failed")
    assert workers.overrides[1:] == [{"width": -1.0, "seed": 5}]


def test_another_recipe_is_graded_anew(workers: Workers, tiny: Tiny) -> None:
    ablate(tiny)
    workers.overrides.clear()

    ablate(tiny, "--epochs", "7")

    assert [each["epochs"] for each in workers.overrides] == [7, 7, 7, 7]


def test_kept_gradings_can_be_compared(workers: Workers, tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    ablate(tiny)
    first, *_, second = sorted(Path("mine.ablation").glob("[ah]*.npz"))

    assert main(["compare", str(first), str(second), "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 0
    assert "B - A  -1.000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("width", "told", "sentence"),
    [
        (2.0, {}, "variants is {}; write variants ="),
        (-9.0, VARIANTS, "fails before anything is changed: it cannot be narrower than nothing"),
    ],
)
def test_without_a_trick_or_a_start_there_is_no_table(
    width: float, told: Any, sentence: str, workers: Workers, tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    workers.variants = told
    Path("wide.json").write_text(json.dumps({"width": width}))

    code, table = ablate(tiny, "--recipe", "wide.json")

    assert (code, table) == (2, {})
    assert sentence in capsys.readouterr().err


def test_variants_of_a_submission_reach_its_network(tiny: Tiny) -> None:
    code, table = ablate(
        tiny, "--epochs", "1", text=SEARCHED + '\nvariants = {"centred": {"centre": 16, "lr": 0.01}}\n'
    )

    assert code == 0
    assert list(table) == ["as it is", "centred"]
    assert float(table["centred"]["difference_high"]) < -50
