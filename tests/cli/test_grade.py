"""The ``grade`` command from end to end: every way a submission can go right or wrong, by what a user types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.submissions import FAILURES, MEAN_FACE, NETWORK, estimator, first_row, grade
from support.tiny import Tiny

from harness.benchmark import load_benchmark
from harness.cli.grade import main
from harness.datasets.opening import open_split
from harness.grading.predictions import write_wide
from harness.keypoints import FACE15
from harness.submission import source


def test_a_network_is_trained_scored_and_put_on_the_board(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    code, entry = grade(tiny, NETWORK)

    assert code == 0
    assert entry["status"] == "graded" and entry["reason"] is None
    score = entry["scores"]["mean_pixel_error"]
    assert score["low"] <= score["value"] <= score["high"]
    assert entry["parameters"] == 32 * 32 * 30 + 30
    assert entry["recipe"]["epochs"] == 2 and entry["networks"][0]["epochs"] == 2
    assert 0 < entry["seconds"]["training"] < entry["seconds"]["total"]
    assert set(entry["fingerprints"]) == {"source", "data", "card", "harness"}
    assert set(entry["strata"]) == {"full", "partial"}
    row = first_row()
    assert (row["rank"], row["submission"], row["status"]) == ("1", "mine", "graded")
    assert float(row["mean_pixel_error"]) == pytest.approx(score["value"], abs=1e-4)
    assert "mean pixel error" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_score_and_another_seed_another(tiny: Tiny) -> None:
    fixed = ("--threads", "1")  # the number that suits a machine depends on what else it does
    values = [grade(tiny, NETWORK, "--seed", seed, *fixed)[1]["scores"]["mean_pixel_error"]["value"] for seed in "112"]

    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize("number", [1, 2])
def test_threads_fixes_the_number_of_threads(tiny: Tiny, number: int) -> None:
    _, entry = grade(tiny, NETWORK, "--threads", str(number))

    assert entry["device"] == f"cpu ({number} thread{'s' * (number > 1)})"


def test_an_estimator_of_ones_own_is_graded(tiny: Tiny) -> None:
    code, entry = grade(tiny, MEAN_FACE)

    assert code == 0
    assert entry["description"] == "The mean of the training faces, for every image."
    # Faces move by up to 3 pixels along each axis around their mean.
    assert 1 < entry["scores"]["mean_pixel_error"]["value"] < 4
    assert "same prediction" in entry["mistakes"][0]


def test_weights_are_saved_and_then_loaded_instead_of_trained(tiny: Tiny) -> None:
    _, trained = grade(tiny, NETWORK, "--threads", "1", "--save-weights", "submissions/mine.safetensors")
    _, loaded = grade(tiny, NETWORK + '\nweights = "mine.safetensors"\n', "--threads", "1")

    assert loaded["scores"] == trained["scores"]
    assert loaded["networks"][0]["epochs"] is None
    assert (trained["trained"], loaded["trained"]) == ("here", "brought")


def test_a_folder_may_import_its_own_modules(tiny: Tiny) -> None:
    folder = tiny.root / "submissions" / "team"
    folder.mkdir(parents=True)
    (folder / "submission.py").write_text("from parts import build_model, recipe")
    (folder / "parts.py").write_text(NETWORK)

    assert main([str(folder), "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 0
    assert first_row()["submission"] == "team"


def test_what_lies_beside_a_submission_is_out_of_its_sight(tiny: Tiny) -> None:
    tiny.submission("ANSWER = 42", "rival.py")

    code, entry = grade(tiny, "import rival\n" + MEAN_FACE)

    assert code == 2
    assert "rival" in entry["reason"]


@pytest.mark.parametrize("case", FAILURES)
def test_what_goes_wrong_is_an_entry_with_a_reason(tiny: Tiny, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    text, reason = FAILURES[case]
    limit = "8s" if case == "an endless loop" else "60s"

    code, entry = grade(tiny, text, "--time-limit", limit)

    assert code == 2
    assert entry["status"] == "failed" and entry["scores"] == {} and entry["band"] is None
    assert reason in entry["reason"]
    assert first_row()["status"] == "failed"
    assert "FAILED" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"\x80\x04K\x01.", b"", b"\xff" * 64], ids=["a pickle", "nothing", "too long"])
def test_weights_that_are_no_safetensors_are_not_written_and_the_entry_says_so(
    tiny: Tiny, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    forging = f"    def eval(self):\n        open('../output/weights.safetensors', 'wb').write({content!r})\n"
    text = NETWORK.replace("def build_model", forging + "        return super().eval()\n\ndef build_model", 1)

    code, entry = grade(tiny, text, "--save-weights", "saved.safetensors")

    assert code == 0 and not Path("saved.safetensors").exists()
    (flag,) = entry["flags"]
    assert "weights.safetensors is not a safetensors file" in flag and "it was not kept" in flag
    assert f"- {flag}" in capsys.readouterr().out


def test_what_a_submission_only_says_is_marked_and_a_gpu_that_it_was_not_given_is_not_believed(tiny: Tiny) -> None:
    boast = "from harness.submission.contract import EstimatorLearner\n"
    boast += "EstimatorLearner.facts = lambda self: {'device': 'cuda (NVIDIA A100)', 'parameters': 7}"

    code, entry = grade(tiny, estimator(top=boast))

    assert code == 0
    assert entry["device"] == "cpu" and entry["parameters"] == 7
    assert {"device", "parameters", "recipe"} <= set(entry["told"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\x80\x04K\x01.", "cannot be read as safetensors"), (None, "does not fit what build_model builds")],
    ids=["a pickle", "weights of another network"],
)
def test_weights_that_cannot_be_loaded(tiny: Tiny, content: bytes | None, reason: str) -> None:
    tiny.submission("", "mine.safetensors")
    if content is None:
        from safetensors.numpy import save

        content = save({"layers.1.weight": np.zeros((2, 2), np.float32)})
    (tiny.root / "submissions" / "mine.safetensors").write_bytes(content)

    code, entry = grade(tiny, NETWORK + "\nweights = 'mine.safetensors'")

    assert code == 2
    assert reason in entry["reason"]


def test_what_it_printed_last_stands_in_the_entry_but_speaks_no_ci_commands(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    _, entry = grade(tiny, estimator(fit="print('::error::gotcha'); raise ValueError('\\n::error::got you')"))

    assert "::error::gotcha" in entry["log_tail"]
    assert not any(line.strip().startswith("::") for line in capsys.readouterr().out.splitlines())


def test_one_bad_submission_does_not_take_the_others_along(tiny: Tiny) -> None:
    good, bad = tiny.submission(MEAN_FACE, "good.py"), tiny.submission("1 / 0", "bad.py")

    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data)]
    code = main([str(bad), "submissions/gone.py", str(good), "--json", "all.json", *data])

    assert code == 2
    assert [entry["status"] for entry in json.loads(Path("all.json").read_text())] == ["failed", "failed", "graded"]


def test_a_fault_of_the_harness_in_one_grading_does_not_lose_the_others(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, good = tiny.submission(MEAN_FACE, "broken.py"), tiny.submission(MEAN_FACE, "good.py")
    find = source.find_source

    def fail_once(submission: str) -> source.Source:
        if submission == str(broken):
            raise RecursionError("a fault of ours")
        return find(submission)

    monkeypatch.setattr(source, "find_source", fail_once)
    code = main([str(broken), str(good), "--benchmark", str(tiny.card), "--data", str(tiny.data)])

    assert code == 3
    assert first_row()["submission"] == "good"
    assert "broken.py: the harness failed (RecursionError); please report it" in capsys.readouterr().err


def test_a_missing_submission_is_a_sentence(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.submission(MEAN_FACE, "mean_face.py")

    code = main(["submissions/mean_fase.py", "--benchmark", str(tiny.card), "--data", str(tiny.data)])

    assert code == 2
    assert "did you mean submissions/mean_face.py?" in capsys.readouterr().out


def test_a_csv_of_predictions_is_graded_without_running_anything(tiny: Tiny) -> None:
    held_out = open_split(load_benchmark(tiny.card), tiny.data).held_out
    perfect = np.nan_to_num(held_out.keypoints)
    write_wide(tiny.root / "perfect.csv", perfect, np.arange(1, len(held_out) + 1), FACE15)

    code = main(["perfect.csv", "--benchmark", str(tiny.card), "--data", str(tiny.data), "--json", "entry.json"])

    entry = json.loads(Path("entry.json").read_text())
    assert code == 0
    assert entry["scores"]["mean_pixel_error"]["value"] < 1e-3
    assert (entry["band"], entry["isolation"]) == ("outstanding", "no code")


@pytest.mark.parametrize(("band", "expected"), [("very_good", 0), ("outstanding", 1)])
def test_require_sets_the_exit_code(tiny: Tiny, band: str, expected: int) -> None:
    code, _ = grade(tiny, MEAN_FACE, "--require", band, "--no-record")

    assert code == expected
    assert not Path("leaderboard").exists()


def test_a_device_that_is_not_there_is_the_machines_fault(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.submission(NETWORK)

    code = main([str(path), "--benchmark", str(tiny.card), "--data", str(tiny.data), "--device", "mps"])

    assert code == 3
    assert "--device cpu" in capsys.readouterr().err
    assert not Path("leaderboard").exists()


def test_required_isolation_fails_closed(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.submission(MEAN_FACE)
    options = ["--benchmark", str(tiny.card), "--data", str(tiny.data), "--isolation", "none"]

    assert main([str(path), *options, "--require-isolation", "landlock"]) == 3
    assert "weaker than landlock" in capsys.readouterr().err
    assert not Path("leaderboard").exists()


def test_without_isolation_the_entry_and_the_board_say_so(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    code, entry = grade(tiny, MEAN_FACE, "--isolation", "none")

    assert code == 0
    assert entry["isolation"] == first_row()["isolation"] == "none"
    assert "isolation: NONE" in capsys.readouterr().out


def test_a_board_takes_entries_of_one_data_set(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    grade(tiny, MEAN_FACE)
    tiny.card.write_text(tiny.card.read_text().replace("seed = 0", "seed = 1"))

    path = tiny.submission(MEAN_FACE)
    arguments = [str(path), "--benchmark", str(tiny.card), "--data", str(tiny.data)]

    assert main(arguments) == 3
    assert "--board NAME" in capsys.readouterr().err
    assert main([*arguments, "--board", "second"]) == 0


def test_a_leaderboard_that_cannot_be_written_loses_nothing(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tiny.root))
    Path("leaderboard").write_text("a file where a folder belongs")

    code, entry = grade(tiny, MEAN_FACE)

    assert code == 3
    rescued = Path(f"{entry['id']}.json")
    assert json.loads(rescued.read_text()) == entry
    assert str(rescued) in capsys.readouterr().err


def test_who_closes_the_pipe_early_loses_nothing(tiny: Tiny) -> None:
    words = [
        str(tiny.submission(MEAN_FACE)),
        "--benchmark",
        str(tiny.card),
        "--data",
        str(tiny.data),
        "--out",
        "result",
    ]
    command = f"from harness.cli.grade import main; raise SystemExit(main({words}))"
    reading, writing = os.pipe()
    os.close(reading)

    ended = subprocess.run(
        [sys.executable, "-c", command], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )

    os.close(writing)
    assert ended.returncode == 0 and "Traceback" not in ended.stderr
    assert first_row()["status"] == "graded" and Path("result/mine/predictions.csv").is_file()


def test_out_writes_a_folder_with_a_picture(tiny: Tiny) -> None:
    grade(tiny, MEAN_FACE, "--out", "result")

    names = {path.name for path in Path("result/mine").iterdir()}
    assert names == {"entry.json", "log.txt", "predictions.csv", "faces.png"}
    assert Path("result/mine/faces.png").stat().st_size > 10_000
