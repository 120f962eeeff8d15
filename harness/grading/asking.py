"""What a submission is asked when it is graded: the held-out images, and a sample of the training faces.

The sample shows how large the error is on subjects that the submission may have learnt from. `provenance` compares it
with the error on the held-out subjects.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet, Split
from harness.runs.job import Material

_MOST_SAMPLED = 256
_SHARE_SAMPLED = 0.25


def sampled_rows(training: FaceSet) -> NDArray[np.intp]:
    """Positions (M,) of the complete faces of some training subjects, the same for every submission.

    Whole subjects, about a quarter of the complete faces and at most 256 of them; none where only one subject is known.
    """
    complete = np.flatnonzero(training.complete)
    most = min(_MOST_SAMPLED, int(len(complete) * _SHARE_SAMPLED))
    subjects = np.unique(training.subjects[complete]).tolist()
    if len(subjects) < 2:
        return np.array([], np.intp)  # with a single subject, none would be left to learn from
    rows: list[int] = []
    for subject in sorted(subjects, key=lambda each: hashlib.sha256(f"sample {each}".encode()).digest()):
        rows += complete[training.subjects[complete] == subject].tolist()
        if len(rows) >= most:
            break
    return np.array(sorted(rows[:_MOST_SAMPLED]), np.intp)


def material_for(split: Split, sample: NDArray[np.intp], *, brought: bool) -> Material:
    """What to learn from and what to predict: the held-out images, then the sampled training faces.

    Where a submission may have been trained elsewhere, it does not get the faces of the sample to learn from, and all
    images come mixed: it cannot know which ones are held out.
    """
    training, images = split.training, split.held_out.images
    asked = np.concatenate([images, training.images[sample]])
    if brought and len(sample):
        kept = ~np.isin(training.subjects, np.unique(training.subjects[sample]))
        return Material(training.take(kept), asked, mixed=True)
    return Material(training, asked, parts=tuple(count for count in (len(images), len(sample)) if count))
