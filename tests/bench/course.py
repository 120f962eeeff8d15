"""Grades a class of 100, fifteen of whom hand in what hangs, crashes, attacks or is in a wrong form.

    PYTHONPATH=tests python tests/bench/course.py

From a zip as Moodle exports it to the grading worksheet filled in, two at a time. The command is killed once in the
middle and given again. Printed: whether every student has a line with a score or a reason, and how long it took.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

from support.submissions import FAILURES, MEAN_FACE, NETWORK
from support.tiny import CARD, draw_faces, write_kaggle

STUDENTS = 100
CHEATS = Path(__file__).parents[1] / "cheats"
BAD = {
    "hangs": ("model.py", FAILURES["an endless loop"][0]),
    "crashes": ("model.py", FAILURES["a crash of the interpreter"][0]),
    "ends itself": ("model.py", FAILURES["os._exit(0)"][0]),
    "raises": ("model.py", FAILURES["an error in fit"][0]),
    "does not parse": ("model.py", FAILURES["syntax error"][0]),
    "predicts NaN": ("model.py", FAILURES["NaN"][0]),
    "predicts a wrong shape": ("model.py", FAILURES["wrong shape"][0]),
    "imports what is not there": ("model.py", FAILURES["import error"][0]),
    "reads the answers": ("model.py", (CHEATS / "read_job_folders.py").read_text()),
    "is empty": ("model.py", ""),
    "is a report": ("report.pdf", "%PDF-1.7"),
    "is a broken zip": ("model.zip", "PK"),
    "is a broken notebook": ("model.ipynb", "{}"),
    "is old weights": ("model.pt", "PK"),
    "is nothing": ("", ""),
}


def main() -> int:
    """Print what came of it; 1 where a student has neither a score nor a reason."""
    with tempfile.TemporaryDirectory(prefix="course-") as name:
        folder = Path(name)
        lay_out(folder)
        began = time.monotonic()
        with start(folder) as grader:
            time.sleep(40)
            grader.kill()
        kept = len(list((folder / "work").glob("*.npz")))
        with start(folder) as grader:
            code = grader.wait()
        seconds = time.monotonic() - began
        worksheet = list(csv.DictReader(io.StringIO((folder / "grades.csv").read_text())))
        table = list(csv.DictReader(io.StringIO((folder / "reports" / "class.csv").read_text())))
        statuses = Counter(row["status"] for row in table)
        unclear = [row["student"] for row in table if row["status"] == "failed" and not row["reason"]]
        graded = sum(row["Grade"] != "" for row in worksheet)
        rows = list(csv.DictReader((folder / "leaderboard" / "tiny.csv").read_text().splitlines()))
    print(
        f"{len(table)} students in {seconds:.0f} s, killed once when {kept} runs were kept: {dict(statuses)}; "
        f"{len(unclear)} without a reason; {graded} of {len(worksheet)} lines of the worksheet filled in; "
        f"{len(rows)} rows on the board; exit code {code}"
    )
    return int(len(table) != STUDENTS or len(worksheet) != STUDENTS or bool(unclear) or graded != STUDENTS - 1)


def lay_out(folder: Path) -> None:
    """A tiny benchmark, the zip of what was handed in, and Moodle's worksheet."""
    write_kaggle(folder / "faces", *draw_faces(48), [f"S{row % 12}" for row in range(48)])
    (folder / "tiny.toml").write_text(CARD)
    (folder / "jobs").mkdir()
    worksheet = ["Identifier,Full name,Email address,Status,Grade,Maximum Grade\n"]
    bad = list(BAD.values())
    with zipfile.ZipFile(folder / "moodle.zip", "w") as archive:
        for number in range(STUDENTS):
            person = f"Student {number:02}_{1000 + number}_assignsubmission_file"
            worksheet.append(f"Participant {1000 + number},Student {number:02},s{number}@uni.example,,,10.00\n")
            good = (NETWORK if number % 2 else MEAN_FACE) + f"# {number}\n"
            file, text = bad[number // 7] if number % 7 == 0 else ("model.py", good)
            if file:
                archive.writestr(f"{person}/{file}", text)
    (folder / "worksheet.csv").write_text("".join(worksheet))


def start(folder: Path) -> subprocess.Popen[bytes]:
    """The command of a teacher, as a process."""
    words = "--class moodle.zip --roster worksheet.csv --benchmark tiny.toml --data faces --jobs 2 --work work"
    return subprocess.Popen(
        [
            *(sys.executable, "-c", "import harness.cli.grade as g; raise SystemExit(g.main())"),
            *(*words.split(), "--time-limit", "20s", "--out", "reports"),
        ],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "jobs"), "XDG_CACHE_HOME": str(folder / "cache")},
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    raise SystemExit(main())
