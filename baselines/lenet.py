"""LeNet-5, which read digits on cheques, on faces of 96 x 96.

Two convolutions of 5 x 5, each followed by the mean of 2 x 2, then dense layers of 120 and 84 units; tanh throughout.
Two changes: the pictures are larger than 32 x 32, so the 120 units see 21 x 21 cells instead of 5 x 5, and each map of
the second layer sees all maps of the first.
LeCun and others, Gradient-Based Learning Applied to Document Recognition, 1998.

Convolutions of 6 x (25 + 1) and 16 x (6 x 25 + 1), dense layers of 16 x 21 x 21 x 120 + 120, 120 x 84 + 84 and
84 x 30 + 30: 156 + 2,416 + 846,840 + 10,164 + 2,550: 862,126.
"""

from torch import nn

from harness import Recipe


class LeNet(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> (B, K, 2) keypoints in pixels."""

    def __init__(self, keypoints, image_size):
        super().__init__()
        rows, columns = (((side - 4) // 2 - 4) // 2 for side in image_size)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 6, 5),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * rows * columns, 120),
            nn.Tanh(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, keypoints * 2),
        )
        self.centre = (max(image_size) - 1) / 2

    def forward(self, images):
        return self.centre * (1 + self.layers(images).view(len(images), -1, 2))


def build_model(layout, image_size):
    return LeNet(len(layout), image_size)


recipe = Recipe(epochs=60, lr=2e-3)
