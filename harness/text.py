"""The one door for text of others: what a competitor, a file or a worker says, before it is kept or shown."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

_LONGEST_NAME = 80
"""Bytes; a name becomes part of file names, which have at most 255."""

_CUT = "…"

_UNUSUAL = re.compile("[^\n\t -~]")
_USUAL = bytes([*b"\n\t", *range(ord(" "), ord("~") + 1)])
_ESCAPE = re.compile(rb"\\[^\"\\/nt]")
_BREAKS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
# Characters of other categories that show nothing, so that two names could look like one.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def plain(text: str) -> str:
    """Text of visible characters, blanks, tabs and newlines.

    Control characters (so no escape sequence), marks that turn the direction of writing, characters of no width and
    halves of characters are taken out. Whatever else breaks a line becomes a newline.
    """
    if (text.isascii() and text.isprintable()) or all(map(_is_plain, set(_UNUSUAL.findall(text)))):
        return text
    lines = _BREAKS.sub("\n", text)
    return "".join(each for each in lines if each in "\n\t" or _is_plain(each))


@lru_cache(maxsize=4096)
def _is_plain(character: str) -> bool:
    # Category C: control, format, surrogate, private use, not assigned. The categories of lines are Zl and Zp.
    return not (unicodedata.category(character).startswith("C") or _BREAKS.match(character) or _UNSEEN.match(character))


def is_plain_json(content: bytes) -> bool:
    """Whether every text in some JSON is surely plain: it is written plainly, and hides nothing behind an escape."""
    unusual = content.translate(None, _USUAL).decode(errors="replace")
    return _ESCAPE.search(content) is None and all(map(_is_plain, set(unusual)))


def one_line(text: str) -> str:
    """Plain text without line breaks, tabs or doubled blanks."""
    return " ".join(plain(text).split())


def first_line(text: str) -> str:
    """The first line of a text that has something on it, as plain text; empty if there is none."""
    return next((line.strip() for line in plain(text).split("\n") if line.strip()), "")


def shortened(text: str, most: int, *, keep: Literal["start", "end"] = "start") -> str:
    """Plain text of at most ``most`` bytes; an ellipsis stands for what was cut off."""
    piece = plain(text[:most] if keep == "start" else text[-most:])
    data = piece.encode()
    if len(data) <= most and len(text) <= most:
        return piece
    room = most - len(_CUT.encode())
    if keep == "start":
        return data[:room].decode(errors="ignore") + _CUT
    return _CUT + data[max(0, len(data) - room) :].decode(errors="ignore")


def plain_values(value: Any) -> Any:
    """Decoded JSON with every text in it plain, keys too."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return [plain_values(each) for each in value]
    if isinstance(value, dict):
        return {plain_values(key): plain_values(each) for key, each in value.items()}
    return value


def file_name(text: str) -> str:
    """A name that can stand in a path, a table and an id."""
    name = re.sub(r"[^\w.=-]+", "-", plain(text)).lstrip(".-=")
    return name.encode()[:_LONGEST_NAME].decode(errors="ignore") or "unnamed"


def printable(text: str) -> str:
    """Plain text that a CI runner does not take for a command.

    GitHub's runner takes ``::`` after leading blanks, and ``##[`` anywhere in a line, as the start of one.
    """
    return re.sub(r"(?m)^(\s*)::", r"\1: :", plain(text)).replace("##[", "## [")


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Rows as the text of a CSV, each cell a safe one."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(safe_cell, row) for row in rows)
    return text.getvalue()


def safe_cell(value: object) -> object:
    """A cell of a CSV: one line, and never a formula, which a spreadsheet runs where a cell begins with its signs."""
    if not isinstance(value, str):
        return value
    line = one_line(value)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
