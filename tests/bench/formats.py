"""Rendered faces in the files of other people, read back and graded.

    python tests/bench/formats.py [epochs]

200 faces of 68 keypoints become colour JPEGs of 200 by 200 pixels with the labels in each of the forms; 160 are learnt
from and 40 held out. WFLW's 98 are the same points, some of them twice: a pair for a pair, so that flips hold. For each
form: how far a keypoint moved on its way, at most, in pixels of the card's 96 by 96 image, and the errors of the mean
face and of the example.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from support.pictures import WRITERS, Picture, card_text  # noqa: E402

from harness.benchmark import load_benchmark  # noqa: E402
from harness.datasets import rendered  # noqa: E402
from harness.datasets.opening import open_split  # noqa: E402
from harness.keypoints import IBUG68, WFLW98  # noqa: E402

SIZE, SIDE, TRAINING, HELD_OUT = 96, 200, 160, 40
SUBMISSIONS = ("mean_face", str(TESTS.parent / "submissions" / "example.py"))


def main(epochs: str = "100") -> None:
    """Print a line for each form."""
    images, points = rendered.render(7, TRAINING + HELD_OUT, (SIDE, SIDE), IBUG68)
    print(f"{'form':6} {'keypoints':>9} {'moved at most':>14} {'mean face':>16} {'example':>16}")
    for reader, write in WRITERS.items():
        layout = "wflw98" if reader == "wflw" else "ibug68"
        labels = _as_wflw(points) if layout == "wflw98" else points
        pictures = [
            # A person has one picture, and names sort as the faces were drawn.
            Picture(f"p{i:03}_{i:03}.jpg", np.repeat(image[:, :, None], 3, axis=2), each, (0, 0, SIDE - 1, SIDE - 1))
            for i, (image, each) in enumerate(zip(images, labels.astype(float), strict=True))
        ]
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            os.environ["XDG_CACHE_HOME"] = folder
            Path("card.toml").write_text(card_text(reader, 'crop = "image"', layout, (SIZE, SIZE)))
            card = load_benchmark("card.toml")
            write(Path("data"), card.layout, pictures[:TRAINING], pictures[TRAINING:])
            split = open_split(card, Path("data"))
            read = np.concatenate([split.training.keypoints, split.held_out.keypoints])
            wanted = (labels + 0.5) * SIZE / SIDE - 0.5
            moved = max(np.abs(each - wanted).max(axis=(1, 2)).min() for each in read)
            mean_face, example = (_graded(each, epochs) for each in SUBMISSIONS)
        shown = [f"{each['mean_pixel_error']['value']:.2f} px" for each in (mean_face, example)]
        print(
            f"{reader:6} {len(card.layout):9} {moved:11.6f} px {shown[0]:>16} {shown[1]:>16}",
            flush=True,
        )


def _as_wflw(points: np.ndarray) -> np.ndarray:
    chosen: dict[str, str] = {}
    for pair, shown in zip(WFLW98.mirror_pairs, itertools.cycle(IBUG68.mirror_pairs), strict=False):
        chosen |= dict(zip(pair, shown, strict=True))
    middle = itertools.cycle(name for name in IBUG68.keypoints if all(name not in pair for pair in IBUG68.mirror_pairs))
    return points[:, [IBUG68.index(chosen.get(name) or next(middle)) for name in WFLW98.keypoints]]


def _graded(submission: str, epochs: str) -> dict[str, dict[str, float]]:
    command = [sys.executable, "-c", "from harness.cli.grade import main; raise SystemExit(main())", submission]
    options = [
        "--benchmark",
        "card.toml",
        "--data",
        "data",
        "--epochs",
        epochs,
        "--json",
        "entry.json",
        "--no-record",
        "--time-limit",
        "10m",
    ]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return json.loads(Path("entry.json").read_text())["scores"]


if __name__ == "__main__":
    main(*sys.argv[1:])
