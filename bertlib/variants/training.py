"""A short loop for objectives that are not BERT's: ELECTRA's and SpanBERT's.

Optimiser, schedule and batches are the package's. What BertTrainer adds, such as checkpoints and several
devices, is left out. Models with BERT's own objective (ALBERT, modern) take BertTrainer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bertlib.data.batches import Batch, PreTrainingBatches
from bertlib.descent import Descent
from bertlib.errors import ConfigError
from bertlib.progress import progress_bar
from bertlib.seeds import mix_seed, seeded


def train_variant(
    model: nn.Module,
    losses_of: Callable[[Batch, int], Sequence[Tensor]],
    batches: PreTrainingBatches,
    *,
    steps: int,
    learning_rate: float = 1e-3,
    warmup_share: float = 0.1,
    seed: int = 0,
    progress: bool = False,
) -> NDArray[np.float64]:
    """Train for some steps and return every loss of every step.

    Args:
        model: everything that learns; it is on the device of ``batches``.
        losses_of: makes a step's losses from its batch and number, the one to go down first.
        batches: by step number.
        steps: how many.
        learning_rate: the highest; up and down in straight lines.
        warmup_share: part of the steps on the way up.
        seed: of dropout.
        progress: show a bar.

    Returns:
        (steps, number of losses), in nats.

    Raises:
        ConfigError: no steps.
        TrainingError: the first loss is no number any more.
    """
    if steps < 1:
        raise ConfigError(f"steps is {steps}; expected at least 1")
    descent = Descent(
        model, steps=steps, learning_rate=learning_rate, warmup_share=warmup_share, betas=(0.9, 0.98)
    )
    history = []
    model.train()
    with progress_bar(iterable=range(steps), desc="pre-training", unit="step", disable=not progress) as bar:
        for step in bar:
            with seeded(mix_seed(seed, step), batches.device):
                losses = losses_of(batches.batch(step), step)
            descent.step(losses[0], step)
            history.append(torch.stack([loss.detach() for loss in losses]))
    return torch.stack(history).double().cpu().numpy()
