"""A notebook is taken as the Python in it, and never run where it is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.submissions import grade_path
from support.tiny import Tiny

from harness.errors import LoadError
from harness.submission.source import find_source

COURSEWORK = [
    "!pip install facial-keypoint-harness\nimport google.colab\nimport pandas as pd",
    "data = pd.read_csv('/content/training.csv')\ndata.head()\ndata?",
    "import numpy as np\nHEIGHT = 5",
    "class Mean:\n    '''First try.'''\n    def fit(self, images, keypoints):\n        raise NotImplementedError",
    "def middle(keypoints):\n    %time\n    return np.nanmean(keypoints, axis=0) + 0 * HEIGHT",
    "class Mean:\n    def fit(self, images, keypoints):\n        self.mean = middle(keypoints)\n\n"
    "    def predict(self, images):\n        return np.repeat(self.mean[None], len(images), axis=0)",
    "def build_estimator(layout, image_size):\n    return Mean()",
    "%%bash\nrm -rf results",
    "model = Mean().fit(data)\nmodel.predict(data)",
]


def notebook(path: Path, cells: list[str], tagged: tuple[int, ...] = (), **more: Any) -> Path:
    code = [
        {
            "cell_type": "code",
            "metadata": {"tags": ["submission"]} if number in tagged else {},
            "source": text.splitlines(keepends=True),
            "outputs": [],
        }
        for number, text in enumerate(cells)
    ]
    text = {"cell_type": "markdown", "metadata": {}, "source": "My *mean* face"}
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [text, *code], **more}))
    return path


def test_what_the_contract_needs_is_taken_and_graded(tiny: Tiny) -> None:
    code, entry = grade_path(tiny, notebook(tiny.root / "mine.ipynb", COURSEWORK))

    assert (code, entry["status"], entry["submission"]) == (0, "graded", "mine")
    assert entry["description"] == "My *mean* face"
    assert entry["trained"] == "here"


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    source = find_source(notebook(tmp_path / "mine.ipynb", COURSEWORK))

    python = source.pack().files["mine.py"].decode()
    assert "colab" not in python and "read_csv" not in python and "rm -rf" not in python
    assert python.count("class Mean") == 2 and "pass  # %time" in python
    assert source.remarks == (
        "mine.ipynb, code cell 1: left out '!pip install facial-keypoint-harness'",
        "mine.ipynb, code cell 2: left out 'data?'",
        "mine.ipynb, code cell 5: left out '%time'",
    )


def test_tagged_cells_are_taken_as_they_are(tmp_path: Path) -> None:
    source = find_source(notebook(tmp_path / "mine.ipynb", COURSEWORK, tagged=(2, 4)))

    taken = source.pack().files["mine.py"].decode()
    assert "HEIGHT = 5" in taken and "def middle" in taken and "class" not in taken


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{}", "is not a notebook that Jupyter could open"),
        ("[" * 100_000, "is not a notebook"),
        ('{"nbformat": 3, "worksheets": []}', "is a notebook of format 3"),
        ('{"nbformat": 4, "cells": 7}', "is not a notebook"),
        ("print('hello')", "is not a notebook"),
    ],
    ids=["empty", "nested", "old", "no cells", "python"],
)
def test_what_is_not_a_notebook_is_refused(content: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_text(content)

    with pytest.raises(LoadError, match=rf"mine\.ipynb: {reason}"):
        find_source(tmp_path / "mine.ipynb")


def test_a_tagged_cell_must_be_python(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"mine\.ipynb, code cell 8: begins with %%bash; take off the tag or that line"):
        find_source(notebook(tmp_path / "mine.ipynb", COURSEWORK, tagged=(7,)))
