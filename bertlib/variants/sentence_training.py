"""Training a sentence encoder: both texts of a pair go through the same body ("siamese"), then one loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bertlib.descent import Descent
from bertlib.errors import ConfigError, InputError
from bertlib.finetune.metrics import Scores, correlations
from bertlib.progress import progress_bar
from bertlib.seeds import mix_seed, seeded
from bertlib.train.precision import matmul_precision
from bertlib.variants.sentence import SentenceEncoder, features_of
from bertlib.variants.sentence_losses import PairVectors


class SentencePair(NamedTuple):
    """Two texts, and what is known about them; which of it is needed, the loss decides."""

    first: str
    second: str
    label: float | None = None  # a class from 0, or a likeness from 0 to 1
    negative: str | None = None  # a text that does not fit the first


@dataclass(frozen=True, kw_only=True)
class SentenceTraining:
    """The recipe. The paper trains Base for one epoch at 2e-5; a small model likes a larger rate.

    Attributes:
        epochs: passes over the pairs.
        learning_rate: at its peak.
        batch_size: pairs a step; with in-batch negatives also the number of answers to choose from.
        warmup_share: share of the steps in which the rate rises.
        weight_decay: on matrices.
        max_length: pieces a text; None: the body's positions.
        seed: of the order of the pairs, and of dropout.
    """

    epochs: int = 1
    learning_rate: float = 3e-4
    batch_size: int = 32
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    max_length: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected at least 1")
        if not self.learning_rate > 0:
            raise ConfigError(f"learning_rate is {self.learning_rate}; expected a number above 0")
        if not 0 <= self.warmup_share < 1:
            raise ConfigError(f"warmup_share is {self.warmup_share}; expected a share in [0, 1)")


def train_sentences(
    encoder: SentenceEncoder,
    pairs: Sequence[SentencePair],
    *,
    loss: nn.Module,
    recipe: SentenceTraining,
    progress: bool = True,
) -> list[float]:
    """Train the encoder's body in place.

    Args:
        encoder: on the device to train on.
        pairs: at least one; a last batch of a single pair is fine, though it teaches nothing in-batch.
        loss: one of :mod:`bertlib.variants.sentence_losses`; what weights it has are trained with the body.
        recipe: how long and how fast.
        progress: show a bar.

    Returns:
        The loss of every step.

    Raises:
        InputError: no pairs, or only some of them with a label or a negative.
        TrainingError: the loss is no number any more.
    """
    batches = PairBatches(encoder, pairs, recipe)
    both = nn.ModuleList([encoder, loss.to(encoder.device)])
    return descend(
        both, batches.epoch, lambda pairs: loss(batches.vectors(pairs)), recipe, len(pairs), progress=progress
    )


class PairBatches:
    """The texts of all pairs as ids, and their labels, batch by batch."""

    def __init__(
        self, encoder: SentenceEncoder, pairs: Sequence[SentencePair], recipe: SentenceTraining
    ) -> None:
        if not len(pairs):
            raise InputError("no pairs to learn from; expected at least one")
        self.encoder, self.recipe = encoder, recipe
        room = encoder.room(recipe.max_length)
        first, second, labels, negative = zip(*pairs, strict=True)
        sides = [first, second] + [negative] * given(negative, "negative")
        self.sides = [features_of(side, encoder.tokenizer, max_length=room) for side in sides]
        self.labels = torch.tensor(labels) if given(labels, "label") else None
        numbers = np.unique(np.concatenate(sides[1:]), return_inverse=True)[1]
        self.same = torch.from_numpy(numbers.reshape(len(sides) - 1, -1))  # (1 or 2, N)

    def epoch(self, number: int) -> Iterator[np.ndarray]:
        """Yield the numbers of the pairs of each batch; like lengths of the longest texts come together."""
        generator = np.random.default_rng([self.recipe.seed, number])
        longest = max(self.sides, key=lambda side: len(side.ids))
        return longest.shuffled(self.recipe.batch_size, generator)

    def vectors(self, chosen: np.ndarray) -> PairVectors:
        """Read so many pairs."""
        device = self.encoder.device
        first, second, *negative = (
            self.encoder(**{name: x.to(device) for name, x in side.batch(chosen).items()})
            for side in self.sides
        )
        rows = torch.from_numpy(chosen)
        return PairVectors(
            first,
            second,
            negative=negative[0] if negative else None,
            labels=None if self.labels is None else self.labels[rows].to(device),
            same=self.same[:, rows].flatten().to(device),
        )


def given(values: Sequence[object], name: str) -> bool:
    """Do all of them have a value, or none?

    Raises:
        InputError: only some have.
    """
    count = sum(value is not None for value in values)
    if count not in (0, len(values)):
        raise InputError(f"{count} of {len(values)} pairs have a {name}; expected all of them or none")
    return count > 0


def descend(
    model: nn.Module,
    epoch: Callable[[int], Iterator[np.ndarray]],
    loss_of: Callable[[np.ndarray], Tensor],
    recipe: SentenceTraining,
    examples: int,
    *,
    progress: bool,
) -> list[float]:
    """Take a step for each batch of each epoch, the rate rising and falling; return the losses.

    Raises:
        TrainingError: a loss is no finite number.
    """
    steps = recipe.epochs * -(-examples // recipe.batch_size)
    descent = Descent(
        model,
        steps=steps,
        learning_rate=recipe.learning_rate,
        warmup_share=recipe.warmup_share,
        betas=(0.9, 0.999),
        weight_decay=recipe.weight_decay,
    )
    losses: list[float] = []
    model.train()
    bar = progress_bar(total=steps, desc="train", unit="step", disable=not progress)
    device = next(model.parameters()).device
    with bar, seeded(mix_seed(recipe.seed, 1), device), matmul_precision("medium"):
        for chosen in (chosen for number in range(recipe.epochs) for chosen in epoch(number)):
            loss = loss_of(chosen)
            descent.step(loss, len(losses))
            losses.append(loss.item())
            bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
            bar.update()
    model.eval()
    return losses


def cosine_scores(encoder: SentenceEncoder, pairs: Sequence[SentencePair]) -> np.ndarray:
    """Return the cosine of each pair, (N,)."""
    first = torch.from_numpy(encoder.encode([pair.first for pair in pairs]))
    second = torch.from_numpy(encoder.encode([pair.second for pair in pairs]))
    return torch.cosine_similarity(first, second).numpy()


def sts_scores(encoder: SentenceEncoder, pairs: Sequence[SentencePair]) -> Scores:
    """Return Pearson's and Spearman's correlation of cosine and label, as STS is marked (section 4).

    Spearman's is the paper's: it asks only for the right order.

    Raises:
        InputError: no pairs, or one without a label.
    """
    labels = [pair.label for pair in pairs if pair.label is not None]
    if len(labels) < len(pairs):
        raise InputError(f"{len(labels)} of {len(pairs)} pairs have a label; expected a likeness for each")
    return correlations(cosine_scores(encoder, pairs).tolist(), labels)
