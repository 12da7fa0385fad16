"""How the neural ancestors learn: one loop for all of them, so that their own files show the model only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from bertlib.descent import Descent
from bertlib.errors import ConfigError
from bertlib.progress import progress_bar
from bertlib.seeds import seeded

B = TypeVar("B")  # a batch, whatever it is made of


@dataclass(frozen=True, kw_only=True)
class Training:
    """How long and how fast to learn; the same AdamW and schedule as BERT's.

    Raises:
        ConfigError: a number below its range.
    """

    epochs: int = 5
    batch_size: int = 16  # rows; places in the text (word2vec)
    learning_rate: float = 3e-3  # the highest
    weight_decay: float = 0.01
    warmup_share: float = 0.1  # of all batches
    clip: float = 1.0  # longest gradient
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected at least {least}")
        if not (self.learning_rate > 0 and self.clip > 0 and self.weight_decay >= 0):
            raise ConfigError(
                f"learning_rate {self.learning_rate}, clip {self.clip}, weight_decay {self.weight_decay}: "
                "expected the first two above 0 and the last not below it"
            )
        if not 0 <= self.warmup_share < 1:
            raise ConfigError(f"warmup_share is {self.warmup_share}; expected a share in [0, 1)")


def train(
    model: nn.Module,
    losses: Callable[[B, torch.Generator], Iterable[Tensor]],
    batches: Sequence[B],
    training: Training,
    *,
    progress: bool = False,
) -> None:
    """Show every batch to a model ``training.epochs`` times, each time in another order.

    Args:
        model: learns in place, on its own device.
        losses: says of a batch, with a generator on the model's device, what is to become smaller. After
            *each* loss it yields a step is taken, before it goes on: so an LSTM can learn from a long text
            window by window.
        batches: all there is to learn from.
        training: the recipe; its ``batch_size`` was the caller's business.
        progress: show a bar.

    Raises:
        TrainingError: the loss is no number.
    """
    device = next(model.parameters()).device
    rng = np.random.default_rng(training.seed)
    generator = torch.Generator(device).manual_seed(training.seed)
    steps = training.epochs * len(batches)
    descent = Descent(
        model,
        steps=steps,
        learning_rate=training.learning_rate,
        warmup_share=training.warmup_share,
        betas=(0.9, 0.99),
        weight_decay=training.weight_decay,
        clip=training.clip,
    )
    order = (i for _ in range(training.epochs) for i in rng.permutation(len(batches)))
    model.train()
    with seeded(training.seed, device), progress_bar(total=steps, disable=not progress, unit="batch") as bar:
        for step, i in enumerate(order):
            for loss in losses(batches[i], generator):
                descent.step(loss, step)
            bar.update()
    model.eval()
