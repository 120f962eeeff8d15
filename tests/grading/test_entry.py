from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.entries import entry
from support.tiny import REPOSITORY

from harness.benchmark import load_benchmark
from harness.errors import LeaderboardError
from harness.grading.entry import Entry
from harness.reporting.console import report

SHIPPED = sorted((REPOSITORY / "leaderboard" / "entries").glob("*/*.json"))


def test_every_shipped_entry_can_be_read_and_shown() -> None:
    assert len(SHIPPED) >= 54
    for path in SHIPPED:
        each = Entry.read(path)
        assert each.submission in report(each, load_benchmark(each.benchmark)).splitlines()[0]


@pytest.mark.parametrize(
    ("training", "epochs"),
    [({}, []), ({"epochs": 60}, [60]), ({"networks": [{"epochs": 50}, {"epochs": 30}]}, [50, 30])],
    ids=["loads its weights", "a network", "an ensemble"],
)
def test_what_version_0_1_said_of_a_training_is_kept(tmp_path: Path, training: dict, epochs: list[int]) -> None:
    old = json.loads(entry("a", 1.0, recipe={"lr": 0.1}).to_json())
    for key in ("networks", "author", "trained", "overrides", "flags", "threads", "not_applied"):
        del old[key]
    (tmp_path / "a.json").write_text(json.dumps(old | {"training": training}))

    read = Entry.read(tmp_path / "a.json")

    assert [network["epochs"] for network in read.networks] == epochs
    assert (read.trained, read.name) == ("", "a")


def test_the_epochs_of_an_only_network_are_shown(tmp_path: Path) -> None:
    old = json.loads(entry("a", None).to_json())
    del old["networks"]
    (tmp_path / "a.json").write_text(json.dumps(old | {"training": {"epochs": 60}}))

    assert "60 epochs" in report(Entry.read(tmp_path / "a.json"), load_benchmark("rendered"))


def test_people_call_it_by_author_and_submission() -> None:
    assert (entry("model", 1.0, author="ana").name, entry("model", 1.0).name) == ("ana/model", "model")


def test_where_it_was_trained_is_one_of_three(tmp_path: Path) -> None:
    text = entry("a", 1.0, trained="here").to_json()
    (tmp_path / "a.json").write_text(text.replace('"here"', '"there"'))

    with pytest.raises(LeaderboardError, match="key 'trained'"):
        Entry.read(tmp_path / "a.json")
