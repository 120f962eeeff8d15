"""The picture at three resolutions: 96 pixels show an eyelid, 48 an eye, 24 the face.

Three small networks of the same build, each with weights of its own, read the picture at full, half and quarter size.
What they find is enlarged to 24 x 24 cells and joined, and two more convolutions draw a heatmap per keypoint: the fine
picture says where an eye's corner may be, the coarse one says which of them it is.
Farabet and others, "Learning hierarchical features for scene labeling", 2013; Tompson and others, arXiv 1411.4280.

Each of the three has 25 x 32 + 9 x 32 x 64 + 2 x 9 x 64 x 64 weights and two for each of its 224 normalised channels,
93,408; the joint 192 x 128 and 256; the heatmaps 128 x 15 and 15 biases: 3 x 93,408 + 24,832 + 1,935: 306,991.
"""

import torch
from torch import nn
from torch.nn import functional

from harness import Recipe

codec = "heatmaps"
SCALES = (1, 2, 4)


def block(before, after, size=3, stride=1):
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()
    )


class Multiscale(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> scores (B, K, H / 4, W / 4) of every cell for every keypoint."""

    def __init__(self, keypoints):
        super().__init__()
        self.readers = nn.ModuleList(
            nn.Sequential(block(1, 32, size=5, stride=2), block(32, 64, stride=2), block(64, 64), block(64, 64))
            for _ in SCALES
        )
        self.joint = nn.Sequential(block(64 * len(SCALES), 128, size=1), nn.Conv2d(128, keypoints, 1))

    def forward(self, images):
        found = [
            reader(functional.avg_pool2d(images, scale)) for scale, reader in zip(SCALES, self.readers, strict=True)
        ]
        cells = found[0].shape[-2:]
        enlarged = [functional.interpolate(each, size=cells, mode="bilinear", align_corners=False) for each in found]
        return self.joint(torch.cat(enlarged, dim=1))


def build_model(layout, image_size):
    return Multiscale(len(layout))


recipe = Recipe(epochs=25, ema=0.995, shape_loss=0.3, shape_width=2.5)
