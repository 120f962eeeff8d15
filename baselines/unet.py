"""A U-Net that draws a heatmap per keypoint and takes each one's mean position (soft-argmax).

Down to 6 x 6 to see the whole face, up again to 48 x 48 to place the point, with the fine layers handed across. The
mean under a softmax needs no rounding to a cell, so a quarter of the pixels is enough.
Ronneberger and others, arXiv 1505.04597; Nibali and others (DSNT), arXiv 1801.07372.
"""

import torch
from torch import nn
from torch.nn import functional

from harness import Recipe


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
    """(B, 1, H, W) grey values in [0, 1] -> (B, K, 2) keypoints in pixels."""

    def __init__(self, keypoints, channels=(32, 64, 96, 128)):
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
        return soft_argmax(self.head(features), images.shape[-2:])


def soft_argmax(heatmaps, image_size):
    """Mean position under the softmax of each heatmap (B, K, h, w), in pixels of the image."""
    batch, keypoints, *cells = heatmaps.shape
    weights = heatmaps.flatten(2).softmax(dim=2).view(batch, keypoints, *cells)
    ys, xs = (
        # The centre of cell i, which spans `side / count` pixels; the first pixel's centre is 0.
        (torch.arange(count, device=heatmaps.device) + 0.5) * (side / count) - 0.5
        for count, side in zip(cells, image_size, strict=True)
    )
    return torch.stack([(weights.sum(dim=2) * xs).sum(dim=2), (weights.sum(dim=3) * ys).sum(dim=2)], dim=2)


def build_model(layout, image_size):
    return UNet(len(layout))


recipe = Recipe(epochs=35, lr=2e-3, rotation=15, scale=0.15, shift=6, brightness=0.2, contrast=0.3, ema=0.995)
