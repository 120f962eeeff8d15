"""`grade --class`: a whole class's submissions, from what the course's system exports to its grade book filled in."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.outputs import try_files, write
from harness.cli.parsing import say
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.grading.entry import Entry
    from harness.reporting.classlist import Line
    from harness.reporting.gradebook import GradeBook
    from harness.submission.hand_ins import HandIn
    from harness.submission.source import Source


def add_class_arguments(parser: argparse.ArgumentParser) -> None:
    """--class, --roster, --assignment and --grades."""
    group = parser.add_argument_group("a whole class")
    group.add_argument(
        "--class",
        dest="course",
        action="store_true",
        help="SUBMISSION is what a course's system exports (a folder or zip of Moodle, Canvas or Gradescope), or a "
        "folder with one folder per author",
    )
    group.add_argument(
        "--roster", type=Path, metavar="FILE", help="the grade book that Canvas or Moodle exported, to be filled in"
    )
    group.add_argument("--assignment", metavar="NAME", help="the column of Canvas's grade book (the only one)")
    group.add_argument(
        "--grades", type=Path, default=Path("grades.csv"), metavar="FILE", help="where grades are written (grades.csv)"
    )


@dataclass(frozen=True)
class Course:
    """A class that is graded.

    Attributes:
        hand_ins: what its students handed in.
        book: the teacher's grade book, if one was given.
        grades: where the grades are to be written.
        table: where the table of the class is written besides, if a grade book was given.
    """

    hand_ins: list[HandIn]
    book: GradeBook | None
    grades: Path
    table: Path | None

    @property
    def sources(self) -> list[Source]:
        """What there is to grade."""
        return [each.source for each in self.hand_ins if each.source is not None]

    def write(self, entries: Mapping[str, Entry]) -> None:
        """Write the grades, from the entries by their labels; a line for every student.

        Raises:
            MachineError: a file could not be written.
        """
        from harness.reporting.classlist import as_csv

        lines, shares = self._lines(entries)
        if self.book is None:
            write(self.grades, as_csv(lines))
        else:
            write(self.grades, self.book.filled(shares))
            if self.table:
                write(self.table, as_csv(lines))
        missing = sum(line.status == "nothing handed in" for line in lines)
        print(f"{self.grades}: {len(lines)} students, {missing} of whom handed nothing in")

    def _lines(self, entries: Mapping[str, Entry]) -> tuple[list[Line], dict[int, float]]:
        """A line a student, and the shares of the highest grade by the grade book's lines."""
        from harness.reporting.classlist import Line

        handed_in, on_roster, shares = [], {}, {}
        for hand_in in self.hand_ins:
            entry = entries.get(hand_in.source.label) if hand_in.source else None
            for student in hand_in.students:
                position = self.book.line_of(student) if self.book else None
                line = Line(student, hand_in, entry)
                if position is None:
                    handed_in.append(line)
                    continue
                on_roster[position] = line
                if entry is not None and entry.max_points:
                    shares[position] = (entry.points or 0.0) / entry.max_points
        if self.book is None:
            return handed_in, shares
        for line in handed_in:
            say(f"warning: {self.book.path}: has no line for {line.student.name}; enter that grade by hand")
        known = [on_roster.get(position, Line(student)) for position, student in self.book.students.items()]
        return [*known, *handed_in], shares


@contextmanager
def open_course(arguments: argparse.Namespace) -> Iterator[Course | None]:
    """The class that ``--class`` asks for, unpacked for as long as it is graded; None without it.

    Raises:
        UsageError: the arguments do not fit together, or nothing was handed in there.
        LoadError: a zip cannot be unpacked.
    """
    if not arguments.course:
        if arguments.roster or arguments.assignment:
            raise UsageError("--roster and --assignment go with --class")
        yield None
        return
    from harness.folders import job_folder
    from harness.reporting.gradebook import read_grade_book
    from harness.submission.hand_ins import find_hand_ins

    if len(arguments.submissions) > 1 or arguments.author:
        raise UsageError("--class goes with one folder or zip, whose students are the authors; leave --author out")
    book = read_grade_book(arguments.roster, arguments.assignment) if arguments.roster else None
    if arguments.roster and arguments.grades.exists() and arguments.grades.samefile(arguments.roster):
        raise UsageError(f"--grades {arguments.grades}: is the roster itself; name another file")
    try_files(arguments.grades)
    with job_folder() as work:
        hand_ins = find_hand_ins(Path(arguments.submissions[0]), work)
        yield Course(hand_ins, book, arguments.grades, arguments.out and arguments.out / "class.csv")
