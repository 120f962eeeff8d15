"""The table of a network's layers: short, and never a reason to fail."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.keypoints import FACE15
from harness.learning.ensembles import Ensemble, Member
from harness.learning.layers import MOST, layers_of

CPU = torch.device("cpu")


def test_layers_have_a_name_a_kind_a_shape_and_parameters() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 30))

    assert layers_of(model, (8, 8), CPU) == [
        {
            "name": "0",
            "kind": "Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1))",
            "shape": "4 x 6 x 6",
            "parameters": 36,
        },
        {"name": "1", "kind": "BatchNorm2d(4)", "shape": "4 x 6 x 6", "parameters": 8},
        {"name": "2", "kind": "Flatten(start_dim=1, end_dim=-1)", "shape": "144", "parameters": 0},
        {"name": "3", "kind": "Linear(in_features=144, out_features=30)", "shape": "30", "parameters": 4350},
    ]


def test_of_a_deep_network_blocks_are_shown() -> None:
    blocks = [nn.Sequential(*[nn.Conv2d(1, 1, 1) for _ in range(10)]) for _ in range(10)]
    layers = layers_of(nn.Sequential(*blocks), (8, 8), CPU)

    assert len(layers) == 10 <= MOST
    assert layers[0] == {"name": "0", "kind": "Sequential", "shape": "1 x 8 x 8", "parameters": 20}


class Odd(nn.Module):
    """Needs two images, has parameters of its own, and cannot be printed."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.own = nn.Parameter(torch.zeros(5))

    def forward(self, images: Tensor) -> Tensor:
        assert len(images) > 1
        return images


def test_parameters_outside_of_layers_are_counted_and_shapes_may_be_unknown() -> None:
    layers = layers_of(Odd(), (8, 8), CPU)

    assert [(layer["kind"], layer["shape"], layer["parameters"]) for layer in layers] == [
        ("Linear(in_features=2, out_features=2)", "", 6),
        ("parameters outside of these", "", 5),
    ]


def test_a_model_that_cannot_be_looked_at_has_no_layers() -> None:
    class Unprintable(nn.Linear):
        def extra_repr(self) -> str:
            raise KeyError("no")

    assert layers_of(Unprintable(2, 2), (8, 8), CPU) == []


def test_of_an_ensemble_each_architecture_is_told_once() -> None:
    def build(*_: object) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 30), nn.Unflatten(1, (15, 2)))

    networks = Ensemble(FACE15, (8, 8), [Member(build)], seeds=2)
    networks.networks = networks._fresh()
    for network in networks.networks:
        network.model = build()

    assert [len(each.get("layers", [])) for each in networks.facts()["networks"]] == [3, 0]
