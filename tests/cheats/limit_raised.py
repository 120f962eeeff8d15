"""Raises its own limits before it breaks them. Class: limits that their subject may change."""

import resource

from _accomplice import attack, call

EXPECT = "submissions may not do"

UNLIMITED = resource.RLIM_INFINITY


def raised(kind):
    def way():
        try:
            resource.setrlimit(getattr(resource, kind), (UNLIMITED, UNLIMITED))
        except ValueError as error:  # Python's way of telling EPERM here
            raise PermissionError(1, f"Operation not permitted: {error}") from error
        return True

    way.__name__ = kind
    return way


def by_number():
    both = b"\xff" * 16
    call("prlimit64", 0, int(resource.RLIMIT_DATA), both, 0)
    return True


build_estimator = attack(*map(raised, ["RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"]), by_number)
