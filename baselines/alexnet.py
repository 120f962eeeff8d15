"""AlexNet for small pictures, with half of its channels, as one of its two GPUs held them.

Five convolutions, then three dense layers with dropout. Without the last pooling the dense layers see 5 x 5 cells, as
they saw 6 x 6 of a larger picture; they have 512 units for a few thousand faces, not 2,048 for a million pictures.
Batch normalisation replaces the original's local response normalisation, and dropout is 0.1 instead of 0.5: a
coordinate depends on how large the units' values are, and dropout in front of a ReLU makes their mean larger in
training than in prediction.
Krizhevsky and others, ImageNet Classification with Deep Convolutional Neural Networks, 2012.

Convolutions of 48 x 121, 128 x 48 x 25, 192 x 128 x 9, 192 x 192 x 9 and 128 x 192 x 9, batch normalisation of two for
each of 688 channels, dense layers of 3,200 x 512 + 512, 512 x 512 + 512 and 512 x 30 + 30:
5,808 + 153,600 + 221,184 + 331,776 + 221,184 + 1,376 + 1,638,912 + 262,656 + 15,390: 2,851,886.
"""

from torch import nn

from harness import Recipe


def block(before, after, size, stride=1):
    convolution = nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())


class AlexNet(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> (B, K, 2) keypoints in pixels."""

    def __init__(self, keypoints, image_size, units=512):
        super().__init__()
        rows, columns = (((side // 4 - 1) // 2 - 1) // 2 for side in image_size)
        self.layers = nn.Sequential(
            block(1, 48, size=11, stride=4),
            nn.MaxPool2d(3, stride=2),
            block(48, 128, size=5),
            nn.MaxPool2d(3, stride=2),
            block(128, 192, size=3),
            block(192, 192, size=3),
            block(192, 128, size=3),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(128 * rows * columns, units),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(units, units),
            nn.ReLU(),
            nn.Linear(units, keypoints * 2),
        )
        self.centre = (max(image_size) - 1) / 2

    def forward(self, images):
        return self.centre * (1 + self.layers(images).view(len(images), -1, 2))


def build_model(layout, image_size):
    return AlexNet(len(layout), image_size)


recipe = Recipe(epochs=40, lr=1e-3)
