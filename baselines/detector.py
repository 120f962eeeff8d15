"""Finds the face in a larger picture, then its keypoints: a network that slides over it at many sizes.

It looks through windows of 64 pixels, 16 apart, and predicts the keypoints from each of them. A picture of 96 x 96 has
nine windows, whose mean is the answer; in training one of the nine is drawn for each picture, so that each learns to
answer alone. There is no dense layer: the last convolution covers the 3 x 3 cells of a window, so a larger picture has
more windows, and one pass is still enough.

`detect` finds a face although the network has only seen faces: nine windows around a face agree on its points, and
elsewhere the points move along with the window. The face is where nine neighbours agree best, over all sizes.
Sermanet and others (OverFeat), arXiv 1312.6229; Long and others, arXiv 1411.4038.

Convolutions of 16 x 16, 9 x 16 x 32, 9 x 32 x 64 and 9 x 64 x 128 weights, batch normalisation with two for each of
240 channels, the votes 3 x 3 x 128 x 30 weights and 30 biases: 256 + 4,608 + 18,432 + 73,728 + 480 + 34,590: 132,094.
"""

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from harness import Recipe

WINDOW, STRIDE = 64, 16
FACE = WINDOW + 2 * STRIDE  # pixels of a face that has 3 x 3 windows
SMALLEST, STEP = 64, 1.2  # sides of the boxes that `detect` tries: the first, and each as a multiple of the last
CENTRE, RADIUS = (0.5, 0.4), 0.25  # of the keypoints in a face's box: mean and root mean square distance from it


def block(before, after, size=3):
    """A convolution that halves the picture. No padding: a window is to see what lies in it, and nothing else."""
    return nn.Sequential(nn.Conv2d(before, after, size, stride=2, bias=False), nn.BatchNorm2d(after), nn.ReLU())


class Detector(nn.Module):
    """(B, 1, H, W) grey values in [0, 1], at least 64 x 64 -> (B, K, 2) keypoints in pixels."""

    def __init__(self, keypoints):
        super().__init__()
        # 64 pixels become 31, 15, 7, 3 cells; each of the last sees 32 pixels, 16 from the next.
        self.features = nn.Sequential(block(1, 16, size=4), block(16, 32), block(32, 64), block(64, 128))
        self.vote = nn.Conv2d(128, keypoints * 2, 3)

    def forward(self, images):
        votes = self.votes(images).flatten(3)
        if not self.training:
            return votes.mean(dim=3)
        drawn = torch.randint(votes.shape[3], (len(votes),), device=votes.device)
        return votes[torch.arange(len(votes)), :, :, drawn]

    def votes(self, pictures):
        """(B, 1, H, W) -> (B, K, 2, h, w): where in the picture each of h x w windows sees the keypoints."""
        seen = self.vote(self.features(pictures)).unflatten(1, (-1, 2))
        ys, xs = (STRIDE * torch.arange(count, device=seen.device) for count in seen.shape[3:])
        corners = torch.stack(torch.meshgrid(xs, ys, indexing="xy"))
        return corners + (WINDOW - 1) / 2 * (1 + seen)


def detect(model, picture):
    """Find the face in a picture and place its keypoints.

    Args:
        model: a trained network of `build_model`, on the CPU in eval mode.
        picture: uint8 (H, W), at least 64 x 64, with a face of any size from 64 pixels up at any place.

    Returns:
        The box (x, y, side) as a training face is cropped, and the keypoints (K, 2), in pixels of the picture.
    """
    sizes = int(np.log(min(picture.shape) / SMALLEST) / np.log(STEP)) + 1
    looks = [look(model, picture, SMALLEST * STEP**size) for size in range(sizes)]
    _, rough = min(looks, key=lambda each: each[0])
    # Now that place and size are known, a look at the face alone: that is what the network was trained for.
    points = place(model, picture, frame(rough))
    return frame(points), points


@torch.inference_mode()
def look(model, picture, side):
    """Look for a face with a box of this side: how much the nine windows that agree best differ, and their mean points.

    Returns:
        The variance of their votes, in pixels of a 96 x 96 face, and points (K, 2) in pixels of the picture.
    """
    scale = FACE / side
    resized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    bordered = cv2.copyMakeBorder(resized, *[STRIDE] * 4, cv2.BORDER_REPLICATE)  # a face may touch the picture's edge
    votes = model.votes(as_batch(bordered)).flatten(1, 2) - STRIDE
    mean, square = (functional.avg_pool2d(each, 3, stride=1) for each in (votes, votes.square()))
    variance = (square - mean.square()).mean(dim=1).flatten()
    best = variance.argmin()
    points = mean.flatten(2)[0, :, best].view(-1, 2).numpy()
    return variance[best].item(), (points + 0.5) / scale - 0.5


@torch.inference_mode()
def place(model, picture, box):
    """The keypoints (K, 2), in pixels of the picture, of the face in this box, which may reach beyond the picture."""
    x, y, side = box
    height, width = picture.shape
    rows, columns = (np.arange(start, start + side).clip(0, end - 1) for start, end in ((y, height), (x, width)))
    face = cv2.resize(picture[np.ix_(rows, columns)], (FACE, FACE), interpolation=cv2.INTER_AREA)
    points = model(as_batch(face))[0].numpy()
    return (points + 0.5) * (side / FACE) - 0.5 + (x, y)


def frame(points):
    """The box (x, y, side) that frames these keypoints (K, 2) as the training faces' are framed."""
    centre = points.mean(axis=0)
    side = np.sqrt(np.square(points - centre).sum(axis=1).mean()) / RADIUS
    x, y = centre - side * np.array(CENTRE)
    return round(x), round(y), round(side)


def as_batch(picture):
    return torch.tensor(picture)[None, None].float() / 255


def build_model(layout, image_size):
    return Detector(len(layout))


recipe = Recipe(epochs=60, batch_size=32, lr=0.01, scale=0.2, ema=0.998)
