"""Opens the answer key from native code, which Python's audit hooks never see: libc, torch's storages, numpy.

Known to walk through graders that rely on `sys.addaudithook`.
"""

import ctypes
import os

import numpy as np
import torch
from _accomplice import attack, target

EXPECT = "may not"


def through_libc():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.open(target.answers.encode(), os.O_RDONLY) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target.answers)
    return True


def through_torch():
    return bytes(torch.UntypedStorage.from_file(target.answers, False, 64))


def through_numpy():
    return np.memmap(target.answers, mode="r").tobytes()


build_estimator = attack(through_libc, through_torch, through_numpy)
