"""A small convolutional network: five blocks, four of which halve the picture, then one dense layer.

Where to go from here: more blocks or channels, dropout, a longer training, other image edits in the recipe, a network
that draws a heatmap for each keypoint.
"""

from torch import nn

from harness import Recipe


def block(before, after, size=3, stride=2):
    """A convolution; with a stride of 2 it halves the picture. Batch normalisation lets it learn at a high rate."""
    convolution = nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())


class SmallCNN(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> (B, K, 2) keypoints in pixels."""

    def __init__(self, keypoints, image_size):
        super().__init__()
        self.features = nn.Sequential(
            block(1, 16, size=5), block(16, 32), block(32, 64), block(64, 64, stride=1), block(64, 128)
        )
        height, width = (-(-side // 16) for side in image_size)
        self.head = nn.Linear(128 * height * width, keypoints * 2)
        self.centre = (max(image_size) - 1) / 2

    def forward(self, images):
        features = self.features(images).flatten(1)
        # The head speaks of the image's centre as 0 and of its edge as 1: numbers that a fresh layer can reach.
        return self.centre * (1 + self.head(features).view(len(images), -1, 2))


def build_model(layout, image_size):
    return SmallCNN(len(layout), image_size)


recipe = Recipe(epochs=70, lr=0.01, ema=0.998)
