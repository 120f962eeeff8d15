"""Convolutions alone, no dense layer: a heatmap for each keypoint, whatever the picture's size.

Two strides bring 96 pixels to 24 cells. From there on dilated convolutions see ever more of the picture and keep all
cells: with taps 1, 2, 4 and 8 cells apart, and 1 again, a cell sees more than the whole face. Without a dense layer
nothing depends on the size: the same weights draw heatmaps of 48 x 48 cells for a picture of 192 x 192.
Long and others, arXiv 1411.4038; Yu and Koltun, arXiv 1511.07122.

The first two layers have 25 x 32 and 9 x 32 x 64 weights, the five after them 9 x 64 x 64 each, batch normalisation two
for each of 32 + 6 x 64 channels, the heatmaps 64 x 15 and 15 biases: 800 + 18,432 + 184,320 + 832 + 975: 205,359.
"""

from torch import nn

from harness import Recipe

codec = "heatmaps"


def block(before, after, size=3, stride=1, dilation=1):
    """A convolution; ``dilation`` is how many cells its taps lie apart."""
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, padding=size // 2 * dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )


def build_model(layout, image_size):
    """(B, 1, H, W) grey values in [0, 1] -> scores (B, K, H / 4, W / 4) of every cell for every keypoint."""
    return nn.Sequential(
        block(1, 32, size=5, stride=2),
        block(32, 64, stride=2),
        *(block(64, 64, dilation=cells) for cells in (1, 2, 4, 8, 1)),
        nn.Conv2d(64, len(layout), 1),
    )


recipe = Recipe(epochs=25, ema=0.995, shape_loss=0.3, shape_width=2.5)
