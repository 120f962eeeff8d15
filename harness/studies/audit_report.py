"""What an audit found, in sentences for the terminal and as a page with the pictures of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from harness.datasets.opening import Rows
from harness.reporting.face_drawing import face
from harness.reporting.pages import as_html
from harness.studies.audit import Audit
from harness.text import printable

STAYS_HERE = "shows the faces of the rows: keep it on this machine, and do not publish it"
_MOST_LINES, _MOST_PICTURES = 20, 100
_FROM_CORNERS, _FROM_ONE = (0.4, 0.85), (0.85, 1.5)
"""Pixels to the right that speak for a source that counts from the corners of pixels, or from 1."""


@dataclass(frozen=True)
class Finding:
    """A fault of a row.

    Attributes:
        row: where it is.
        matter: what is the matter with it.
        keypoints: positions of those that are to be looked at.
        twin: a row to be seen beside it.
    """

    row: int
    matter: str
    keypoints: tuple[int, ...] = ()
    twin: int | None = None


def counted(findings: Sequence[Finding]) -> str:
    """How many rows there are."""
    return f"{len(findings):,} row{'s' if len(findings) > 1 else ''}" if findings else "none was found"


@dataclass(frozen=True)
class AuditReport:
    """What is said of an audit.

    Args:
        title: of the benchmark.
        rows: what was audited.
        found: what came of it.
    """

    title: str
    rows: Rows
    found: Audit

    @property
    def summary(self) -> str:
        """How much was audited, and how good the network is."""
        height, width = self.rows.faces.images.shape[1:]
        return (
            f"{len(self.rows.faces):,} faces of {width}x{height} pixels; a small network has a mean pixel error of "
            f"{self.found.error:.2f} px on subjects that it had not met"
        )

    @property
    def offset(self) -> str:
        """Whether all labels are off by the same."""
        offset = self.found.offset
        if offset is None:
            return "none was found"
        side = "right" if offset.value > 0 else "left"
        off = (
            f"labels lie {abs(offset.value):.2f} px to the {side} of where mirrored pictures put them "
            f"(95 % interval {offset.low:+.2f} to {offset.high:+.2f} px); "
        )
        if _FROM_ONE[0] <= offset.value <= _FROM_ONE[1]:
            return off + "if the source counts pixels from 1, take 1 off every x and y"
        if _FROM_CORNERS[0] <= offset.value <= _FROM_CORNERS[1]:
            return off + "if the source counts from the corners of pixels, take 0.5 off every x and y"
        return off + f"see how the source counts pixels; {-offset.value:+.2f} px in x would make up for it"

    @property
    def kinds(self) -> dict[str, list[Finding]]:
        """Heading -> what was found of that kind."""
        everything = tuple(range(len(self.rows.faces.layout)))
        return {
            "Left and right exchanged": [
                Finding(row, "left and right look exchanged", everything) for row in self.found.swapped
            ],
            "Labels that are likely wrong": self._suspects(),
            "Nearly the same picture on both sides of the split": [
                Finding(row, f"is held out, and is nearly the same picture as {self.rows.places[twin]}", (), twin)
                for twin, row in self.found.copies
            ],
        }

    @property
    def text(self) -> str:
        """For the terminal."""
        lines = [f"{self.title}: {self.summary}", "", f"  Constant offset: {self.offset}"]
        for heading, findings in self.kinds.items():
            lines += ["", f"  {heading}: {counted(findings)}"]
            lines += [f"    {self.rows.places[each.row]}: {each.matter}" for each in findings[:_MOST_LINES]]
            if len(findings) > _MOST_LINES:
                lines.append(f"    and {len(findings) - _MOST_LINES} more; the page has them")
        return printable("\n".join(lines))

    @property
    def html(self) -> str:
        """The page; it has the pictures of at most 100 rows of a kind."""
        return as_html("audit.html.jinja", report=self, stays_here=STAYS_HERE, counted=counted, most=_MOST_PICTURES)

    def drawings(self, finding: Finding) -> list[Markup]:
        """The row's picture with its labels, lines to where the network expects them; then that of its twin."""
        rows = [finding.row] if finding.twin is None else [finding.row, finding.twin]
        return [self._drawing(row, finding) for row in rows]

    def _suspects(self) -> list[Finding]:
        """A finding for each row that has labels that are likely wrong, the most suspicious first."""
        names = self.rows.faces.layout.keypoints
        by_row: dict[int, list[tuple[int, float]]] = {}
        for each in self.found.suspects:
            by_row.setdefault(each.row, []).append((each.keypoint, each.distance))
        return [
            Finding(
                row,
                ", ".join(f"{names[keypoint]} is {distance:.1f} px" for keypoint, distance in labels)
                + " from where the network expects it",
                tuple(keypoint for keypoint, _ in labels),
            )
            for row, labels in by_row.items()
        ]

    def _drawing(self, row: int, finding: Finding) -> Markup:
        faces, place = self.rows.faces, self.rows.places[row]
        expected = np.full_like(self.found.predictions[row], np.nan)
        expected[list(finding.keypoints)] = self.found.predictions[row, list(finding.keypoints)]
        words = "Circles: the labels. Crosses: where the network expects those in question."
        name = f"row-{finding.row}-{row}-{len(finding.keypoints)}"
        return face(name, place, faces.images[row], faces.keypoints[row], expected, words, joined=True)
