"""A zip is what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.submissions import MEAN_FACE, grade_path, zipped
from support.tiny import Tiny

from harness.errors import LoadError
from harness.submission.source import find_source

HELPED = MEAN_FACE.replace("import numpy as np", "import numpy as np\nfrom helper import SIZE")


@pytest.mark.parametrize(
    "files",
    [
        {"submission.py": HELPED, "helper.py": "SIZE = 1"},
        {"team 7/submission.py": HELPED, "team 7/helper.py": "SIZE = 1", "__MACOSX/team 7/._submission.py": "?"},
        {"model.py": MEAN_FACE, "report.pdf": "My report"},
    ],
    ids=["files", "a folder", "a file among others"],
)
def test_a_zip_is_graded_under_its_own_name(files: dict[str, str], tiny: Tiny) -> None:
    code, entry = grade_path(tiny, zipped(tiny.root / "mine.zip", files))

    assert (code, entry["status"], entry["submission"]) == (0, "graded", "mine")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"report.pdf": ""}, "no file of these is a submission: report.pdf"),
        ({"a.py": MEAN_FACE, "b.py": MEAN_FACE}, "there are several submissions: a.py, b.py"),
        ({"points.csv": "ImageId"}, "points.csv is a .csv, .npy or .npz of predictions; hand it in as it is, without"),
        ({"../a.py": MEAN_FACE}, "'../a.py' leads out of its folder"),
    ],
)
def test_a_zip_without_a_clear_submission_is_refused(files: dict[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"mine\.zip: ") as refused:
        find_source(zipped(tmp_path / "mine.zip", files))

    assert reason in str(refused.value)
