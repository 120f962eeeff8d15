"""Networks in the shapes of public courses, small, for 32 x 32 pixels; how each flattens is how its original does.

Unchanged but for the contract's function: ``NETWORKS`` holds it for each.
"""

from __future__ import annotations

from collections import namedtuple

import torch
from torch import nn
from torch.nn import functional


class LeNet(nn.Module):
    """``x.view(-1, 16 * 5 * 5)``; emits (B, 2K)."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.pool = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2, 2)
        self.fc1, self.fc2 = nn.Linear(16 * 5 * 5, 32), nn.Linear(32, 2 * points)

    def forward(self, x):
        x = self.pool(functional.relu(self.conv1(x)))
        x = self.pool(functional.relu(self.conv2(x)))
        x = x.view(-1, 16 * 5 * 5)
        return self.fc2(functional.relu(self.fc1(x)))


class NaimishNet(nn.Module):
    """Dropout after each layer, ELU, initial weights of its own; ``x.view(x.size(0), -1)``."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(1, 8, 4), nn.Conv2d(8, 16, 3), nn.Conv2d(16, 16, 2)])
        self.drops = nn.ModuleList([nn.Dropout(0.1 * n) for n in range(1, 6)])
        self.pool = nn.MaxPool2d(2, 2)
        self.dense1, self.dense2, self.dense3 = nn.Linear(64, 32), nn.Linear(32, 32), nn.Linear(32, 2 * points)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.uniform_(layer.weight, 0, 0.1)
            elif isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)

    def forward(self, x):
        for conv, drop in zip(self.convs, self.drops, strict=False):
            x = drop(self.pool(functional.elu(conv(x))))
        x = x.view(x.size(0), -1)
        x = self.drops[3](functional.elu(self.dense1(x)))
        return self.dense3(self.drops[4](self.dense2(x)))


class Udacity(nn.Module):
    """68 points as 136 numbers, batch normalisation before them."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 5), nn.Conv2d(8, 8, 3)
        self.pool, self.drop = nn.MaxPool2d(2, 2), nn.Dropout(p=0.4)
        self.fc1, self.norm, self.fc2 = nn.Linear(8 * 6 * 6, 32), nn.BatchNorm1d(32), nn.Linear(32, 2 * points)

    def forward(self, x):
        x = self.pool(functional.relu(self.conv1(x)))
        x = self.drop(self.pool(functional.relu(self.conv2(x))))
        x = x.view(x.size(0), -1)
        return self.fc2(functional.relu(self.norm(self.fc1(x))))


class Residual(nn.Module):
    """Skips, then ``.view`` of the average."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8)
        self.body, self.shortcut = nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 1, 2)
        self.fc = nn.Linear(8 * 4 * 4, 2 * points)

    def forward(self, x):
        x = functional.relu(self.norm(self.stem(x)))
        x = functional.relu(self.body(x) + self.shortcut(x))
        x = functional.avg_pool2d(x, 2)
        return self.fc(x.view(x.shape[0], -1))


class LikeKeras(nn.Module):
    """Channels last before it flattens, as weights that come from Keras need it."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self.conv, self.dense = nn.Conv2d(1, 8, 3, stride=4), nn.Linear(8 * 8 * 8, 2 * points)

    def forward(self, x):
        x = functional.relu(self.conv(x)).permute(0, 2, 3, 1)
        return self.dense(x.reshape(len(x), -1))


class KaggleDropout(nn.Module):
    """Three blocks with growing dropout, ``torch.flatten``, and points as (B, K, 2)."""

    def __init__(self, points: int) -> None:
        super().__init__()
        blocks = [
            (nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(p))
            for a, b, p in ((1, 4, 0.1), (4, 8, 0.2), (8, 16, 0.3))
        ]
        self.features = nn.Sequential(*(layer for block in blocks for layer in block))
        self.hidden, self.dense = nn.Linear(16 * 4 * 4, 32), nn.Linear(32, 2 * points)

    def forward(self, x):
        x = torch.flatten(self.features(x), 1)
        return self.dense(functional.dropout(functional.relu(self.hidden(x)), 0.5, self.training)).view(len(x), -1, 2)


Outputs = namedtuple("Outputs", "logits aux")


class LikeInception(nn.Module):
    """A second head while it trains, three colours, ``.view(x.size(0), -1)``."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.branches = nn.ModuleList([nn.Conv2d(8, 4, 1), nn.Conv2d(8, 4, 3, padding=1)])
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.fc, self.aux = nn.Linear(8 * 4 * 4, 2 * points), nn.Linear(8 * 4 * 4, 2 * points)

    def forward(self, x):
        x = functional.relu(self.stem(x.expand(-1, 3, -1, -1)))
        aux = self.aux(self.pool(x).view(x.size(0), -1)) if self.training else None
        x = self.pool(torch.cat([branch(x) for branch in self.branches], dim=1))
        x = self.fc(x.view(x.size(0), -1))
        return Outputs(x, aux) if self.training else x


class LikeVgg(nn.Module):
    """Features, an adaptive average, a classifier with dropout."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(4))
        self.avgpool = nn.AdaptiveAvgPool2d((4, 4))
        self.classifier = nn.Sequential(
            nn.Linear(8 * 4 * 4, 32), nn.ReLU(True), nn.Dropout(), nn.Linear(32, 2 * points)
        )

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(start_dim=1))


def sequential(points: int) -> nn.Module:
    """``nn.Sequential`` with ``nn.Flatten``."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(8 * 49, 2 * points)
    )


NETWORKS = {
    each.__name__: each
    for each in (LeNet, NaimishNet, Udacity, Residual, LikeKeras, KaggleDropout, LikeInception, LikeVgg, sequential)
}
"""Name -> what makes the network for K points."""
POINTS = {"Udacity": 68}
"""How many points, where it is not 15."""
