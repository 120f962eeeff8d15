"""A network for segmentation: ResNet18's features, one score a class, drawn at full size.

A keypoint takes the place of a class. ResNet18 leaves 3 x 3 cells of 512 channels, a 1 x 1 convolution makes them a
score for each keypoint, and a transposed convolution draws each score 32 times as large. It begins as bilinear
interpolation and learns from there. So coarse a heatmap has no peak, but its mean position can lie anywhere.
Nothing is downloaded: all of it is learnt from the faces.
Long, Shelhamer and Darrell, arXiv 1411.4038; He and others, arXiv 1512.03385.

ResNet18 for grey pictures and without its dense layer has 11,170,240, the scores have 512 x 15 weights and 15 biases,
the drawing 64 x 64 from each of 15 scores to each of 15 heatmaps: 11,170,240 + 7,695 + 921,600: 12,099,535.
"""

import timm
import torch
from torch import nn

from harness import Recipe

codec = "heatmaps"
STRIDE = 32


class Segmentation(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> scores (B, K, H, W) of every pixel for every keypoint."""

    def __init__(self, keypoints):
        super().__init__()
        self.features = timm.create_model("resnet18", in_chans=1, num_classes=0, global_pool="")
        self.score = nn.Conv2d(self.features.num_features, keypoints, 1)
        self.draw = nn.ConvTranspose2d(keypoints, keypoints, 2 * STRIDE, STRIDE, padding=STRIDE // 2, bias=False)
        nn.init.zeros_(self.draw.weight)
        with torch.no_grad():
            # Each score is drawn on its own keypoint's heatmap at first.
            self.draw.weight[range(keypoints), range(keypoints)] = bilinear(2 * STRIDE)

    def forward(self, images):
        return self.draw(self.score(self.features(images)))


def bilinear(size):
    """The kernel (size, size) with which a transposed convolution of stride size / 2 interpolates."""
    ramp = 1 - (torch.arange(size) - (size - 1) / 2).abs() / (size / 2)
    return ramp[:, None] * ramp


def build_model(layout, image_size):
    return Segmentation(len(layout))


recipe = Recipe(epochs=10, lr=1e-3, ema=0.99)
