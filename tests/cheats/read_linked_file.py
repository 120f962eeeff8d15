"""Hands in symbolic links to the answers, a rival and a token, which the grader would copy. Class: confused deputy."""

from pathlib import Path

from _accomplice import attack

EXPECT = "is a symbolic link"

LINKS = {"weights.npy": "answers", "notes.txt": "rival", "more.txt": "token"}


def what_was_copied():
    here = Path(__file__).parent
    return [name for name in LINKS if (here / name).exists()]


build_estimator = attack(what_was_copied)
