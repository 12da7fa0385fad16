"""One step down: what the small loops of ancestors, variants and sentence encoders share.

BERT's own trainer does more: several devices, checkpoints, mixed precision.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bertlib.errors import TrainingError
from bertlib.train.optim import make_optimizer
from bertlib.train.schedule import learning_rate as rate_at


class Descent:
    """AdamW with BERT's schedule, up and down in straight lines.

    Args:
        model: all that learns, on its device.
        steps: how many will be taken.
        learning_rate: the highest.
        warmup_share: part of the steps on the way up.
        betas: of AdamW.
        weight_decay: on matrices.
        clip: longest gradient.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        steps: int,
        learning_rate: float,
        warmup_share: float,
        betas: tuple[float, float],
        weight_decay: float = 0.01,
        clip: float = 1.0,
    ) -> None:
        self.model, self.steps, self.peak, self.clip = model, steps, learning_rate, clip
        self.warmup = round(warmup_share * steps)
        self.optimizer = make_optimizer(
            model, learning_rate=learning_rate, weight_decay=weight_decay, betas=betas
        )

    def step(self, loss: Tensor, number: int) -> None:
        """Go down the gradient of ``loss``; ``number`` is the step's place in the schedule, from 0.

        Raises:
            TrainingError: the loss is no finite number; the weights are as before.
        """
        if not torch.isfinite(loss):
            raise TrainingError(
                f"step {number + 1:,}: the loss is no finite number; try a lower learning rate (it was "
                f"{self.peak:g})"
            )
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(number, peak=self.peak, warmup_steps=self.warmup, total_steps=self.steps)
        self.optimizer.step()
