"""Some rows of a board: one author's, or those around one."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from harness.board.table import Row
from harness.errors import UsageError

_EACH_SIDE = 3


def of_author(rows: Sequence[Row], author: str) -> list[Row]:
    """An author's rows; a submission without an author counts as one of its own name.

    Raises:
        UsageError: there are none.
    """
    found = [row for row in rows if author == (row.author or row.submission)]
    if not found:
        raise UsageError(f"--author {author}: has no entry on this board{_near(author, rows)}")
    return found


def around(rows: Sequence[Row], name: str) -> list[Row]:
    """The best row of this name, with three rows above it and three below.

    Args:
        rows: best first.
        name: ``author/submission``, an author or a submission.

    Raises:
        UsageError: there is none, or none that was graded.
    """
    found = [each for each, row in enumerate(rows) if name in (row.name, row.author, row.submission)]
    if not found:
        raise UsageError(f"--around {name}: has no entry on this board{_near(name, rows)}")
    graded = [each for each in found if rows[each].status == "graded"]
    if not graded:
        raise UsageError(f"--around {name}: has only entries that failed, which have no rank; see --author")
    last = sum(row.status == "graded" for row in rows)
    return list(rows[max(0, graded[0] - _EACH_SIDE) : min(last, graded[0] + _EACH_SIDE + 1)])


def _near(name: str, rows: Sequence[Row]) -> str:
    near = difflib.get_close_matches(name, {each for row in rows for each in (row.name, row.author, row.submission)})
    return f"; did you mean {near[0]!r}?" if near else ""
