"""What the neural ancestors share: a vector for every position, and what is made of it.

Shapes: B rows, T positions, H width of a vector, V vocabulary.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from bertlib.errors import TrainingError
from bertlib.history.corpus import Corpus, asked, check_corpus, check_ids
from bertlib.history.training import Training, train
from bertlib.objectives.causal import CausalLMLoss

if TYPE_CHECKING:
    from typing_extensions import Self


def pad(rows: Sequence[np.ndarray], device: torch.device) -> tuple[Tensor, Tensor]:
    """Lay rows into one table, filled up with 0 on the right: ids and mask, each (B, T)."""
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.zeros(mask.shape, dtype=np.int64)
    ids[mask] = np.concatenate(rows)
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def by_length(corpus: Corpus, size: int) -> list[list[np.ndarray]]:
    """Deal rows into batches of like lengths, so that little is padded."""
    rows = sorted(corpus, key=len)
    return [rows[start : start + size] for start in range(0, len(rows), size)]


class Learner(nn.Module):
    """A model that knows whether it has learned yet."""

    vocab_size: int
    training_recipe: Training
    fitted: Tensor

    def __init__(self, vocab_size: int, training: Training) -> None:
        super().__init__()
        self.vocab_size, self.training_recipe = vocab_size, training
        self.register_buffer("fitted", torch.tensor(False))  # a buffer, so it is saved with the weights

    @property
    def num_parameters(self) -> int:
        """The numbers that are learned."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    @property
    def device(self) -> torch.device:
        """Where the weights lie; move them with ``to``."""
        return next(self.parameters()).device

    def check_fitted(self) -> None:
        """Refuse to be asked before it has learned.

        Raises:
            TrainingError: it has not.
        """
        if not self.fitted:
            raise TrainingError(f"this {type(self).__name__} has learned nothing yet; call fit first")


class NeuralModel(Learner):
    """A model that makes a vector of each position and learns from rows of ids."""

    @property
    @abstractmethod
    def word_embeddings(self) -> nn.Embedding:
        """The table (V, H) in which every id is looked up first."""

    @abstractmethod
    def represent(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the vector of every position: (B, T) twice gives (B, T, H)."""

    @abstractmethod
    def losses(self, ids: Tensor, mask: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
        """Say of rows (B, T) what is to become smaller; one step of learning for each number."""

    def fit(self, corpus: Corpus, *, progress: bool = False) -> Self:
        """Learn from rows of ids; see :class:`bertlib.history.LanguageModel`."""
        check_corpus(corpus, self.vocab_size)

        def losses(rows: list[np.ndarray], generator: torch.Generator) -> Iterator[Tensor]:
            return self.losses(*pad(rows, self.device), generator)

        batches = by_length(corpus, self.training_recipe.batch_size)
        train(self, losses, batches, self.training_recipe, progress=progress)
        self.fitted.fill_(True)
        return self

    @torch.no_grad()
    def surprise(self, corpus: Corpus, loss: Callable[[Tensor, Tensor], Tensor]) -> float:
        """Add up ``loss(ids, mask)``, a sum in nats, over a corpus."""
        self.check_fitted()
        check_corpus(corpus, self.vocab_size)
        self.eval()
        return sum(loss(*pad(rows, self.device)).item() for rows in by_length(corpus, 16))


class LeftToRight(NeuralModel):
    """A neural model whose vectors know nothing of what comes later; a LanguageModel."""

    @abstractmethod
    def score(self, hidden: Tensor) -> Tensor:
        """Score every word as the next one: (..., H) gives (..., V) logits."""

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, T) ids and mask give (B, T, V) logits; those at a position are about the one after it."""
        return self.score(self.represent(ids, mask))

    def losses(self, ids: Tensor, mask: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
        """Yield the mean surprise at the next words."""
        yield CausalLMLoss()(self(ids, mask), ids, mask)

    def perplexity(self, corpus: Corpus) -> float:
        """Return exp of the mean surprise at every id but the first of each row."""
        total = self.surprise(corpus, lambda ids, mask: CausalLMLoss()(self(ids, mask), ids, mask, count=1))
        return math.exp(total / asked(corpus))

    @torch.no_grad()
    def next_word(self, context: Sequence[int]) -> np.ndarray:
        """Return how likely each id is to follow ``context``: (V,)."""
        self.check_fitted()
        check_ids(context, self.vocab_size, least=1, name="the context")
        self.eval()
        hidden = self.represent(*pad([np.asarray(context)], self.device))[0, -1]  # (H,)
        return self.score(hidden).double().softmax(-1).cpu().numpy()
