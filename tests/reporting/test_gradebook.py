"""A teacher's grade book comes back with grades, and with nothing else changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.reporting.gradebook import read_grade_book
from harness.submission.hand_ins import Student

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Keypoints (77),Essay (78),Final Score\r\n"
    "    Points Possible,,,,,20,10,(read only)\r\n"
    '"Example, Ana",101,S-1,ana1,"Group ""A""",,8,\r\n'
    '"Sample, Ben",102,S-2,ben2,B,"3",,"90,5"\r\n'
    '"Student, Test",103,,,,,,\r\n'
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments\n"
    'Participant 101,Ana Example,ana@uni.example,"Submitted for grading - ",,20.00,"two\nlines"\n'
    "Participant 102,Ben Sample,ben@uni.example,No submission,-,20.00,"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "book.csv"


def test_canvas_gets_the_assignments_column_filled_in(file: Path) -> None:
    file.write_bytes(CANVAS.encode())
    book = read_grade_book(file, "Keypoints")
    ana, ben = book.line_of(Student("exampleana", ("101",))), book.line_of(Student("sampleben", ("102",)))

    filled = book.filled({ana: 0.75, ben: 0.123456}).decode()

    assert filled == CANVAS.replace('A""",,8', 'A""",15,8').replace('B,"3"', 'B,"2.47"')
    assert book.filled({}) == CANVAS.encode()
    assert [student.name for student in book.students.values()] == ["Example, Ana", "Sample, Ben", "Student, Test"]


def test_moodle_gets_its_grades_filled_in(file: Path) -> None:
    file.write_bytes(MOODLE.encode())
    book = read_grade_book(file)

    filled = book.filled({book.line_of(Student("Ana Example", ("101",))): 0.5}).decode()

    assert filled == MOODLE.replace('- ",,20.00', '- ",10,20.00')


@pytest.mark.parametrize(
    "student",
    [
        Student("?", ("102",)),
        Student("?", ("S-2",)),
        Student("?", ("BEN2",)),
        Student("sampleben"),
        Student("Ben Sample"),
        Student("Sample, Ben"),
    ],
    ids=str,
)
def test_a_student_is_found_by_number_login_or_name(student: Student, file: Path) -> None:
    file.write_text(CANVAS)

    assert read_grade_book(file, "77").line_of(student) == 3


def test_two_of_one_name_are_not_guessed(file: Path) -> None:
    file.write_text(CANVAS.replace("Student, Test", "Sample, Ben"))

    assert read_grade_book(file, "77").line_of(Student("Ben Sample")) is None


@pytest.mark.parametrize(
    ("text", "assignment", "problem"),
    [
        (CANVAS, None, r"more than one column is an assignment's; name one with --assignment: Keypoints \(77\), Essay"),
        (CANVAS, "Exam", "no column is the assignment 'Exam'"),
        ("Name,Mark\nAna,3\n", None, "is neither Canvas's grade book"),
        ("", None, "is empty"),
        (MOODLE + '\nParticipant 103,"Cleo" Trial,,,,,', None, "record 4: has a quote that does not fit"),
        (MOODLE + "\nParticipant 103,Cleo", None, "record 4: has 2 cells, and the first line 7"),
    ],
)
def test_what_is_not_a_grade_book_is_refused(text: str, assignment: str | None, problem: str, file: Path) -> None:
    file.write_text(text)

    with pytest.raises(UsageError, match=r"book\.csv") as refused:
        read_grade_book(file, assignment)

    assert refused.match(problem)
