"""Receptive fields: every unit sees 5 x 5 pixels of its own, with weights of its own.

The lecture's step between the dense layer and the convolution. Over a 28 x 28 image one field at each of 24 x 24 places
has 24 x 24 x (5 x 5 + 1) weights: 14,976, a fifth of the dense layer's; five fields over three colours have
24 x 24 x 5 x (5 x 5 x 3 + 1): 218,880. A convolution shares them among the places and has 26, or 380.

Here four fields begin at every second pixel: 46 x 46 x 4 x 26 are 220,064. The 100 units over these 46 x 46 x 4 have
846,500, the output 3,030: 1,069,594.
"""

import torch
from torch import nn
from torch.nn import functional

from harness import Recipe


class ReceptiveFields(nn.Module):
    """A locally connected layer: (B, C, H, W) -> (B, fields, rows, columns), no weight shared between places."""

    def __init__(self, channels, image_size, fields, size=5, stride=1):
        super().__init__()
        self.size, self.stride = size, stride
        self.places = [(side - size) // stride + 1 for side in image_size]
        inputs, places = channels * size**2, self.places[0] * self.places[1]
        self.weight = nn.Parameter(torch.randn(fields, inputs, places) * (2 / inputs) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(fields, places))

    def forward(self, images):
        patches = functional.unfold(images, self.size, stride=self.stride)  # (B, inputs, places)
        return (torch.einsum("bip,fip->bfp", patches, self.weight) + self.bias).unflatten(2, self.places)


class Network(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> (B, K, 2) keypoints in pixels."""

    def __init__(self, keypoints, image_size, fields=4, units=100):
        super().__init__()
        seen = ReceptiveFields(1, image_size, fields, stride=2)
        rows, columns = seen.places
        self.layers = nn.Sequential(
            seen,
            nn.Flatten(),
            nn.ReLU(),
            nn.Linear(fields * rows * columns, units),
            nn.ReLU(),
            nn.Linear(units, keypoints * 2),
        )
        self.centre = (max(image_size) - 1) / 2

    def forward(self, images):
        return self.centre * (1 + self.layers(images).view(len(images), -1, 2))


def build_model(layout, image_size):
    return Network(len(layout), image_size)


recipe = Recipe(epochs=40, lr=1e-3)
