"""Looks where people keep tokens: netrc, SSH keys, the shells' histories, password files. Class: credential theft."""

import os

from _accomplice import attack, target

EXPECT = "may not open"


def file(path):
    def way():
        return open(os.path.expanduser(path), "rb").read()

    way.__name__ = path
    return way


paths = [target.token, "/etc/passwd", "/etc/shadow", "/etc/hostname", "/root/.netrc", "/root/.ssh/id_rsa"]
present = [path for path in paths if os.path.lexists(path)]


def home_folder():
    return os.listdir("~") if os.path.exists("~") else os.listdir(os.path.expanduser("~"))


def home_folders():
    return os.listdir("/home") + os.listdir("/root")


build_estimator = attack(*map(file, present), home_folder, home_folders)
