"""What a submission is asked when it is graded: the held-out images, a sample of the training faces, some transposed.

The sample shows how large the error is on subjects that the submission may have learnt from. `provenance` compares it
with the error on the held-out subjects, and `diagnosis` looks at it for mistakes. Some of its images come once more
with rows and columns exchanged: whoever exchanges them by mistake has a small error on those.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet, Split
from harness.runs.job import Material

_MOST_SAMPLED = 256
_SHARE_SAMPLED = 0.25
_MOST_TRANSPOSED = 32


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


def transposed_rows(training: FaceSet, sample: NDArray[np.intp]) -> NDArray[np.intp]:
    """Those of the sample whose images are asked for transposed, too; none where images are not square."""
    height, width = training.images.shape[1:]
    return sample[:_MOST_TRANSPOSED] if height == width else sample[:0]


def material_for(split: Split, sample: NDArray[np.intp], *, brought: bool) -> Material:
    """What to learn from and what to predict: the held-out images, the sampled training faces, some of them transposed.

    Where a submission may have been trained elsewhere, it does not get the faces of the sample to learn from, and all
    images come mixed: it cannot know which ones are held out.
    """
    training, images = split.training, split.held_out.images
    again = training.images[transposed_rows(training, sample)].swapaxes(1, 2)
    asked = np.concatenate([images, training.images[sample], again])
    if brought and len(sample):
        kept = ~np.isin(training.subjects, np.unique(training.subjects[sample]))
        return Material(training.take(kept), asked, mixed=True, aside=len(again))
    parts = tuple(count for count in (len(images), len(sample)) if count)
    return Material(training, asked, parts=parts, aside=len(again))
