"""A teacher's own grade book, as Canvas or Moodle exports it: the grades are filled in, nothing else is changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UsageError
from harness.files import read_regular
from harness.submission.hand_ins import Student

_LONGEST = 2**26
_USUAL = 100.0
"""The highest grade where the file does not say."""
_IDS = ("ID", "SIS User ID", "SIS Login ID", "Identifier", "Email address", "ID number", "Username")
_ASSIGNMENT = re.compile(r"(?P<name>.+) \((?P<id>\d+)\)", re.DOTALL)


@dataclass
class GradeBook:
    """A grade book, cell by cell as it stands in the file.

    Attributes:
        path: where it was read from.
        records: for each line its cells, quotes included, and what ends it.
        delimiter: between cells.
        names: position of the students' names.
        ids: positions of the columns by which a student may be known.
        grade: position of the column to fill in.
        highest: position of the column with the highest grade, or for all of them the grade itself.
        students: index of a line -> whose it is.
    """

    path: Path
    records: list[tuple[list[str], str]]
    delimiter: str
    names: int
    ids: list[int]
    grade: int
    highest: int | float
    students: dict[int, Student] = field(default_factory=dict)

    def line_of(self, student: Student) -> int | None:
        """The line of a student, by a number, a login or an address, else by name; None unless there is just one."""
        ids, names = {each.casefold() for each in student.ids}, _forms_of(student.name)
        for lines in (
            [line for line, other in self.students.items() if ids & {each.casefold() for each in other.ids}],
            [line for line, other in self.students.items() if names & _forms_of(other.name)],
        ):
            if len(lines) == 1:
                return lines[0]
        return None

    def filled(self, shares: Mapping[int, float]) -> bytes:
        """The file again, with grades: for each line the share, from 0 to 1, of the highest grade."""
        lines = []
        for number, (cells, end) in enumerate(self.records):
            written = list(cells)
            if number in shares:
                grade = f"{round(shares[number] * self._highest(cells), 2):g}"
                written[self.grade] = f'"{grade}"' if cells[self.grade].startswith('"') else grade
            lines.append(self.delimiter.join(written) + end)
        return "".join(lines).encode()

    def _highest(self, cells: list[str]) -> float:
        return self.highest if isinstance(self.highest, float) else _number(cells[self.highest]) or _USUAL


def read_grade_book(path: Path, assignment: str | None = None) -> GradeBook:
    """Read a grade book.

    Args:
        path: the file that Canvas or Moodle exported.
        assignment: the title or number of Canvas's column; not needed where there is one.

    Raises:
        UsageError: it is not such a file, or the column is not clear.
    """
    try:
        text = read_regular(path, _LONGEST).decode()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8; export the grade book as CSV anew") from error
    first_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)
    records = _records(path, text, delimiter)
    header = [_plain(cell) for cell in records[0][0]]
    if {"Student", "ID"} <= set(header):
        return _canvas(path, records, delimiter, header, assignment)
    if {"Identifier", "Full name", "Grade"} <= set(header):
        highest = header.index("Maximum Grade") if "Maximum Grade" in header else _USUAL
        return _book(path, records, delimiter, header, "Full name", header.index("Grade"), highest, 1)
    raise UsageError(
        f"{path}: is neither Canvas's grade book (columns Student, ID, ...) nor Moodle's grading worksheet (columns "
        "Identifier, Full name, Grade, ...); export it anew as CSV"
    )


def _canvas(
    path: Path, records: list[tuple[list[str], str]], delimiter: str, header: list[str], assignment: str | None
) -> GradeBook:
    titles = {title: match for title in header if (match := _ASSIGNMENT.fullmatch(title))}
    wanted = [
        title
        for title, match in titles.items()
        if assignment is None or assignment in (title, match["name"], match["id"])
    ]
    if len(wanted) != 1:
        raise UsageError(
            f"{path}: {'no' if not wanted else 'more than one'} column "
            + (f"is the assignment {assignment!r}" if assignment else "is an assignment's")
            + f"; name one with --assignment: {', '.join(titles) or 'there is none, so export the grade book anew'}"
        )
    grade = header.index(wanted[0])
    possible = [
        number
        for number, (cells, _) in enumerate(records[:4])
        if _plain(cells[0]).strip().startswith("Points Possible")
    ]
    first = possible[0] + 1 if possible else 1
    cells = records[possible[0]][0] if possible else []
    highest = _number(cells[grade]) if grade < len(cells) else None
    return _book(path, records, delimiter, header, "Student", grade, highest or _USUAL, first)


def _book(
    path: Path,
    records: list[tuple[list[str], str]],
    delimiter: str,
    header: list[str],
    names: str,
    grade: int,
    highest: int | float,
    first: int,
) -> GradeBook:
    ids = [header.index(name) for name in _IDS if name in header]
    book = GradeBook(path, records, delimiter, header.index(names), ids, grade, highest)
    for line, (cells, _) in enumerate(records):
        if line < first or not any(_plain(cell) for cell in cells):
            continue
        if len(cells) != len(header):
            raise UsageError(f"{path}, record {line + 1}: has {len(cells)} cells, and the first line {len(header)}")
        known = [_plain(cells[position]).removeprefix("Participant ") for position in ids]
        book.students[line] = Student(_plain(cells[book.names]), tuple(each for each in known if each))
    return book


def _records(path: Path, text: str, delimiter: str) -> list[tuple[list[str], str]]:
    cell = re.compile(rf'"(?:[^"]|"")*"|[^{re.escape(delimiter)}\r\n]*')
    after = re.compile(rf"{re.escape(delimiter)}|\r\n|\n|\r|\Z")
    records: list[tuple[list[str], str]] = []
    cells: list[str] = []
    position = 0
    while position < len(text) or cells:
        found = cell.match(text, position)
        end = after.match(text, found.end()) if found else None
        if found is None or end is None:
            raise UsageError(f"{path}, record {len(records) + 1}: has a quote that does not fit; export the file anew")
        cells.append(found[0])
        position = end.end()
        if end[0] != delimiter:
            records.append((cells, end[0]))
            cells = []
    if not records:
        raise UsageError(f"{path}: is empty; export the grade book as CSV anew")
    return records


def _plain(cell: str) -> str:
    cell = cell.removeprefix("\ufeff")
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _number(cell: str) -> float | None:
    try:
        return float(_plain(cell).replace(",", "."))
    except ValueError:
        return None


def _forms_of(name: str) -> set[str]:
    """A name as systems write it: "Ana Example", "Example, Ana" and "exampleana" have a form in common."""
    words = re.findall(r"\w+", name.casefold().replace("_", " "))
    return {"".join(words[first:] + words[:first]) for first in range(len(words))}
