"""Opens files until there are no descriptors left. Class: a limit on descriptors."""

from _accomplice import attack

EXPECT = "too many files open at once"


def many():
    return [open("/dev/null") for _ in range(100_000)]


build_estimator = attack(many)
