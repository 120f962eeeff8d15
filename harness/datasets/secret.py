"""Secrets from which a teacher's held-out faces are drawn; only those that the harness made are taken."""

from __future__ import annotations

import hashlib
import secrets

from harness.errors import UsageError

SEED_VARIABLE = "HARNESS_SECRET_SEED"
"""The environment variable with which a teacher draws held-out faces that nobody has seen."""

_RANDOM, _CHECK = 32, 8  # hexadecimal digits


def new_secret() -> str:
    """128 random bits and a checksum, as hexadecimal digits."""
    random = secrets.token_hex(_RANDOM // 2)
    return random + _checksum(random)


def seed_of(secret: str) -> int:
    """A secret as a seed of 128 bits.

    Raises:
        UsageError: the harness did not make it, so that it could be found by trying, or it was mistyped.
    """
    if len(secret) != _RANDOM + _CHECK or secret[_RANDOM:] != _checksum(secret[:_RANDOM]):
        raise UsageError(
            f"{SEED_VARIABLE} is not a secret that the harness made: a word could be found by trying, and a mistyped "
            "one draws other faces. Copy it again, or make one with `harness secret new`"
        )
    return int.from_bytes(hashlib.sha256(secret.encode()).digest()[:16], "big")


def _checksum(random: str) -> str:
    return hashlib.sha256(f"a secret of the facial keypoint harness {random}".encode()).hexdigest()[:_CHECK]
