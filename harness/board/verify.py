"""Whether someone changed a board: its entries, what is kept beside them, and the table.

An entry that was changed no longer has the hash that it says, or not the one that later entries name; one that was
removed is still named. What nobody names yet, the last entry, is vouched for only by its own hash: whoever can write to
the folder can make that anew, and so for the whole board. Hence a hash that was noted elsewhere says more.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.board.kept import SHARES
from harness.board.leaderboard import Leaderboard
from harness.board.links import MOST_HEADS, Node
from harness.board.listing import as_text
from harness.board.results import Examined
from harness.board.table import COMPARED

RELATIVE = frozenset({"rank", "change", *COMPARED})
"""Columns that depend on the other rows."""
_SHORT = 60
_REBUILD = "`harness leaderboard rebuild` derives it anew"


@dataclass(frozen=True)
class Verdict:
    """What was found on a board.

    Attributes:
        nodes: its entries.
        problems: a sentence for each row that someone changed, and for everything else that is not as it was recorded.
        notes: what cannot be shown, and what is unusual, a sentence each.
    """

    nodes: Sequence[Node]
    problems: list[str]
    notes: list[str]

    @property
    def heads(self) -> list[Node]:
        """The entries that no other names: their hashes stand for all that came before them."""
        named = {parent for node in self.nodes for parent in node.heads or {}}
        return [node for node in self.nodes if node.id not in named and node.heads is not None]


def verify(board: Leaderboard) -> Verdict:
    """Look at a board's entries and its table; what is kept beside them is `harness.board.rescore`'s to look at.

    Raises:
        LeaderboardError: the board cannot be read.
    """
    found = board.examine()
    problems = [*found.problems, *_files(found.nodes), *_links(board, found.nodes), *_table(board, found)]
    data = board.entries / "data.txt"
    if not data.exists() and any(node.heads is not None for node in found.nodes):
        problems.append(f"{data}: was removed; it says of which data the board is; write that of an entry into it")
    return Verdict(found.nodes, problems, list(_notes(found.nodes)))


def _files(nodes: Sequence[Node]) -> Iterator[str]:
    """What an entry's file shows by itself."""
    for node in nodes:
        if as_text(node.file) != f"{node.id}.json":
            yield f"{node}: {node.file} is a second file of this entry, or it was renamed; delete it, or rename it back"
        if (node.heads is not None or node.stated) and node.hash != node.stated:
            yield f"{node}: was changed after it was recorded; its hash is not that of what it says"


def _links(board: Leaderboard, nodes: Sequence[Node]) -> Iterator[str]:
    """What entries show of those that they name, and of those that name none."""
    by_id = {node.id: node for node in nodes}
    told = set()
    for node in nodes:
        for parent, digest in (node.heads or {}).items():
            known = by_id.get(parent)
            if parent in told or (known is not None and known.hash == digest):
                continue
            told.add(parent)
            if known is not None:
                if known.hash == known.stated or not known.stated:  # otherwise it was said already
                    yield f"{known}: is not what it was when {node} was recorded: it was changed, or made anew"
            elif not (board.entries / f"{parent}.json").exists():  # otherwise it was said why that cannot be read
                yield f"{parent}: was removed; {node} names it"
    old = _of_before(nodes)
    for node in nodes:
        if node.heads is None and not node.stated and node.id not in old:
            yield (
                f"{node}: was put here by hand, not recorded: it names no entry before it, and the others do; nothing "
                "shows that it came of a grading"
            )


def _of_before(nodes: Sequence[Node]) -> set[str]:
    """The entries of versions that did not link them: those that stood when the first linked one was recorded."""
    unlinked = {node.id for node in nodes if node.heads is None}
    first = [node for node in nodes if node.heads is not None and node.heads.keys() <= unlinked]
    # Where there were more than it names, which stood then is not known.
    if not any(node.heads is not None for node in nodes) or any(len(node.heads or {}) >= MOST_HEADS for node in first):
        return unlinked
    return {parent for node in first for parent in node.heads or {}}


def _notes(nodes: Sequence[Node]) -> Iterator[str]:
    linked = [node for node in nodes if node.heads is not None]
    old = _of_before(nodes)
    if old:
        yield (
            f"not linked, since an earlier version recorded them: {len(old)} of {len(nodes)} entries; whether one "
            "was changed, "
            + ("the entries that name them show, and git's history" if linked else "git's history alone shows")
        )
    starts = [node for node in linked if not node.heads]
    if len(starts) > 1:
        names = ", ".join(map(str, starts))
        yield f"{len(starts)} entries name none before them, as where two branches began the board: {names}"
    named = {parent for node in linked for parent in node.heads or {}}
    ends = [node for node in linked if node.id not in named]
    if len(ends) > 1:
        names = ", ".join(map(str, ends))
        yield f"{len(ends)} entries are named by none, as after branches were merged; the next one will: {names}"


