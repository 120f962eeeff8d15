"""Prepare or describe a benchmark's data."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.parsing import whole
from harness.cli.running import add_data_arguments, load_card, open_benchmark
from harness.errors import UsageError

EXAMPLES = """
  harness data prepare                                  # so that the first grading need not wait
  harness data info --benchmark kaggle --data ~/facial-keypoints-detection
  harness data info --benchmark kaggle --data ~/facial-keypoints-detection --held-out exam.csv
  harness data prepare --export handout/                # what competitors may have, in Kaggle's files
  harness data render --count 16 --out faces.png        # a sheet of rendered faces with their keypoints
  harness data render --benchmark rendered68 --out faces68.png
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness data``."""
    parser.add_argument("action", choices=("prepare", "info", "render"))
    add_data_arguments(parser)
    parser.add_argument(
        "--export",
        type=Path,
        metavar="DIR",
        help="with prepare: write training.csv, test.csv (the held-out images) and IdLookupTable.csv, and no answers",
    )
    parser.add_argument("--count", type=whole, default=16, metavar="N", help="with render: how many faces (16)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="with render: which faces (0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="with render: the picture to write")


def run(arguments: argparse.Namespace) -> int:
    """Do what the action says."""
    if arguments.action == "render":
        return _render(arguments)
    benchmark, split = open_benchmark(arguments)
    if arguments.action == "prepare" and arguments.export:
        from harness.datasets.handout import write_handout

        write_handout(arguments.export, split)
        print(f"wrote training.csv, test.csv and IdLookupTable.csv to {arguments.export}")
        return 0
    training, held_out = split.training, split.held_out
    height, width = benchmark.image_size
    print(f"{benchmark.name}: {benchmark.title}")
    print(f"  images       {width}x{height} grey, {len(benchmark.layout)} keypoints ({benchmark.layout.name})")
    print(
        f"  training     {len(training):,} faces of {len(set(training.subjects.tolist())):,} subjects, "
        f"{training.complete.sum():,} with every keypoint"
    )
    for name, rows in split.strata.items():
        stratum = held_out.take(rows)
        print(
            f"  held out     {len(stratum):,} faces of {len(set(stratum.subjects.tolist())):,} subjects "
            f"(stratum {name}, {stratum.labelled.sum():,} keypoints)"
        )
    print(f"  fingerprint  {split.fingerprint[:16]}")
    return 0


def _render(arguments: argparse.Namespace) -> int:
    import cv2

    from harness.benchmark import RenderedData
    from harness.datasets.rendered import render, sheet

    if arguments.out is None or arguments.out.suffix.lower() not in (".png", ".jpg"):
        raise UsageError("harness data render needs --out FILE.png")
    benchmark = load_card(arguments.benchmark)
    if not isinstance(benchmark.data, RenderedData):
        raise UsageError(
            f"benchmark {benchmark.name!r} reads files, so none of its faces is drawn; name one whose card says "
            'reader = "rendered"'
        )
    images, keypoints = render(arguments.seed, arguments.count, benchmark.image_size, benchmark.layout)
    if not cv2.imwrite(str(arguments.out), sheet(images, keypoints, benchmark.layout)):
        raise UsageError(f"{arguments.out}: could not be written; does its folder exist?")
    print(f"wrote {arguments.count} faces to {arguments.out}")
    return 0
