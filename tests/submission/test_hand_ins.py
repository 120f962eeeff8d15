"""What courses' systems export: each student is found, and the submission among what was handed in."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from support.submissions import MEAN_FACE

from harness.errors import UsageError
from harness.places import shipped
from harness.submission.hand_ins import HandIn, find_hand_ins

EXAMPLE = (shipped("submissions") / "example.py").read_text()
HELPER = "SIZE = 3\n"


def lay_out(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as archive:
                for inner in text.split():
                    archive.writestr(inner, MEAN_FACE)
        elif name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(text)
    return folder


def found(folder: Path, tmp_path: Path) -> dict[str, tuple[str, bool]]:
    """Author -> the submission's name or the beginning of what is wrong, and whether it is late."""
    return {each.author: (what(each), each.late) for each in find_hand_ins(folder, tmp_path / "work")}


def what(hand_in: HandIn) -> str:
    if hand_in.source is None:
        return "nothing"
    return hand_in.source.refused or hand_in.source.name


GRADESCOPE = """---
submission_77:
  :submitters:
  - :name: Ana Example
    :sid: '1001'
    :email: ana@uni.example
  - :name: Ben Sample
    :sid: '1002'
    :email: ben@uni.example
  :created_at: 2026-11-20 10:00:00.000000000 Z
  :score:
submission_78:
  :submitters:
  - :name: Cleo Trial
    :sid:
    :email: cleo@uni.example
"""

SYSTEMS = {
    "Moodle, a folder a participant": (
        {
            "Ana Example_101_assignsubmission_file/model.py": MEAN_FACE,
            "Ben Sample_102_assignsubmission_file_/net.py": MEAN_FACE,
            "Ben Sample_102_assignsubmission_onlinetext/onlinetext.html": "I did it alone.",
            "Cléo Trial_103_assignsubmission_file/": "",
            "Dan Probe_104_assignsubmission_file/submission.py": MEAN_FACE,
        },
        {
            "Dan-Probe": ("submission", False),
            "Ana-Example": ("model", False),
            "Ben-Sample": ("net", False),
            "Cléo-Trial": ("nothing", False),
        },
    ),
    "Moodle, without folders": (
        {
            "Ana Example_101_assignsubmission_file_model.py": MEAN_FACE,
            "Ben Sample_102_assignsubmission_file_team.zip": "submission.py helper.py",
        },
        {"Ana-Example": ("model", False), "Ben-Sample": ("team", False)},
    ),
    "Canvas": (
        {
            "exampleana_101_9001_model-2.py": MEAN_FACE,
            "sampleben_LATE_102_9002_my_net.py": MEAN_FACE,
        },
        {"exampleana": ("model", False), "sampleben": ("my_net", True)},
    ),
    "Gradescope": (
        {
            "assignment_5_export/submission_metadata.yml": GRADESCOPE,
            "assignment_5_export/submission_77/model.py": MEAN_FACE,
            "assignment_5_export/submission_78/model.py": MEAN_FACE,
        },
        {"Ana-Example-Ben-Sample": ("model", False), "Cleo-Trial": ("model", False)},
    ),
    "nbgrader": (
        {
            "ana/keypoints/model.py": MEAN_FACE,
            "ana/keypoints/timestamp.txt": "now",
            "ben/keypoints/model.py": MEAN_FACE,
        },
        {"ana": ("model", False), "ben": ("model", False)},
    ),
    "a classroom's clones": (
        {
            "keypoints-ana/submissions/example.py": EXAMPLE,
            "keypoints-ana/submissions/mine.py": MEAN_FACE,
            "keypoints-ana/.git/hooks/x.py": "",
            "keypoints-ben/submissions/example.py": EXAMPLE,
        },
        {"keypoints-ana": ("mine", False), "keypoints-ben": ("example", False)},
    ),
    "two people of one name": (
        {
            "Ana Example_101_assignsubmission_file/a.py": MEAN_FACE,
            "Ana Example_105_assignsubmission_file/a.py": MEAN_FACE,
        },
        {"Ana-Example-101": ("a", False), "Ana-Example-105": ("a", False)},
    ),
}


@pytest.mark.parametrize(("files", "expected"), SYSTEMS.values(), ids=SYSTEMS)
@pytest.mark.parametrize("zipped", [False, True], ids=["folder", "zip"])
def test_a_course_is_read_as_its_system_exports_it(
    files: dict[str, str], expected: dict[str, tuple[str, bool]], zipped: bool, tmp_path: Path
) -> None:
    folder = lay_out(tmp_path / "downloads", files)
    if zipped:
        expected = {author: about for author, about in expected.items() if about[0] != "nothing"}
        with zipfile.ZipFile(tmp_path / "downloads.zip", "w") as archive:
            for path in folder.rglob("*"):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
        folder = tmp_path / "downloads.zip"

    assert found(folder, tmp_path) == expected


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            {"ana/report.pdf": "", "ana/photo.jpg": ""},
            "no file of these is a submission: photo.jpg, report.pdf",
        ),
        ({"ana/a.py": MEAN_FACE, "ana/b.py": MEAN_FACE}, "there are several submissions: a.py, b.py; hand in one"),
        ({"ana/a.zip": "../a.py"}, "'../a.py' leads out of its folder"),
        ({"ana/broken.py": "def build_model(:"}, "broken"),
        ({"ana/mine.py": MEAN_FACE, "ana/helper.py": HELPER}, "mine"),
        ({"ana/work/submission.py": MEAN_FACE, "ana/work/net.py": MEAN_FACE}, "work"),
        ({"ana/.hidden.py": MEAN_FACE}, "nothing"),
    ],
)
def test_the_submission_among_the_files_is_found_or_it_is_said_why_not(
    files: dict[str, str], reason: str, tmp_path: Path
) -> None:
    ((said, _),) = found(lay_out(tmp_path / "downloads", files), tmp_path).values()

    assert reason in said


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_where_nobody_handed_in_it_says_so(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(UsageError, match=rf"{name}: "):
        find_hand_ins(tmp_path / name, tmp_path / "work")
