"""A recurrent language model: one vector, rewritten at every word, remembers the text so far.

Mikolov et al. 2010 with the cell of Hochreiter and Schmidhuber 1997 and the forget gate that Gers et al. 2000
gave it.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bertlib.history.neural import LeftToRight
from bertlib.history.training import Training
from bertlib.objectives.causal import shift_labels
from bertlib.objectives.mlm import MaskedLMLoss
from bertlib.seeds import seeded

State = tuple[Tensor, Tensor]  # output and cell, each (layers, B, H)


class LSTMLanguageModel(LeftToRight):
    """Word, LSTM, next word.

    Args:
        vocab_size: V.
        size: H, width of word vectors and of the state.
        layers: LSTMs on top of each other.
        window: positions through which the gradient runs back (truncated back-propagation through time).
        dropout: between layers and before the answer.
        training: the recipe.
    """

    def __init__(
        self,
        vocab_size: int,
        *,
        size: int = 128,
        layers: int = 1,
        window: int = 32,
        dropout: float = 0.1,
        training: Training | None = None,
    ) -> None:
        super().__init__(vocab_size, training or Training())
        self.window = window
        with seeded(self.training_recipe.seed, torch.device("cpu")):
            self.embedding = nn.Embedding(vocab_size, size)
            self.lstm = nn.LSTM(size, size, layers, batch_first=True, dropout=dropout if layers > 1 else 0)
            self.output = nn.Linear(size, vocab_size)
        self.dropout = nn.Dropout(dropout)

    @property
    def word_embeddings(self) -> nn.Embedding:
        """The table (V, H) in which every id is looked up first."""
        return self.embedding

    def read(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Read on from ``state``: (B, T) gives the outputs (B, T, H) and the state after the last word."""
        return self.lstm(self.embedding(ids), state)

    def represent(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the output at every position, (B, T, H); padding comes last and disturbs nobody."""
        return self.read(ids)[0]

    def score(self, hidden: Tensor) -> Tensor:
        """(..., H) -> (..., V)."""
        return self.output(self.dropout(hidden))

    def losses(self, ids: Tensor, mask: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
        """Yield a loss for each window; the state runs on into the next, the gradient does not run back."""
        labels = shift_labels(ids, mask)
        state: State | None = None
        for words, answers in zip(ids.split(self.window, 1), labels.split(self.window, 1), strict=True):
            outputs, (output, cell) = self.read(words, state)
            yield MaskedLMLoss()(self.score(outputs), answers)
            state = (output.detach(), cell.detach())
