"""Coordinates as classes, half a pixel wide, scored by 1-D convolutions along columns and rows.

Five convolutions make 12 x 12 cells of the picture. Their mean over the rows is a strip that runs along x, their mean
over the columns one that runs along y; 1-D convolutions along each strip end in scores for 192 bins, two to a pixel. A
point is the mean position under the softmax of its bins. Li and others (SimCC), arXiv 2107.03332.

The five have 25 x 32 and 9 x (32 x 64 + 64 x 64 + 64 x 128 + 128 x 128) weights, each strip 5 x 128 x 128, then
3 x 128 x 240 and 240 biases, for 16 bins of 15 keypoints in a cell; batch normalisation has two for each of 416 + 256
channels: 800 + 276,480 + 2 x (81,920 + 92,400) + 1,344: 627,264.
"""

from torch import nn

from harness import Recipe

codec = "coordinate_bins"
BINS = 2  # to a pixel


def block(before, after, size=3, stride=1):
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()
    )


class Strip(nn.Module):
    """Features (B, C, cells) along one axis -> scores (B, K, cells * bins) of its bins for every keypoint."""

    def __init__(self, channels, keypoints, bins):
        super().__init__()
        self.keypoints = keypoints
        self.layers = nn.Sequential(
            nn.Conv1d(channels, channels, 5, padding=2, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.Conv1d(channels, keypoints * bins, 3, padding=1),
        )

    def forward(self, features):
        scores = self.layers(features)
        # Each cell scores the bins that lie in it: (B, K * bins, cells) -> (B, K, cells, bins) -> (B, K, cells * bins).
        return scores.unflatten(1, (self.keypoints, -1)).transpose(2, 3).flatten(2)


class CoordinateBins(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> scores (B, K, 2 W) of the bins along x, (B, K, 2 H) of those along y."""

    def __init__(self, keypoints):
        super().__init__()
        self.features = nn.Sequential(
            block(1, 32, size=5, stride=2),
            block(32, 64, stride=2),
            block(64, 64),
            block(64, 128, stride=2),
            block(128, 128),
        )
        self.along_x, self.along_y = (Strip(128, keypoints, 8 * BINS) for _ in "xy")

    def forward(self, images):
        features = self.features(images)
        return self.along_x(features.mean(dim=2)), self.along_y(features.mean(dim=3))


def build_model(layout, image_size):
    return CoordinateBins(len(layout))


recipe = Recipe(epochs=30, ema=0.995, shape_loss=0.3, shape_width=1.4)
