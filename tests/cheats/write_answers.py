"""Changes the answer key: rewrites, appends, truncates in every way that needs less than a right to write.

Landlock before its ABI 3 does not govern truncation.
"""

import os

from _accomplice import attack, call, target

EXPECT = "may not open"


def opened(name, flags):
    def way():
        return os.open(target.answers_text, flags)

    way.__name__ = name
    return way


def truncated():
    os.truncate(target.answers_text, 0)
    return True


def truncated_by_number():
    call("truncate", target.answers_text.encode(), 0)
    return True


def recreated():
    return call("openat2", -100, target.answers_text.encode(), bytes(24), 24)


build_estimator = attack(
    opened("rewritten", os.O_WRONLY),
    opened("appended to", os.O_WRONLY | os.O_APPEND),
    opened("both read and written", os.O_RDWR),
    opened("truncated by opening to read", os.O_RDONLY | os.O_TRUNC),
    opened("truncated by opening to nothing", 3 | os.O_TRUNC),
    truncated,
    truncated_by_number,
    recreated,
)
