"""One hidden layer of 100 units: where the course begins.

96 x 96 inputs to 100 units are 921,600 weights and 100 biases, 100 units to 30 coordinates 3,000 and 30: 924,730. In
the lecture the same layer sees a 28 x 28 image: 28 x 28 x 100 + 100 = 78,500.
Trained as in the course: squared error, Nesterov momentum, a constant learning rate, no image edits, rows with a
missing keypoint left out.
"""

from torch import nn

from harness import Recipe


class HiddenLayer(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> (B, K, 2) keypoints in pixels."""

    def __init__(self, keypoints, image_size, units=100):
        super().__init__()
        height, width = image_size
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(height * width, units), nn.ReLU(), nn.Linear(units, keypoints * 2)
        )
        self.centre = (max(image_size) - 1) / 2

    def forward(self, images):
        return self.centre * (1 + self.layers(images).view(len(images), -1, 2))


def build_model(layout, image_size):
    return HiddenLayer(len(layout), image_size)


recipe = Recipe(
    epochs=400,
    batch_size=128,
    optimizer="nesterov",
    lr=0.01,
    lr_schedule="constant",
    warmup=0,
    momentum=0.9,
    weight_decay=0,
    loss="mse",
    flip=0,
    rotation=0,
    scale=0,
    shift=0,
    brightness=0,
    contrast=0,
    partial_labels="drop",
    ema=0,
    flip_test=False,
)
