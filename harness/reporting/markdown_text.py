"""Text of others in Markdown: it formats nothing, links nothing and mentions nobody."""

from __future__ import annotations

import re

from harness.text import one_line, printable, shortened

_LONGEST_SENTENCE = 500
_LONGEST_CODE = 200
"""Bytes."""

# GitHub makes links of these even where Markdown's own signs are escaped; in code it does not.
_LINKED = re.compile(r"@|#\w|://|www\.|\bGH-\d", re.IGNORECASE)
_SIGNS = re.compile(r"([\\`*_\[\]<>|~&!#${}])")
_START = re.compile(r"^([-+=]|\d+(?=[.)](?:\s|$)))")


def prose(text: str) -> str:
    """A sentence on one line: as it reads, or as code where GitHub would link something in it."""
    line = one_line(shortened(text, _LONGEST_SENTENCE))
    if _LINKED.search(line):
        return code(line, _LONGEST_SENTENCE)
    return _START.sub(_escaped_start, _SIGNS.sub(r"\\\1", line))


def code(text: str, most: int = _LONGEST_CODE) -> str:
    """A name or a line as code."""
    line = printable(one_line(shortened(text, most))) or "-"
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def cell(markdown: str) -> str:
    """Markdown in a cell of a table, which an upright stroke would end even within code."""
    return markdown.replace("\\|", "|").replace("|", "\N{BROKEN BAR}")


def block(text: str) -> list[str]:
    """Lines of code: plain text as it is, and no command to a CI runner that prints them."""
    lines = printable(text).strip("\n")
    fence = "`" * max(3, _longest_run(lines) + 1)
    return [fence, *lines.split("\n"), fence]


def _escaped_start(start: re.Match[str]) -> str:
    sign = start[1]
    return f"{sign}&#46;" if sign.isdigit() else f"\\{sign}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
