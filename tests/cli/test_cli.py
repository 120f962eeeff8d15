"""The ``harness`` command and its subcommands, as they are typed."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.submissions import MEAN_FACE, NETWORK, estimator
from support.tiny import Tiny, draw_faces, write_kaggle

from harness.benchmark import load_benchmark
from harness.cli import main
from harness.cli.grade import main as grade
from harness.cli.parsing import Parser
from harness.cli.running import add_run_arguments, run_conditions
from harness.datasets.readers.kaggle import read_test, read_training
from harness.isolation.tiers import Tier
from harness.isolation.trial import Trial
from harness.keypoints import FACE15

COMMANDS = (
    *("new", "check", "predict", "score", "data", "leaderboard", "doctor"),
    *("baselines", "compare", "ablate", "tune", "blend", "course", "secret", "replay"),
)


def data(tiny: Tiny) -> list[str]:
    return ["--benchmark", str(tiny.card), "--data", str(tiny.data)]


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "harness"
)
def test_help_ends_in_examples(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*command, "--help"])

    assert left.value.code == 0
    assert "\nexamples:\n  " in capsys.readouterr().out


def test_help_of_grade_imports_nothing_heavy() -> None:
    code = "import sys; from harness.cli.grade import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    heavy = "print([m for m in ('torch', 'numpy', 'pandas', 'pydantic', 'cv2') if m in sys.modules])"

    shown = subprocess.run([sys.executable, "-c", code + heavy], capture_output=True, text=True, check=True).stdout

    assert "--time-limit" in shown and "exit code:" in shown
    assert shown.endswith("[]\n")


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            ["--nonsense"],
            ["x.py", "--time-limit", "soon"],
            ["x.py", "--memory-limit", "8q"],
            ["x.py", "--epochs", "0"],
        ),
        *(["x.py", "--device", name] for name in ("tpu", "cuda:", "cuda:x", "cpu:0")),
    ],
)
def test_a_wrong_argument_is_not_the_submissions_fault(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        grade(arguments)
    assert left.value.code == 3


@pytest.mark.parametrize("name", ["auto", "cpu", "mps", "cuda", "cuda:1"])
def test_a_device_may_have_a_number(name: str) -> None:
    parser = argparse.ArgumentParser()
    add_run_arguments(parser)
    assert parser.parse_args(["--device", name]).device == name


def test_new_writes_a_submission_that_runs_as_it_stands(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "first_try"]) == 0
    assert grade(["submissions/first_try.py", "--epochs", "1", *data(tiny)]) == 0
    assert main(["new", "first_try"]) == 3
    assert main(["new", "2fast"]) == 3
    assert "is there already" in capsys.readouterr().err


def test_check_keeps_off_the_held_out_faces_and_forecasts(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.submission(NETWORK)

    assert main(["check", str(path), *data(tiny)]) == 0

    shown = capsys.readouterr().out
    assert "the contract is kept" in shown and "forecast" in shown and "2 epochs" in shown
    assert not Path("leaderboard").exists()


def test_check_names_a_mistake(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.submission(MEAN_FACE.replace("self.mean[None]", "(self.mean[None] / 31)"))

    assert main(["check", str(path), *data(tiny)]) == 0
    assert "same prediction" in capsys.readouterr().out


def test_check_shows_the_reason_and_the_last_lines(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.submission(estimator(fit="print('so far so good'); raise ValueError('but no further')"))

    assert main(["check", str(path), *data(tiny)]) == 2
    shown = capsys.readouterr().err
    assert "but no further" in shown and "| so far so good" in shown


@pytest.mark.parametrize(("form", "suffix"), [("npy", "npy"), ("wide", "csv"), ("kaggle", "csv")])
def test_predict_then_score_is_grade(tiny: Tiny, form: str, suffix: str) -> None:
    path = tiny.submission(MEAN_FACE)
    out = f"predictions.{suffix}"

    assert main(["predict", str(path), "--out", out, "--format", form, *data(tiny)]) == 0
    assert main(["score", out, "--json", "scores.json", *data(tiny)]) == 0
    assert grade([str(path), "--json", "entry.json", *data(tiny)]) == 0

    scored = json.loads(Path("scores.json").read_text())["full"]["scores"]["mean_pixel_error"]["value"]
    graded = json.loads(Path("entry.json").read_text())["scores"]["mean_pixel_error"]["value"]
    assert scored == pytest.approx(graded, abs=1e-3)


def test_predict_writes_what_kaggle_asks_for(tiny: Tiny) -> None:
    path = tiny.submission(MEAN_FACE)
    pixels = " ".join(["0"] * 32 * 32)
    (tiny.data / "test.csv").write_text(f"ImageId,Image\n1,{pixels}\n2,{pixels}\n")
    asked = "RowId,ImageId,FeatureName,Location\n1,2,nose_tip_y,\n2,1,left_eye_center_x,\n"
    (tiny.data / "IdLookupTable.csv").write_text(asked)
    options = ["--images", "test", "--format", "kaggle", "--out", "submission.csv"]

    assert main(["predict", str(path), *options, *data(tiny)]) == 0

    header, first, second = Path("submission.csv").read_text().splitlines()
    assert header == "RowId,Location"
    # The mean face: the nose tip is the second dot of the fourth row, the left eye's centre the first of the first.
    assert float(first.split(",")[1]) == pytest.approx(20, abs=2)
    assert float(second.split(",")[1]) == pytest.approx(10, abs=2)


HOW_MANY = """
import numpy as np


