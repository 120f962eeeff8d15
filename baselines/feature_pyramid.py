"""A feature pyramid on residual blocks: a heatmap for each keypoint from several scales at once.

Down to 6 x 6 cells by strides, with residual blocks where cells are cheap; then up to 48 x 48 again by adding, at each
size, what a 1 x 1 convolution takes from the way down. Adding keeps the fine levels at 48 channels: a U-Net, which
joins its levels, spends most of its time there. The heatmaps' shape is part of the loss, and `recentre` corrects what
cannot be learnt from mirrored images: the labels of photographs lie a little to one side.
Lin and others, arXiv 1612.03144; He and others, arXiv 1512.03385.

The way down has 25 x 24 and 9 x (24 x 48 + 48 x 96 + 96 x 160) weights in its strides and 9 x 2 x (48² + 96² + 160²) in
its blocks, the sideways convolutions 48 x (24 + 48 + 96 + 160), the three smoothing ones 9 x 48² each, the heatmaps
48 x 15 and 15 biases; batch normalisation has two for each of 1,272 channels: 600 + 190,080 + 668,160 + 15,744 + 62,208
+ 735 + 2,544: 940,071.
"""

from torch import nn
from torch.nn import functional

from harness import Recipe

codec = "heatmaps"


def convolution(before, after, size=3, stride=1):
    """A convolution and its batch normalisation."""
    return nn.Sequential(nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(after))


class Residual(nn.Module):
    """Two convolutions whose result is added to what came in."""

    def __init__(self, channels):
        super().__init__()
        self.change = nn.Sequential(convolution(channels, channels), nn.ReLU(), convolution(channels, channels))

    def forward(self, features):
        return functional.relu(features + self.change(features))


class FeaturePyramid(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> scores (B, K, H / 2, W / 2) of every cell for every keypoint."""

    def __init__(self, keypoints, channels=(24, 48, 96, 160), blocks=(0, 1, 1, 1), width=48):
        super().__init__()
        before = (1, *channels[:-1])
        self.down = nn.ModuleList(
            nn.Sequential(convolution(a, b, 5 if a == 1 else 3, stride=2), nn.ReLU(), *(Residual(b) for _ in range(n)))
            for a, b, n in zip(before, channels, blocks, strict=True)
        )
        self.sideways = nn.ModuleList(convolution(each, width, size=1) for each in channels)
        self.smooth = nn.ModuleList(nn.Sequential(convolution(width, width), nn.ReLU()) for _ in channels[1:])
        self.head = nn.Conv2d(width, keypoints, 1)

    def forward(self, images):
        levels, features = [], images
        for down, sideways in zip(self.down, self.sideways, strict=True):
            features = down(features)
            levels.append(sideways(features))
        features = levels.pop()
        for smooth in self.smooth:
            fine = levels.pop()
            coarse = functional.interpolate(features, size=fine.shape[-2:], mode="bilinear", align_corners=False)
            features = smooth(functional.relu(coarse + fine))
        return self.head(features)


def build_model(layout, image_size):
    return FeaturePyramid(len(layout))


recipe = Recipe(
    epochs=40,
    lr=4e-3,
    rotation=15,
    scale=0.15,
    shift=6,
    brightness=0.2,
    contrast=0.3,
    shape_loss=0.3,
    shape_width=1.4,
    ema=0.998,
    recentre=True,
)
