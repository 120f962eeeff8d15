"""A loss that a submission writes beside ``build_model``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from harness.errors import ContractError
from harness.learning.changes import takes_two
from harness.learning.source_lines import where_it_returns

Loss = Callable[[Tensor, Tensor], Tensor]
"""Points (B, K, 2) and targets (B, K, 2), both in pixels -> one value for each keypoint, (B, K)."""


class OwnLoss:
    """A submission's loss; it never sees a missing keypoint.

    Args:
        function: what the submission calls ``loss``.

    Raises:
        ContractError: it is not a function of points and targets.
    """

    def __init__(self, function: Any) -> None:
        if not (callable(function) and takes_two(function)):
            raise ContractError(
                f"loss is a {type(function).__name__}; it must be a function loss(points, targets) -> (B, K). A recipe "
                'names those of the harness: Recipe(loss="wing")'
            )
        self.function: Loss = function
        self._place = where_it_returns(function)

    def __call__(self, points: Tensor, targets: Tensor, labelled: Tensor) -> Tensor:
        """Its values (B, K); those that are not labelled are to be left out.

        Raises:
            ContractError: it returns anything else.
        """
        # One pixel away, since a distance of 0 has no gradient, and NaN times 0 would be NaN.
        targets = torch.where(labelled.unsqueeze(-1), targets, points.detach() + 1)
        values = self.function(points, targets)
        if not isinstance(values, Tensor) or values.shape != labelled.shape:
            got = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else f"a {type(values).__name__}"
            raise ContractError(
                f"{self._place}loss returned {got}; it must return one value for each keypoint, "
                f"{tuple(labelled.shape)}, such as (points - targets).abs().mean(dim=2)"
            )
        if points.requires_grad and not values.requires_grad:
            raise ContractError(f"{self._place}loss returned values that do not depend on the points")
        return values
