"""Two readers in the manner of ELMo: one from the left, one from the right, who never speak to each other.

Peters et al. 2018, section 3.1. Each is a language model of its own; they share the word vectors and the
output layer. Joined, their vectors know both sides, but no number in them was made from both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bertlib.history.corpus import Corpus, asked
from bertlib.history.neural import LeftToRight
from bertlib.history.training import Training
from bertlib.objectives.causal import CausalLMLoss
from bertlib.seeds import seeded


def reverse(rows: Tensor, mask: Tensor) -> Tensor:
    """Turn the text of each row around and leave the padding where it is: (B, T) or (B, T, H).

    Example:
        >>> reverse(torch.tensor([[2, 7, 3, 0]]), torch.tensor([[1, 1, 1, 0]])).tolist()
        [[3, 7, 2, 0]]
    """
    places = torch.arange(mask.shape[1], device=mask.device)
    lengths = (mask != 0).sum(1, keepdim=True)  # (B, 1)
    source = torch.where(places < lengths, lengths - 1 - places, places)  # (B, T)
    return rows[torch.arange(len(rows), device=rows.device)[:, None], source]


class BiLSTMLanguageModel(LeftToRight):
    """A forward and a backward LSTM with shared word vectors and softmax.

    As a LanguageModel it is its forward half: :meth:`perplexity` and :meth:`next_word` see the left only.

    Args:
        vocab_size: V.
        size: width of the word vectors and of each half; a position's vector is twice as wide.
        layers: LSTMs on top of each other, in each direction.
        dropout: between layers and before the answer.
        training: the recipe.
    """

    def __init__(
        self,
        vocab_size: int,
        *,
        size: int = 128,
        layers: int = 1,
        dropout: float = 0.1,
        training: Training | None = None,
    ) -> None:
        super().__init__(vocab_size, training or Training())
        between = dropout if layers > 1 else 0
        with seeded(self.training_recipe.seed, torch.device("cpu")):
            self.embedding = nn.Embedding(vocab_size, size)
            self.forwards = nn.LSTM(size, size, layers, batch_first=True, dropout=between)
            self.backwards = nn.LSTM(size, size, layers, batch_first=True, dropout=between)
            self.output = nn.Linear(size, vocab_size)
        self.dropout = nn.Dropout(dropout)

    @property
    def word_embeddings(self) -> nn.Embedding:
        """The table (V, H) in which every id is looked up first."""
        return self.embedding

    def read_forwards(self, words: Tensor) -> Tensor:
        """Turn word vectors into vectors that know the word and its left: (B, T, H) -> (B, T, H)."""
        return self.forwards(words)[0]

    def read_backwards(self, words: Tensor, mask: Tensor) -> Tensor:
        """Turn word vectors into vectors that know the word and its right: (B, T, H) -> (B, T, H)."""
        return reverse(self.backwards(reverse(words, mask))[0], mask)

    def represent(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Join the two, (B, T, 2H): what ELMo hands to the model of a task."""
        words = self.embedding(ids)
        return torch.cat([self.read_forwards(words), self.read_backwards(words, mask)], dim=-1)

    def score(self, hidden: Tensor) -> Tensor:
        """Score the next word from the forward half: (..., 2H) or (..., H) gives (..., V)."""
        return self.output(self.dropout(hidden[..., : self.embedding.embedding_dim]))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, T, V) logits about the word after each position, without work for the backward half."""
        return self.score(self.read_forwards(self.embedding(ids)))

    def previous(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, T, V) logits about the word *before* each position."""
        return self.score(self.read_backwards(self.embedding(ids), mask))

    def losses(self, ids: Tensor, mask: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
        """Yield the sum of both directions' losses (Peters et al. 2018, section 3.1)."""
        yield CausalLMLoss()(self(ids, mask), ids, mask) + self.backward_loss(ids, mask)

    def backward_loss(self, ids: Tensor, mask: Tensor, *, count: int | None = None) -> Tensor:
        """Return the mean surprise at the words before; in a row turned around they are the next ones."""
        return CausalLMLoss()(reverse(self.previous(ids, mask), mask), reverse(ids, mask), mask, count=count)

    def backward_perplexity(self, corpus: Corpus) -> float:
        """Return the perplexity from right to left: every id but the last of each row is asked for."""
        total = self.surprise(corpus, lambda ids, mask: self.backward_loss(ids, mask, count=1))
        return math.exp(total / asked(corpus))
