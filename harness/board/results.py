"""What a leaderboard gives back: a reading, the result of a recording, and what an examination found."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.board.links import Node
from harness.board.table import Row
from harness.grading.entry import Entry


@dataclass(frozen=True)
class Reading:
    """What a board's folder of entries holds.

    Attributes:
        rows: best first, failed ones last; none where only the best are asked for.
        problems: a sentence for each file that was left out: it is not an entry, it is of other data, or it lacks the
            metric that ranks.
        best: the best row of each author's submission, ranked and compared among themselves.
        reasons: why entries failed, of each that did.
        more_faces: about how many more held-out faces would separate the first two of them; None where these do.
    """

    rows: list[Row]
    problems: list[str]
    best: list[Row] = field(default_factory=list)
    more_faces: float | None = None
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Recorded:
    """The result of recording an entry.

    Attributes:
        rank: from 1; None for a failed entry and for one that lacks the metric that ranks.
        problems: as those of a `Reading`.
        entry: as it was recorded: with its hash, those of the entries before it, and what was kept.
    """

    rank: int | None
    problems: list[str]
    entry: Entry | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Examined:
    """What a board's files say, read anew.

    Attributes:
        nodes: every entry that can be read.
        table: the CSV as it is derived from them.
        problems: as those of a `Reading`.
        misindexed: ids of entries of which the index says something else.
    """

    nodes: list[Node]
    table: str
    problems: list[str]
    misindexed: set[str]
