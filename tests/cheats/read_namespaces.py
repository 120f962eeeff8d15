"""Leaves for another view of the files: namespaces, a mount, another root. Class: container escape."""

import os

from _accomplice import attack, call, target

EXPECT = "something that submissions may not do"

NEW_USER, NEW_FOLDERS = 0x10000000, 0x20000


def a_user_namespace():
    call("unshare", NEW_USER | NEW_FOLDERS)
    return True


def the_graders_namespace():
    call("setns", os.open(f"/proc/{target.grader}/ns/mnt", os.O_RDONLY), 0)
    return True


def another_root():
    os.chroot(os.path.dirname(target.answers))
    return True


def a_mount():
    call("mount", os.path.dirname(target.answers).encode(), b"input", 0, 4096, 0)
    return True


def a_copied_mount():
    return call("open_tree", -100, os.path.dirname(target.answers).encode(), 1)


build_estimator = attack(a_user_namespace, the_graders_namespace, another_root, a_mount, a_copied_mount)