class Counts:
    def fit(self, images, keypoints):
        self.faces = len(images)

    def predict(self, images):
        return np.full((len(images), 15, 2), self.faces, np.float32)


def build_estimator(layout, image_size):
    return Counts()
"""


def test_a_test_set_may_be_predicted_from_all_faces(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["predict", str(tiny.submission(HOW_MANY)), "--out", "points.npy", *data(tiny)]
    (tiny.data / "test.csv").write_text(f"ImageId,Image\n1,{' '.join(['0'] * 32 * 32)}\n")

    assert main([*command, "--images", "test"]) == 0
    assert np.load("points.npy")[0, 0, 0] < 48
    assert main([*command, "--images", "test", "--all-faces"]) == 0
    assert np.load("points.npy")[0, 0, 0] == 48
    assert main([*command, "--all-faces"]) == 3
    assert "--all-faces goes with --images test" in capsys.readouterr().err


def test_score_refuses_a_file_with_nan(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("predictions.npy", np.full((12, 15, 2), np.nan, np.float32))

    assert main(["score", "predictions.npy", *data(tiny)]) == 2
    assert "NaN" in capsys.readouterr().err


def test_data_info_describes_the_split(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "info", *data(tiny)]) == 0

    shown = capsys.readouterr().out
    assert "stratum full" in shown and "stratum partial" in shown and "fingerprint" in shown


def test_a_teacher_s_own_faces_are_held_out_by_every_command(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    write_kaggle(tiny.root / "exam", *draw_faces(7, seed=1))
    exam = tiny.root / "exam" / "training.csv"
    options = [*data(tiny), "--held-out", str(exam)]
    mean_face = str(tiny.submission(MEAN_FACE))

    assert main(["data", "info", *options]) == 0
    shown = capsys.readouterr().out
    assert "training     48 faces" in shown and "held out     7 faces" in shown
    assert main(["predict", mean_face, *options, "--out", "predictions.npy"]) == 0
    assert np.load("predictions.npy").shape == (7, 15, 2)
    assert main(["score", "predictions.npy", *options, "--json", "scores.json"]) == 0
    assert grade([mean_face, *options, "--json", "entry.json"]) == 0
    scored = json.loads(Path("scores.json").read_text())["full"]["scores"]["mean_pixel_error"]["value"]
    graded = json.loads(Path("entry.json").read_text())["scores"]["mean_pixel_error"]["value"]
    assert scored == pytest.approx(graded)


def test_held_out_faces_stay_out_of_a_submission_s_reach(tiny: Tiny) -> None:
    tiny.card.write_text(tiny.card.read_text().replace("held_out = 0.25", 'held_out = "card.csv"'))
    parser = Parser(examples="")
    add_run_arguments(parser)
    arguments = parser.parse_args([*data(tiny), "--held-out", "option.csv"])

    secrets = run_conditions(arguments, load_benchmark(tiny.card)).secrets

    assert {tiny.root / "card.csv", Path("option.csv")} < set(secrets)


def test_the_handout_holds_no_answer_and_reads_as_kaggles_files(tiny: Tiny) -> None:
    assert main(["data", "prepare", "--export", "handout", *data(tiny)]) == 0

    training = read_training(Path("handout"), FACE15, (32, 32))
    image_ids, images = read_test(Path("handout"), (32, 32))
    assert len(training) + len(images) == 48
    assert list(image_ids) == list(range(1, len(images) + 1))
    lookup = Path("handout/IdLookupTable.csv").read_text().splitlines()
    assert len(lookup) == 1 + len(images) * 30
    assert all(line.endswith(",") for line in lookup[1:])


def test_leaderboard_shows_the_best_of_each_and_rebuilds(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {"mean.py": MEAN_FACE, "net.py": NETWORK, "bad.py": "1 / 0"}.items():
        grade([str(tiny.submission(text, name)), *data(tiny)])
    grade([str(tiny.root / "submissions" / "mean.py"), *data(tiny)])
    capsys.readouterr()

    assert main(["leaderboard", "show"]) == 0
    best = capsys.readouterr().out
    assert main(["leaderboard", "show", "tiny", "--all"]) == 0
    every = capsys.readouterr().out
    assert (best.count(" mean  "), every.count(" mean  ")) == (1, 2)
    assert "bad" in best and "ZeroDivisionError" in best

    csv = Path("leaderboard/tiny.csv")
    before = csv.read_text()
    csv.unlink()
    assert main(["leaderboard", "rebuild"]) == 0
    assert csv.read_text() == before


def test_an_unknown_board_is_told(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "show"]) == 3
    assert "there are no entries yet" in capsys.readouterr().err


def test_doctor_tells_device_and_isolation(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def tried(device: str, tier: Tier) -> Trial:
        return Trial(device, tier, tier is Tier.NONE, "the card has no memory left")

    monkeypatch.setattr("harness.isolation.trial.try_device", tried)

    assert main(["doctor"]) == 0

    shown = capsys.readouterr().out
    assert "torch" in shown and "landlock" in shown
    assert "  cpu         none        works       the card has no memory left" in shown
