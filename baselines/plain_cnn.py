"""Three convolutions before the hidden layer: the network on which the course's tricks are measured.

Trained as the hidden layer is: squared error, Nesterov momentum, a constant learning rate, no image edits, rows with a
missing keypoint left out. `variants` holds the course's tricks, each by itself and most of them together; `harness
ablate plain_cnn` measures what each is worth. The last variant leaves out width, which takes the most time, and two
tricks that made it worse on a validation part of the training subjects: dropout, and separate outputs for each source
of labels.

Most tricks are those of Nouri, Using convolutional neural nets to detect facial keypoints, 2014; batch normalisation
(arXiv 1502.03167) takes the place of his thousands of epochs.

Three convolutions of 3 x 3 have 9 x (16 + 16 x 32 + 32 x 64) weights, and their 112 channels two of batch normalisation
each. Their 12 x 12 cells of 64 channels are as many inputs as there were pixels, so the two dense layers are the hidden
layer's, 921,700 and 3,030: 23,184 + 224 + 924,730: 948,138.
"""

from torch import nn

from harness import Recipe


def block(before, after):
    return nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)


class PlainCNN(nn.Module):
    """(B, 1, H, W) grey values in [0, 1] -> (B, K, 2) keypoints in pixels."""

    def __init__(self, keypoints, image_size, dropout, width):
        super().__init__()
        rows, columns = (side // 8 for side in image_size)
        self.layers = nn.Sequential(
            *block(1, 16 * width),
            *block(16 * width, 32 * width),
            *block(32 * width, 64 * width),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(64 * width * rows * columns, 100 * width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(100 * width, keypoints * 2),
        )
        self.centre = (max(image_size) - 1) / 2

    def forward(self, images):
        return self.centre * (1 + self.layers(images).view(len(images), -1, 2))


def build_model(layout, image_size, *, dropout=0.0, width=1):
    return PlainCNN(len(layout), image_size, dropout, width)


recipe = Recipe(
    epochs=25,
    batch_size=32,
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

variants = {
    "mirrored images": {"flip": 0.5},
    "grey-level edits": {"brightness": 0.1, "contrast": 0.2},
    "turned, resized, moved images": {"rotation": 10, "scale": 0.1, "shift": 4},
    "rate and momentum over time": {
        "lr": 0.03,
        "warmup": 0.1,
        "lr_schedule": "linear",
        "lr_end": 1e-4,
        "momentum_schedule": "linear",
        "momentum_end": 0.99,
    },
    "dropout": {"dropout": 0.25},
    "twice as wide": {"width": 2},
    "three times as long": {"epochs": 75},
    "missing labels masked": {"partial_labels": "mask"},
    "a second source of labels": {"partial_labels": "separate"},
    "averaged weights": {"ema": 0.99},
    "mirrored image at test": {"flip_test": True},
}
apart = ("dropout", "twice as wide", "a second source of labels")
variants["together, but for dropout, width, sources"] = {
    name: value for trick, changes in variants.items() if trick not in apart for name, value in changes.items()
}
