"""Hands in a symbolic link to a whole folder, for the grader to copy beside it. Class: confused deputy."""

from pathlib import Path

from _accomplice import attack

EXPECT = "is a symbolic link"

LINKS = {"extra": "entries"}


def what_was_copied():
    folder = Path(__file__).with_name("extra")
    return list(folder.iterdir()) if folder.exists() else []


build_estimator = attack(what_was_copied)
