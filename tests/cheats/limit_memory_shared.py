"""Keeps bytes in shared memory, which belongs to no process: /dev/shm and torch's tensors in it. Class: memory."""

import torch
from _accomplice import attack, target

EXPECT = "may not open"


def a_file():
    with open(f"/dev/shm/{target.mark}", "wb") as file:
        return file.write(bytes(2**24))


def torchs():
    return torch.zeros(2**22).share_memory_()


build_estimator = attack(a_file, torchs)