def _table(board: Leaderboard, found: Examined) -> Iterator[str]:
    """How the CSV, and the index, differ from what the entries give."""
    names = {node.id: node for node in found.nodes}
    for each in sorted(found.misindexed):
        yield f"{names.get(each, each)}: the index shows it otherwise than its entry is; {_REBUILD}"
    try:
        text = board.csv.read_bytes().decode()
    except FileNotFoundError:
        if found.nodes:
            yield f"{board.csv}: is missing; {_REBUILD}"
        return
    except (OSError, ValueError):
        yield f"{board.csv}: cannot be read; {_REBUILD}"
        return
    try:
        yield from _compared(board, found, text, names)
    except csv.Error as error:
        yield f"{board.csv}: cannot be read ({error}); {_REBUILD}"


def _compared(board: Leaderboard, found: Examined, text: str, names: dict[str, Node]) -> Iterator[str]:
    """How the CSV's text differs from what the entries give."""
    derived = found.table
    if not all(board.kept.has(SHARES, node.kept[SHARES]) for node in found.nodes if SHARES in node.kept):
        text, derived = _without_standings(text), _without_standings(derived)
    if text != derived:
        problems = list(_rows(board, text, derived, names))
        yield from problems or [f"{board.csv}: its rows stand in another order, or are written otherwise; {_REBUILD}"]


def _without_standings(table: str) -> str:
    """A CSV without what depends on each person's errors, for where those are not, as in a clone."""
    rows = csv.DictReader(io.StringIO(table))
    columns = [column for column in rows.fieldnames or () if column not in COMPARED]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _rows(board: Leaderboard, text: str, derived: str, names: dict[str, Node]) -> Iterator[str]:
    table = csv.DictReader(io.StringIO(text))
    columns = set(table.fieldnames or ())
    if "id" not in columns:
        yield f"{board.csv}: has no column 'id', so its rows cannot be compared; {_REBUILD}"
        return
    rows = list(table)
    wanted = {row["id"]: row for row in csv.DictReader(io.StringIO(derived))}
    by_id, times = {row["id"]: row for row in rows}, Counter(row["id"] for row in rows)
    alike = times.keys() == wanted.keys() and all(count == 1 for count in times.values())
    if other := sorted(columns ^ set(csv.DictReader(io.StringIO(derived)).fieldnames or ())):
        yield f"{board.csv}: has other columns than this version writes ({', '.join(map(str, other))}); {_REBUILD}"
    for each in (each for each in wanted if each not in times):
        yield f"{names[each]}: its row is missing from {board.csv.name}"
    for each, count in times.items():
        if each not in wanted and each in names:
            yield f"{names[each]}: has a row in {board.csv.name}, where it does not belong; {_REBUILD}"
        elif each not in wanted:
            row = by_id[each]
            who = "/".join(part for part in (row.get("author"), row.get("submission")) if part)
            yield f"{who or 'a row'} ({each}): stands in {board.csv.name} without an entry: it was removed, or forged"
        elif count > 1:
            yield f"{names[each]}: stands {count} times in {board.csv.name}; {_REBUILD}"
    differing = {row["id"]: list(_cells(row, wanted[row["id"]])) for row in rows if row["id"] in wanted}
    # Where a row was changed or is missing, others have another rank, although nobody touched them.
    own = {each: [column for column in found if column not in RELATIVE] for each, found in differing.items()}
    if any(own.values()) or not alike:
        differing = own
    for row in rows:
        if found := differing.get(row["id"]):
            right = wanted[row["id"]]
            cells = (f"{each} {_short(row[each])} where its entry gives {_short(right[each])}" for each in found)
            yield f"{names[row['id']]}: {board.csv.name} says {', '.join(cells)}"


def _cells(row: dict[str, str], right: dict[str, str]) -> Iterator[str]:
    """The columns in which a row of the CSV is not as it should be."""
    return (column for column in right if column in row and row[column] != right[column])


def _short(text: str | None) -> str:
    return repr(text if text is None or len(text) <= _SHORT else f"{text[:_SHORT]}...")
