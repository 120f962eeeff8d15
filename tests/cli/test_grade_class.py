"""`grade --class`: from what a course's system exports to the grade book filled in."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from support.submissions import FAILURES, MEAN_FACE, zipped
from support.tiny import Tiny

from harness.cli.grade import main

WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments\r\n"
    "Participant 101,Ana Example,ana@uni.example,Submitted,,20.00,\r\n"
    "Participant 102,Ben Sample,ben@uni.example,Submitted,,20.00,\r\n"
    'Participant 103,"Trial, Cleo",cleo@uni.example,No submission,-,20.00,\r\n'
)


@pytest.fixture
def moodle(tiny: Tiny) -> str:
    """Moodle's download: one that is good, one that fails, and two of people who are not on the roster, one broken."""
    files = {
        "Ana Example_101_assignsubmission_file/model.py": MEAN_FACE,
        "Ben Sample_102_assignsubmission_file/net.py": FAILURES["wrong shape"][0],
        "Dan Guest_109_assignsubmission_file/model.py": MEAN_FACE,
        "Eve Probe_110_assignsubmission_file/model.zip": "PK",
    }
    zipped(tiny.root / "moodle.zip", files)
    # Whoever is at most a thousand pixels off has full marks here.
    text = tiny.card.read_text()
    for band, edge in (("ok = 20.0", 3000), ("very_good = 10.0", 2000), ("outstanding = 0.5", 1000)):
        text = text.replace(band, f"{band.split()[0]} = {edge}.0")
    tiny.card.write_text(text)
    return str(tiny.root / "moodle.zip")


def grade_class(tiny: Tiny, *arguments: str) -> int:
    return main(["--class", "--benchmark", str(tiny.card), "--data", str(tiny.data), "--device", "cpu", *arguments])


def table(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(path).read_text().splitlines()))


def test_the_teachers_worksheet_comes_back_filled_in(
    tiny: Tiny, moodle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("worksheet.csv").write_bytes(WORKSHEET.encode())

    code = grade_class(tiny, moodle, "--roster", "worksheet.csv", "--out", "reports")

    assert code == 2  # one failed
    filled = Path("grades.csv").read_bytes().decode()
    assert filled == WORKSHEET.replace("Submitted,,20", "Submitted,20,20", 1).replace("Submitted,,20", "Submitted,0,20")
    lines = {line["student"]: line for line in table("reports/class.csv")}
    assert [line["status"] for line in lines.values()] == ["graded", "failed", "nothing handed in", "graded", "failed"]
    assert "returned shape" in lines["Ben Sample"]["reason"]
    assert lines["Eve Probe"]["reason"].startswith(
        "class/Eve Probe_110_assignsubmission_file/model.zip: cannot be unpacked"
    )
    said = capsys.readouterr()
    assert "worksheet.csv: has no line for Dan Guest; enter that grade by hand" in said.err
    assert "grades.csv: 5 students, 1 of whom handed nothing in" in said.out
    assert Path("reports/Ana-Example/model").is_dir()


def test_without_a_roster_every_student_has_a_line_with_points(tiny: Tiny, moodle: str) -> None:
    grade_class(tiny, moodle)

    lines = table("grades.csv")
    assert [(line["student"], line["id"], line["points"], line["max_points"]) for line in lines] == [
        ("Ana Example", "101", "3", "3"),
        ("Ben Sample", "102", "0", "3"),
        ("Dan Guest", "109", "3", "3"),
        ("Eve Probe", "110", "0", "3"),
    ]


def test_the_same_command_goes_on_where_it_was_interrupted(tiny: Tiny, moodle: str) -> None:
    codes = [grade_class(tiny, moodle, "--work", "work") for _ in range(2)]

    assert codes == [2, 2]
    assert len(table("leaderboard/tiny.csv")) == 4


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nowhere"], "nowhere: there is no such folder or zip"),
        (["a", "b"], "--class goes with one folder or zip"),
        (["moodle.zip", "--author", "ana"], "--class goes with one folder or zip"),
        (["moodle.zip", "--roster", "absent.csv"], "absent.csv: cannot be read"),
        (["moodle.zip", "--roster", "worksheet.csv", "--grades", "worksheet.csv"], "is the roster itself"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_anything_is_graded(
    arguments: list[str], problem: str, tiny: Tiny, moodle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("worksheet.csv").write_text(WORKSHEET)

    assert grade_class(tiny, *arguments) == 3
    assert problem in capsys.readouterr().err
    assert Path("worksheet.csv").read_text() == WORKSHEET.replace("\r\n", "\n")
    assert not Path("leaderboard").exists()
