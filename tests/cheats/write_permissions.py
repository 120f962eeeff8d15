"""Changes permissions, owners, times and attributes, which Landlock does not govern. Class: sabotage by metadata."""

import os

from _accomplice import attack, target

EXPECT = "graded"


def changed(name, change):
    def way():
        before = os.stat(target.answers)
        change()
        after = os.stat(target.answers)
        return (before.st_mode, before.st_uid, before.st_mtime_ns) != (after.st_mode, after.st_uid, after.st_mtime_ns)

    way.__name__ = name
    return way


def without_rights():
    os.fchmod(os.open(target.answers, os.O_PATH), 0)


build_estimator = attack(
    changed("permissions", lambda: os.chmod(target.answers, 0)),
    changed("owner", lambda: os.chown(target.answers, os.getuid(), os.getgid())),
    changed("times", lambda: os.utime(target.answers, (0, 0))),
    changed("attributes", lambda: os.setxattr(target.answers, "user.mine", b"1")),
    changed("a descriptor's permissions", without_rights),
)
