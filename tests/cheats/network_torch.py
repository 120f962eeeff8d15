"""Downloads weights by torch.hub, and opens torch's own sockets, which Python's socket module does not see."""

import torch
from _accomplice import attack, target

EXPECT = "tried to open a network connection"


def by_hub():
    return torch.hub.load_state_dict_from_url("http://{}:{}/answers.pth".format(*target.tcp), progress=False)


def by_store():
    from datetime import timedelta

    return torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, timeout=timedelta(seconds=1))


build_estimator = attack(by_hub, by_store)
