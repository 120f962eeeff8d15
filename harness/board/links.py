"""How entries vouch for others: each names the hashes of those that stood when it was recorded, as commits do in git.

Whoever changes or removes an entry would have to change every later one as well. Entries of two branches, or of graders
that ran in parallel, make a graph that divides and joins again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.grading.entry import Entry

_END = re.compile(rb'  "hash": "[0-9a-f]{64}"\n\}\s*\Z')
_LONGEST_END = 100

MOST_HEADS = 100
"""How many entries one names. Where more stand, the next entries name the rest."""


def hash_of(content: bytes) -> str:
    """The hash of an entry's file: sha256 of all lines but the last two, the key ``hash`` and the closing brace.

    So ``head -n -2 FILE | sha256sum`` prints it. Of an entry that has no such key, it is sha256 of the whole file.
    """
    text = content.replace(b"\r\n", b"\n")  # as git may write it on Windows
    end = _END.search(text, max(0, len(text) - _LONGEST_END))
    return hashlib.sha256(text[: end.start()] if end else text).hexdigest()


def linked(entry: Entry, heads: dict[str, str]) -> Entry:
    """An entry that names these heads, with its hash."""
    named = entry.model_copy(update={"heads": heads, "hash": "0" * 64})
    return named.model_copy(update={"hash": hash_of(named.to_json().encode())})


@dataclass(frozen=True)
class Node:
    """An entry's file as a node of the graph.

    Attributes:
        file: its name.
        id, date, name: as the entry says; the name is ``author/submission``.
        graded: whether it says so.
        hash: of the file as it is.
        stated: the hash that the entry says it has; empty in one that no board has linked.
        heads: those that it names; None in one that no board has linked.
        fingerprints, kept: as the entry says.
        replaces: the id of the entry that was graded anew, if it was made so.
    """

    file: str
    id: str
    date: str
    name: str
    graded: bool
    hash: str
    stated: str
    heads: Mapping[str, str] | None
    fingerprints: Mapping[str, str]
    kept: Mapping[str, str]
    replaces: str | None

    @classmethod
    def of(cls, entry: Entry, path: Path) -> Node:
        """The node of an entry that was read from this file.

        Raises:
            OSError: it cannot be read any more.
        """
        return cls(
            file=path.name,
            id=entry.id,
            date=entry.date,
            name=entry.name,
            graded=entry.status == "graded",
            hash=hash_of(path.read_bytes()),
            stated=entry.hash,
            heads=entry.heads,
            fingerprints=entry.fingerprints,
            kept=entry.kept,
            replaces=entry.regrade.of if entry.regrade else None,
        )

    def __str__(self) -> str:
        """Its row and its entry, for messages."""
        return f"{self.name} ({self.id})"
