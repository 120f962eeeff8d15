"""Opens the harness, numpy and start-up files of Python to write, to be in every later run. Class: persistence."""

import os
import site
import sysconfig

import numpy
from _accomplice import attack

import harness
from harness.isolation import bootstrap

EXPECT = "may not open"


def file(path):
    def way():
        return os.open(path, os.O_WRONLY)  # opening is enough to show it, and harms nothing where nothing holds

    way.__name__ = os.path.basename(path)
    return way


def folder(path):
    def way():
        return os.open(path, os.O_WRONLY | os.O_TMPFILE)

    way.__name__ = f"a file in {path}"
    return way


folders = [sysconfig.get_path("purelib"), os.path.dirname(numpy.__file__), os.path.dirname(harness.__file__)]
folders += [path for path in (site.getusersitepackages(), "/usr/lib", "/etc") if os.path.isdir(path)]
build_estimator = attack(file(harness.__file__), file(bootstrap.__file__), file(numpy.__file__), *map(folder, folders))
