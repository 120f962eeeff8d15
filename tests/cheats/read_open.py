"""Opens the answer key by its path: plainly, as an array, mapped, by its folder. Students did so at two graders."""

import mmap
import os

import numpy as np
from _accomplice import attack, target

EXPECT = "may not open"


def plainly():
    with open(target.answers_text) as file:
        return file.read()


def as_an_array():
    return np.load(target.answers).size


def mapped():
    return mmap.mmap(os.open(target.answers, os.O_RDWR), 4)[:]


def from_its_folder():
    os.chdir(os.path.dirname(target.answers))
    return os.listdir()


build_estimator = attack(plainly, as_an_array, mapped, from_its_folder)
