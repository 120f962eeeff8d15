"""Loads batches in worker processes, the most usual way in which an honest submission starts one."""

import torch
from _accomplice import attack

EXPECT = "set num_workers=0"


def batches():
    data = torch.utils.data.TensorDataset(torch.zeros(8, 1))
    return list(torch.utils.data.DataLoader(data, num_workers=2))


build_estimator = attack(batches)
