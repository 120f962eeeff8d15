"""The page "Bring your own data", done as it says: each section's card saved, its files put there, its commands run."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest
from support.pictures import WRITERS, draw_pictures
from support.tiny import REPOSITORY

from harness.benchmark import load_benchmark
from harness.cli import main as harness
from harness.cli.grade import main as grade

SECTIONS = (REPOSITORY / "data" / "bring-your-own.md").read_text().split("\n## ")[1:]


def test_the_page_has_a_section_for_every_reader_of_pictures() -> None:
    assert [re.search('reader = "(.*)"', section)[1] for section in SECTIONS] == list(WRITERS)


@pytest.mark.parametrize("section", SECTIONS, ids=list(WRITERS))
def test_a_section_works_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], section: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    card, commands = (re.search(f"```{kind}\n(.*?)```", section, re.S)[1] for kind in ("toml", "sh"))
    path = Path(re.match("# (.*)", card)[1])
    path.parent.mkdir(parents=True)
    path.write_text(card)
    benchmark = load_benchmark(path)
    keypoints = len(benchmark.layout)
    write = WRITERS[benchmark.data.reader]
    training, held_out = (draw_pictures(keypoints, count, seed=count, busy=True) for count in (12, 4))
    write(path.parent, benchmark.layout, training, held_out)

    files = re.findall("^    (.*)", section, re.M)
    assert files and all(Path(each).exists() for each in files)
    for command in commands.splitlines():
        name, *words = shlex.split(command)
        assert (grade if name == "grade" else harness)(words) == 0
    shown = capsys.readouterr().out
    assert (
        f"{keypoints} keypoints ({benchmark.layout.name})" in shown and "mean pixel error" in shown and "nme" in shown
    )
    with (Path("leaderboard") / f"{benchmark.name}.csv").open() as file:
        row = next(csv.DictReader(file))
    assert row["status"] == "graded" and float(row["nme"]) > 0
