"""ResNet-26 at a quarter of its width: 1 x 1 convolutions, and the mean over all cells at the end.

The mean over the last 3 x 3 cells (global average pooling) takes the place of a dense layer over every cell, so the
channels have to express where a point lies. The network is timm's.
He and others, arXiv 1512.03385; Lin and others (1 x 1 convolutions, global average pooling), arXiv 1312.4400.

A block of width w on c channels has c w + 9 w² + 4 w² weights, and 4 c w more where what passes it by is widened. The
7 x 7 convolution at the start has 64 x 49 = 3,136, the two blocks each of width 16, 32, 64 and 128 have
8,704 + 40,960 + 163,840 + 655,360 = 868,864, batch normalisation two for each of 3,840 channels, the output
512 x 30 + 30: 3,136 + 868,864 + 7,680 + 15,390: 895,070.
"""

import timm
from torch import nn

from harness import Recipe


class ResNet(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> (B, K, 2) keypoints in pixels."""

    def __init__(self, keypoints, image_size):
        super().__init__()
        self.layers = timm.create_model("resnet26", in_chans=1, channels=(16, 32, 64, 128), num_classes=keypoints * 2)
        self.centre = (max(image_size) - 1) / 2

    def forward(self, images):
        return self.centre * (1 + self.layers(images).view(len(images), -1, 2))


def build_model(layout, image_size):
    return ResNet(len(layout), image_size)


recipe = Recipe(epochs=30, lr=4e-3)
