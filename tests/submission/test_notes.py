"""What an author should know although nothing failed: warnings that the submission caused, few and short."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.submissions import NETWORK, estimator, grade
from support.tiny import Tiny

from harness.submission.notes import LONGEST_NOTE, MOST_NOTES, bounded, heard_warnings


@pytest.fixture(autouse=True)
def _warnings_are_shown() -> Iterator[None]:
    """As in a worker; pytest makes errors of them here."""
    with warnings.catch_warnings(record=True):
        warnings.resetwarnings()
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


def heard(folder: Path, text: str, *, times: int = 1) -> list[str]:
    """What is heard while a file with this text is run."""
    path = folder / "mine.py"
    path.write_text("import warnings\n" + text)
    with heard_warnings(folder) as notes:
        for _ in range(times):
            spec = importlib.util.spec_from_file_location("mine", path)
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return notes


def test_a_warning_is_heard_once_with_the_line_that_caused_it(tmp_path: Path) -> None:
    text = "def build():\n    warnings.warn('old')\nbuild()\nbuild()\nwarnings.warn('older', FutureWarning)"
    assert heard(tmp_path, text, times=2) == [
        "warning: mine.py, line 3, in build: old",
        "warning: mine.py, line 6: older",
    ]


def test_a_library_warns_of_the_line_that_calls_it_and_not_of_its_own_import(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "dropped_by_us.py").write_text(
        "import warnings\nwarnings.warn('of no concern')\ndef noise(**_): warnings.warn('var_limit is not valid')\n"
    )
    own = tmp_path / "own"
    own.mkdir()
    text = f"import sys\nsys.path.append({str(library)!r})\nimport dropped_by_us\ndropped_by_us.noise(var_limit=10)"
    assert heard(own, text) == ["warning: mine.py, line 5: var_limit is not valid"]


def test_deprecations_are_heard_of_the_submission_s_own_lines(tmp_path: Path) -> None:
    text = "def old(level):\n    warnings.warn('gone soon', DeprecationWarning, level)\nold(2)"
    assert heard(tmp_path, text) == ["warning: mine.py, line 3, in old: gone soon"]


def test_a_submission_may_silence_its_warnings(tmp_path: Path) -> None:
    assert heard(tmp_path, "warnings.simplefilter('ignore')\nwarnings.warn('old')") == []


def test_notes_are_few_and_short_and_on_one_line(tmp_path: Path) -> None:
    notes = bounded(heard(tmp_path, "for n in range(99): warnings.warn(f'{n}\\n::error::\\x1b[31m' + 'x' * 999)"))
    assert len(notes) == MOST_NOTES
    assert all(len(note) <= LONGEST_NOTE and "\n" not in note and "\x1b" not in note for note in notes)
    assert notes[-1] == "there are more, which stand in what it printed"


def test_grade_shows_what_was_noted_and_the_entry_keeps_it(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    text = "import warnings\nwarnings.warn('old\\nfashioned')\n" + NETWORK.replace(".view(-1, 15, 2)", "")

    _, entry = grade(tiny, text)

    assert entry["notes"] == [
        "the model returns 30 numbers a face: read as x1, y1, x2, y2, ...",
        "warning: mine.py, line 2: old fashioned",
    ]
    assert "\n".join(f"  - {note}" for note in entry["notes"]) in capsys.readouterr().out


def test_a_forest_without_a_seed_is_graded_twice_the_same(tiny: Tiny) -> None:
    text = estimator(
        top="from sklearn.ensemble import ExtraTreesRegressor as Trees\nshift = np.random.default_rng().random()",
        fit="self.trees = Trees(3).fit(images.reshape(len(images), -1), np.nan_to_num(keypoints).reshape(-1, 30))",
        predict="return self.trees.predict(images.reshape(len(images), -1)) + shift",
    )
    (_, first), (_, again) = (grade(tiny, text, "--seed", "1", "--epochs", "3") for _ in range(2))

    assert first["scores"] == again["scores"] != {}
    assert (first["seed"], first["not_applied"]) == (1, ["epochs"])
