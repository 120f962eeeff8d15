"""Reports of gradings that nobody had to run: drawn faces, predictions near them, and the entry of these."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from harness.benchmark import Benchmark, load_benchmark
from harness.datasets.faces import FaceSet, Split
from harness.grading.entry import strata_of
from harness.grading.scoring import score
from harness.keypoints import FACE15
from harness.learning.recipe import Recipe
from harness.reporting.report import Report
from harness.reporting.tricks import Ablation
from support.entries import entry
from support.tiny import CARD, draw_faces

_EMPTY = ("area", "base", "br", "col", "hr", "img", "input", "link", "meta")
NETWORK = {
    "recipe": Recipe(epochs=3, flip=0.25).as_dict(),
    "layers": [
        {"name": "first", "kind": "Conv2d(1, 8)", "shape": "8 x 32 x 32", "parameters": 80},
        {"name": "last", "kind": "Linear(8, 30)", "shape": "30", "parameters": 270},
    ],
    "epochs": 3,
    "curve": {"epoch": [1, 2, 3], "error_px": [20.0, 5.0, 2.0], "validation_px": [21.0, 6.0, 3.0]},
}


def card(folder: Path, more: str = "") -> Benchmark:
    """The tiny benchmark; ``more`` stands at the top of its card."""
    path = folder / "benchmark.toml"
    path.write_text(more + CARD)
    return load_benchmark(path)


def split(origin: str = "files", count: int = 40) -> Split:
    """Drawn faces, every one of a subject of its own."""
    images, keypoints = draw_faces(2 * count)
    faces = FaceSet(images, keypoints, np.arange(2 * count), FACE15)
    held_out = faces.take(np.arange(count, 2 * count))
    strata = {"full": held_out.complete}
    return Split(faces.take(np.arange(count)), held_out, strata, "d" * 64, origin)


def report(
    folder: Path, faces: Split | None = None, *, more: str = "", ablation: Ablation | None = None, **changes: Any
) -> Report:
    """The report of a graded submission whose predictions are about a pixel off; changes are the entry's."""
    faces = faces or split()
    noise = np.random.default_rng(0).normal(0, 1, faces.held_out.keypoints.shape)
    predictions = (faces.held_out.keypoints + noise * np.linspace(0.5, 1.5, 15)[:, None]).astype(np.float32)
    strata = strata_of(score(predictions, faces.held_out, faces.strata))
    graded = entry("mine", 1.0).model_copy(
        update={
            "scores": strata["full"].scores,
            "strata": strata,
            "band": "very_good",
            "networks": [NETWORK],
            "recipe": NETWORK["recipe"],
            "parameters": 350,
            "description": "A network.\n\nIt is small.",
            "held_out": faces.origin,
            **changes,
        }
    )
    return Report(graded, card(folder, more), faces, predictions, ablation)


@dataclass
class Page(HTMLParser):
    """The tags of a page in their order, and what is wrong with how they are nested."""

    text: str
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.feed(self.text)
        self.wrong += [f"{tag} stays open" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"</{tag}> closes something else")

    def values(self, name: str) -> list[str]:
        return [value for _, each, value in self.attributes if each == name]
