"""When a submission gets the images to predict, and what becomes of what it says from then on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from support.submissions import estimator, grade
from support.tiny import Tiny

from harness.benchmark import load_benchmark
from harness.cli.grade import main
from harness.datasets.secret import new_secret
from harness.places import shipped
from harness.runs.inputs import hand_over

LOOKS = estimator(fit="print(os.path.exists('../input/asked.npy'))")
WRITES = estimator(predict="open('../input/asked.npy', 'r+b')")

TALKS = estimator(
    fit="print('learnt', 'from', len(images))",
    predict="print('first pixel', images[0, 0, 0]); return np.full((len(images), 15, 2), 48.0)",
)
FAILS = estimator(fit="print('learnt')", predict="raise ValueError(f'first pixel {images[0, 0, 0]}')")


@pytest.mark.parametrize(("rule", "there"), [("", "False"), ("after", "False"), ("during", "True")])
def test_held_out_images_arrive_when_training_has_ended_unless_the_card_says_otherwise(
    tiny: Tiny, rule: str, there: str
) -> None:
    if rule:
        tiny.card.write_text(f"{tiny.card.read_text()}\n[submission]\nheld_out_images = '{rule}'\n")

    code, entry = grade(tiny, LOOKS)

    assert (code, entry["log_tail"]) == (0, f"{there}\n")


def test_held_out_images_may_not_be_changed(tiny: Tiny) -> None:
    code, entry = grade(tiny, WRITES)

    assert code == 2 and "your submission may not open" in entry["reason"]


def test_the_images_are_as_open_to_a_user_of_its_own_as_other_inputs(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    images, asked = tmp_path / "input" / "images.npy", tmp_path / "input" / "asked.npy"
    images.touch()
    images.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(images, 0, 61_000)

    hand_over(tmp_path, np.zeros((2, 8, 8), np.uint8))

    assert (asked.stat().st_mode, asked.stat().st_gid) == (images.stat().st_mode, images.stat().st_gid)
    assert len(np.load(asked)) == 2


def grade_in_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, submission: str
) -> tuple[dict[str, object], str, str]:
    """Grade on eight secret faces; the entry, the teacher's log, and what the competitor must not hear."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HARNESS_SECRET_SEED", new_secret())
    lines = (shipped("data") / "rendered" / "benchmark.toml").read_text().splitlines()
    counts = {"training =": "training = 8", "held_out =": "held_out = 8"}
    Path("few.toml").write_text("\n".join(counts.get(line[:10], line) for line in lines))
    assert load_benchmark("few.toml").data.training == 8
    Path("mine.py").write_text(submission)

    main(["mine.py", "--benchmark", "few.toml", "--json", "entry.json", "--out", "result", "--no-record"])

    return json.loads(Path("entry.json").read_text()), Path("result/mine/log.txt").read_text(), "first pixel"


def test_what_is_printed_with_secret_faces_at_hand_is_for_the_teacher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    entry, log, shown = grade_in_secret(tmp_path, monkeypatch, TALKS)

    assert entry["status"] == "graded" and entry["log_tail"] == "learnt from 8\n"
    assert shown in log and log.startswith("[For the teacher alone")
    assert shown not in "".join(capfd.readouterr())


def test_so_is_the_reason_why_it_failed_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    entry, log, shown = grade_in_secret(tmp_path, monkeypatch, FAILS)

    assert entry["status"] == "failed" and entry["log_tail"] == "learnt\n"
    assert "it failed after it had got the held-out images, which are secret" in str(entry["reason"])
    assert f"ValueError while predicting: {shown}" in log
    assert shown not in "".join(capfd.readouterr())


def test_a_reason_from_before_is_for_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry, log, _ = grade_in_secret(tmp_path, monkeypatch, estimator(fit="raise ValueError('too few')"))

    assert "ValueError while training: too few" in str(entry["reason"])
    assert log == entry["log_tail"]
