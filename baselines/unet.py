"""A U-Net that draws a heatmap for each keypoint.

Down to 6 x 6 cells to see the whole face, up again to 48 x 48 to place the point, with the fine levels handed across. A
keypoint is its heatmap's mean position (soft-argmax), which needs no rounding to a cell, so a quarter of the pixels is
enough. Ronneberger and others, arXiv 1505.04597; Nibali and others (DSNT), arXiv 1801.07372.

Two 3 x 3 convolutions at each of four levels on the way down have 9 x (1 x 16 + 16² + 16 x 48 + 48² + 48 x 96 + 96² +
96 x 128 + 128²) weights, at each of three on the way up 9 x (224 x 96 + 96² + 144 x 48 + 48² + 64 x 16 + 16²), the
heatmaps 16 x 15 and 15 biases; batch normalisation has two for each of 896 channels:
412,560 + 370,944 + 255 + 1,792: 785,551.
"""

import torch
from torch import nn
from torch.nn import functional

from harness import Recipe

codec = "heatmaps"


def block(before, after, stride=1):
    """Two 3 x 3 convolutions."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )


class UNet(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> scores (B, K, H / 2, W / 2) of every cell for every keypoint."""

    def __init__(self, keypoints, channels=(16, 48, 96, 128)):
        super().__init__()
        before = (1, *channels[:-1])
        self.down = nn.ModuleList(block(a, b, stride=2) for a, b in zip(before, channels, strict=True))
        self.up = nn.ModuleList(block(a + b, b) for a, b in zip(channels[:0:-1], channels[-2::-1], strict=True))
        self.head = nn.Conv2d(channels[0], keypoints, 1)

    def forward(self, images):
        features, handed = images, []
        for down in self.down:
            features = down(features)
            handed.append(features)
        for up, fine in zip(self.up, handed[-2::-1], strict=True):
            coarse = functional.interpolate(features, size=fine.shape[-2:], mode="bilinear", align_corners=False)
            features = up(torch.cat([coarse, fine], dim=1))
        return self.head(features)


def build_model(layout, image_size):
    return UNet(len(layout))


recipe = Recipe(
    epochs=20,
    lr=3e-3,
    rotation=15,
    scale=0.15,
    shift=6,
    brightness=0.2,
    contrast=0.3,
    shape_loss=0.3,
    shape_width=1.4,
    ema=0.995,
)
