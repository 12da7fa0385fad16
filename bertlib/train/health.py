"""A loss that is no number: noticed before it does harm, without waiting for the device.

Asking "is it finite?" makes the processor wait until the device has computed everything. So the question is
answered where the number is: its answer, 0 or 1, goes to the fused optimiser, which changes nothing if it is
1 (mixed precision with a gradient scaler uses the same door). The processor reads it one step later,
together with a number that it has to fetch anyway.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer

from bertlib.errors import TrainingError
from bertlib.train.config import TrainingConfig


class Health:
    """Watches one number a step.

    Args:
        optimizer: a fused one.
        config: named in the error, with what to try.
    """

    def __init__(self, optimizer: Optimizer, config: TrainingConfig, device: torch.device) -> None:
        self.optimizer, self.config = optimizer, config
        self.bad = torch.zeros((), device=device)  # 1 after a step that was not taken

    def guard(self, number: Tensor) -> None:
        """Let the optimiser's next step change nothing if ``number`` is NaN or infinite.

        It has to be the same in all processes, or some take the step and others do not. The norm of the
        gradient is such a number, and it is none as soon as any part of the gradient is none.
        """
        self.bad = (~torch.isfinite(number.detach())).float()
        self.optimizer.found_inf = self.bad  # type: ignore[attr-defined]

    def reset(self) -> None:
        """Forget the step before: the weights are those of a checkpoint again."""
        self.bad = torch.zeros_like(self.bad)

    def check(self, step: int, bad: float | None = None) -> None:
        """Stop if the step before was no number.

        Args:
            step: its number, counted from 1.
            bad: the answer, where it has been fetched already; else it is fetched now.

        Raises:
            TrainingError: with the step, and what to try.
        """
        if not (self.bad.item() if bad is None else bad):
            return
        config = self.config
        remedies = [
            f"a lower learning rate (it was {config.learning_rate:g})",
            f"a longer warm-up (it was {config.warmup_steps:,} steps)",
        ]
        if (config.precision, config.matmul_precision) != ("fp32", "highest"):
            remedies.append("--precision fp32 --matmul highest")
        raise TrainingError(
            f"step {step:,}: the loss or its gradient is no finite number. The step was not taken and "
            f"nothing of it saved; earlier checkpoints are good. Start again with {', or '.join(remedies)}"
        )
