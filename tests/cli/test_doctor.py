from pathlib import Path

import pytest
from support.jobs import needs_landlock

from harness.cli import check, main
from harness.errors import SubmissionError

SUBMISSION = """
import os
import numpy as np

class Nice:
    def fit(self, images, keypoints):
        self.mean = np.nanmean(keypoints, axis=0)
        try:
            os.nice(1)
        except OSError:
            {otherwise}

    def predict(self, images):
        return np.repeat(self.mean[None], len(images), axis=0)

def build_estimator(layout, image_size):
    return Nice()
"""


@needs_landlock
@pytest.mark.parametrize(("otherwise", "code"), [("pass", 0), ("raise", SubmissionError.exit_code)])
def test_a_trace_names_the_call_the_line_and_the_remedy(
    otherwise: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "_TRAINING", 8)
    monkeypatch.setattr(check, "_ASKED", 4)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    submission = tmp_path / "nice.py"
    submission.write_text(SUBMISSION.format(otherwise=otherwise))

    assert main(["doctor", "--trace", str(submission)]) == code

    printed = capsys.readouterr().out
    assert "setpriority          1 time at nice.py:9: the grader chooses cores and priorities" in printed
    assert "System calls refused to libraries, most of which do without:\n" in printed
