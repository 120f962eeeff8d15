"""Leaves a pickle under the name of an array; numpy.load and torch.load would run what it says.

A grader in use unpickles what the student's container wrote.
"""

import os
import pickle

from _accomplice import deliver, target

EXPECT = "is not a .npy file"


class Payload:
    def __reduce__(self):
        return os.mkdir, (f"/tmp/{target.mark}",)


def write(path):
    path.write_bytes(pickle.dumps(Payload()))


build_estimator = deliver(write)
