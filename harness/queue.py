"""A queue that looks shuffled and is the same on every machine and with every version of numpy."""

from __future__ import annotations

import hashlib


def place(*key: int) -> bytes:
    """What to sort a queue by. ``key`` is a subject's number, with a seed before it for another queue.

    It depends on nobody else, so rows that are added move no one from one side of a split to the other.
    """
    return hashlib.sha256(" ".join(map(str, key)).encode()).digest()
