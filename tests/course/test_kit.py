"""`harness course new`: the kit that it writes, and its pages and notebook followed to the letter."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.kits import Kit, cells, commands, write_kit

from harness.benchmark import load_benchmark
from harness.cli import main
from harness.course.kit import systems
from harness.course.wheel import wheel
from harness.datasets.secret import seed_of
from harness.submission.source import find_source

GRADED = [("ana", "graded"), ("ben", "failed"), ("cleo", "nothing handed in")]


def follow(kit: Kit, page: str, *, without: str = "nothing") -> None:
    """Type each command of a page in its folder. Only a class is graded with an exit code of 2, since one fails."""
    for command in commands(kit.folder / page):
        if command != without:
            code, said = kit.run(command, (kit.folder / page).parent)
            assert code == (2 if "grade --class" in command else 0), f"{command}\n{said}"


def class_of(kit: Kit) -> list[tuple[str, str]]:
    lines = csv.DictReader((kit.folder / "grades.csv").read_text().splitlines())
    return [(line["student"], line["status"]) for line in lines]


def test_a_class_of_three_is_graded_by_the_kits_own_page(tmp_path: Path) -> None:
    kit = write_kit(tmp_path / "vision", "plain")
    kit.shrink()

    follow(kit, "README.md", without="harness doctor")

    assert class_of(kit) == GRADED
    kit.run("harness course new ../again", kit.folder)  # the harness that the page installed writes the same kit
    (first, again) = (
        zipfile.ZipFile(next(kit.folder.parent.glob(f"{name}/students/*.whl"))) for name in ("vision", "again")
    )
    assert {each.filename for each in first.infolist()} == {each.filename for each in again.infolist()}
    assert (kit.folder / "reports" / "ana" / "model" / "entry.json").is_file()


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("system", systems())
def test_the_page_of_each_kit_holds_as_it_is_written(tmp_path: Path, system: str) -> None:
    kit = write_kit(tmp_path / "vision", system)
    if system != "plain":
        kit.shrink()  # one of them with the card as it is written will do

    follow(kit, "README.md")

    assert class_of(kit) == GRADED


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_students_page_holds_too(tmp_path: Path) -> None:
    kit = write_kit(tmp_path / "vision", "plain")
    kit.shrink()  # a dozen networks are trained to see what each trick is worth

    follow(kit, "students/README.md")

    assert (kit.folder / "students" / "result" / "my_model" / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_notebook_installs_trains_checks_and_makes_what_is_handed_in(tmp_path: Path) -> None:
    kit = write_kit(tmp_path / "vision", "plain")
    kit.shrink()
    colab = tmp_path / "content"
    colab.mkdir()
    (handed_out,) = (command for command in commands(kit.folder / "README.md") if "students.zip" in command)
    kit.run(handed_out, kit.folder)
    shutil.move(kit.folder / "students.zip", colab)

    here, said = colab, ""
    for lines in cells(kit.folder / "students" / "colab.ipynb"):
        if lines[0].startswith("%%writefile "):
            (here / lines[0].split()[1]).write_text("\n".join(lines[1:]) + "\n")
            continue
        python = "\n".join(line for line in lines if line[:1] not in ("!", "%"))
        for line in [*lines, f"!python3 - <<'END'\n{python}\nEND"]:
            if line.startswith("%cd "):
                here /= line.removeprefix("%cd ")
            elif line.startswith("!"):
                code, said = kit.run(line[1:], here)
                assert code == 0, f"{line}\n{said}"

    assert said == "hand in my_model.py or my_model.zip\n"
    assert find_source(here / "my_model.zip").brings_data


@pytest.mark.parametrize("system", systems())
def test_a_kit_is_whole(tmp_path: Path, system: str) -> None:
    kit = write_kit(tmp_path / "Vision 2027", system)

    files = {str(path.relative_to(kit.folder)): path for path in kit.folder.rglob("*") if path.is_file()}
    texts = {name: path.read_text() for name, path in files.items() if path.suffix not in (".whl", ".zip")}
    assert [name for name, text in texts.items() if re.search("@[A-Z]+@", text)] == []
    benchmark = load_benchmark(kit.card)
    assert (benchmark.name, benchmark.points.by) == ("vision-2027", "bands")
    assert seed_of(texts["secret/seed"].strip()) and files["secret/seed"].stat().st_mode & 0o077 == 0
    assert find_source(kit.folder / "students" / "submissions" / "example.py").entry
    json.loads(texts["students/colab.ipynb"])
    # A command that stands in a sentence is run by no test.
    spans = re.findall(r"`([^`\n]+)`", texts["README.md"] + texts["students/README.md"])
    assert [span for span in spans if re.match(r"(harness|grade|python3?|pip|git) (?!--class$|ablate$)", span)] == []


def test_a_repository_of_a_kit_holds_no_secret_and_no_grades(tmp_path: Path) -> None:
    kit = write_kit(tmp_path / "vision", "gradescope")
    for private in ("hand-ins/ana/model.py", "reports/class.csv", "grades.csv", "grades-before.csv"):
        (kit.folder / private).parent.mkdir(parents=True, exist_ok=True)
        (kit.folder / private).write_text("private")
    subprocess.run(["git", "init", "-q"], cwd=kit.folder, check=True)
    subprocess.run(["git", "add", "."], cwd=kit.folder, check=True)

    listed = subprocess.run(["git", "ls-files"], cwd=kit.folder, capture_output=True, text=True, check=True).stdout

    assert "secret/README.md" in listed
    assert not re.search(r"seed|autograder\.zip|hand-ins|reports|grades", listed)


@pytest.mark.parametrize(
    ("lay", "message"),
    [
        (
            lambda path: (path.mkdir(), (path / "notes.txt").touch()),
            "kit: holds files already, and a kit needs a folder",
        ),
        (lambda path: path.touch(), "kit: is a file, and a kit needs a folder of its own; name one that is not there"),
        (lambda path: path.symlink_to("nowhere"), "kit: could not be written: File exists"),
    ],
    ids=["a folder of files", "a file", "a broken link"],
)
def test_nothing_is_written_over(
    tmp_path: Path, lay: Callable[[Path], object], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(tmp_path / "kit")

    assert main(["course", "new", str(tmp_path / "kit")]) == 3

    assert message in capsys.readouterr().err
    assert [path for path in tmp_path.rglob("*") if path.name not in ("kit", "notes.txt")] == []


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Übung 1", "ubung-1"), ("CS229_fall", "cs229-fall"), ("課題", "course"), ("deep/down", "down")],
)
def test_the_folders_name_becomes_the_cards(tmp_path: Path, folder: str, name: str) -> None:
    kit = write_kit(tmp_path / folder, "plain")

    assert load_benchmark(kit.card).name == name
    assert f"leaderboard/{name}.csv" in (kit.folder / "README.md").read_text()


def test_an_empty_folder_is_taken_and_the_same_harness_makes_the_same_wheel(tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()

    write_kit(tmp_path / "kit", "plain")

    name, content = wheel()
    assert (tmp_path / "kit" / "students" / name).read_bytes() == content
