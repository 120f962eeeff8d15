"""Files that nobody wrote with good intent: mutated from whole ones, the same for the same number."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError

ODD_BYTES = (
    *(b"", b"\0", b"\xff", b"\x1b[31m", b"\n", b"\r\n", b",", b'"', b"'", b"\\", b"::error::", b"=1+1", b" " * 40),
    *(b"[" * 2000, b"{" * 2000, b"(" * 300, b"]" * 3, b"}" * 3, b"0" * 5000, b"9" * 400, b"a," * 500, b"," * 300),
    *(b"nan", b"inf", b"-inf", b"NaN", b"Infinity", b"-1", b"1e400", b"1e-400", b"0x10", b"1_000", b"null", b"true"),
    *(each.encode() for each in ("\u202e", "\u2028", "\ufeff", "\u200b", "\u0661")),
    *(b"\xed\xa0\x80", b"\\ud800", b"\\u202e", b"2147483648", b"18446744073709551616", b"-9223372036854775809"),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**64, 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "x" * 3000),
    *("\x1b[31m", "\u202e", "\n::error::", "::", "1", "nan", "../..", [], {}, [[]], {"": {}}, [[[[[[[[1]]]]]]]]),
    *([1] * 300, {"value": 1, "low": 1, "high": 1}, {"value": "x"}, list(range(3)), "0001-01-01T00:00:00Z"),
)


@dataclass(frozen=True)
class Reader:
    """Something that reads what others wrote.

    Attributes:
        name: of what it reads.
        file: where it lies.
        seeds: whole files, from which others are mutated.
        read: reads ``file``, and uses what it has read as its callers do.
    """

    name: str
    file: Path
    seeds: tuple[bytes, ...]
    read: Callable[[], object]

    def input(self, number: int) -> bytes:
        """The input of this number: first the whole files, then mutated ones, which only the number decides."""
        if number < len(self.seeds):
            return self.seeds[number]
        draw = random.Random(f"{self.name} {number}")
        content = draw.choice(self.seeds)
        if content[:1] == b"{" and draw.random() < 0.6:
            content = b"\n".join(_with_odd_values(draw, line) for line in content.split(b"\n"))
            if draw.random() < 0.7:
                return content
        for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
            content = _mutated(draw, content)
        return content

    def meet(self, content: bytes) -> bool:
        """Have it read this; returns whether it took it, or raises whatever is not one of the harness's errors."""
        self.file.write_bytes(content)
        try:
            self.read()
        except HarnessError as error:
            assert str(error), "an error says what is wrong"
            return False
        return True


def _mutated(draw: random.Random, content: bytes) -> bytes:
    start = draw.randrange(len(content) + 1)
    end = min(len(content), start + draw.choice((0, 1, 1, 2, 4, 16, 200)))
    match draw.randrange(9):
        case 0:
            return content[:start] + draw.choice(ODD_BYTES) + content[end:]
        case 1:
            return content[:start] + bytes([draw.randrange(256)]) + content[max(end, start + 1) :]
        case 2:
            return content[:start] + draw.randbytes(end - start) + content[end:]
        case 3:
            return content[:start]
        case 4:
            return content[:start] + content[end:]
        case 5:
            return content[:end] + content[start:end] * draw.choice((1, 2, 50)) + content[end:]
        case 6:
            return _with_another(draw, content, rb"-?\d+(\.\d+)?")
        case 7:
            return _with_another(draw, content, rb"[A-Za-z_]+")
        case _:
            lines = content.split(b"\n")
            lines[draw.randrange(len(lines))] = draw.choice([*lines, b"", *ODD_BYTES])
            return b"\n".join(lines)


def _with_another(draw: random.Random, content: bytes, pattern: bytes) -> bytes:
    """One of the words or numbers replaced by something odd, or by another of them."""
    found = list(re.finditer(pattern, content[:20_000]))
    if not found:
        return content + draw.choice(ODD_BYTES)
    place, other = draw.choice(found), draw.choice(found)
    return content[: place.start()] + draw.choice((*ODD_BYTES, other.group())) + content[place.end() :]


def _with_odd_values(draw: random.Random, line: bytes) -> bytes:
    try:
        value = json.loads(line)
    except ValueError:
        return line
    for _ in range(draw.choice((0, 1, 1, 2))):
        holder, key = draw.choice(list(_places(value)) or [({}, "")])
        match draw.randrange(4):
            case 0 if isinstance(holder, dict):
                holder.pop(key, None)
            case 1 if isinstance(holder, dict):
                holder[draw.choice(("\x1b", "", "x" * 300, "\u202e"))] = deepcopy(draw.choice(ODD_VALUES))
            case _:
                holder[key] = deepcopy(draw.choice(ODD_VALUES))
    return json.dumps(value).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (holder, key) in decoded JSON."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in list(pairs):
        yield value, key
        yield from _places(each)
