"""Trains in a loop of its own: a DataLoader without processes, a checkpoint by torch.save and torch.load."""

import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class OwnLoop:
    def __init__(self, size):
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(size[0] * size[1], 30))

    def fit(self, images, keypoints):
        pixels, points = torch.from_numpy(images).float()[:, None] / 255, torch.from_numpy(keypoints).flatten(1)
        optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        for batch, wanted in DataLoader(TensorDataset(pixels, points), batch_size=8, shuffle=True, num_workers=0):
            optimizer.zero_grad()
            known = ~wanted.isnan()
            (self.network(batch)[known] - wanted[known]).square().mean().backward()
            optimizer.step()
        checkpoint = Path(tempfile.gettempdir(), "checkpoint.pt")
        torch.save({"network": self.network.state_dict(), "optimizer": optimizer.state_dict()}, checkpoint)
        self.network.load_state_dict(torch.load(checkpoint, weights_only=True)["network"])

    @torch.inference_mode()
    def predict(self, images):
        return self.network(torch.from_numpy(images).float()[:, None] / 255).view(-1, 15, 2)


def build_estimator(layout, image_size):
    return OwnLoop(image_size)
