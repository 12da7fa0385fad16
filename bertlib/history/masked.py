"""BERT itself in the row of its ancestors: it sees both sides, so it has no perplexity.

What comes nearest is the *pseudo*-perplexity: hide one word, ask for it with all others in sight, and so on
for each (Salazar et al. 2020). The chances do not multiply to the probability of a text, for each was given
with the answers to the others on the table. It is another quantity: never compare it with the perplexity of a
model that reads from left to right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.data.masking import mask_tokens
from bertlib.errors import InputError
from bertlib.history.corpus import Corpus
from bertlib.history.neural import NeuralModel
from bertlib.history.training import Training
from bertlib.model import BertForPreTraining
from bertlib.objectives.mlm import MaskedLMLoss
from bertlib.seeds import seeded


class MaskedTransformer(NeuralModel):
    """BertForPreTraining with the masked language model alone; 15 % of the words, 80/10/10.

    It has no ``perplexity`` and no ``next_word``: it is no :class:`bertlib.history.LanguageModel`.

    Args:
        config: sizes; rows may be as long as ``max_position_embeddings``.
        mask_id: id of [MASK].
        first_word_id: the lowest id that is a word; below it lie the special tokens.
        training: the recipe.
    """

    def __init__(
        self,
        config: BertConfig,
        *,
        mask_id: int = 4,
        first_word_id: int = 5,
        training: Training | None = None,
    ) -> None:
        super().__init__(config.vocab_size, training or Training())
        self.mask_id, self.first_word_id = mask_id, first_word_id
        with seeded(self.training_recipe.seed, torch.device("cpu")):
            self.model = BertForPreTraining(config)
        for unused in (self.model.nsp_head, self.model.bert.pooler):  # no loss reaches them
            unused.requires_grad_(False)

    @property
    def word_embeddings(self) -> nn.Embedding:
        """The table (V, H) in which every id is looked up first, and last."""
        return self.model.bert.embedding.get_submodule("word_embeddings")  # type: ignore[return-value]

    def represent(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the last vectors, (B, T, H); each was made from the whole row."""
        return self.model.bert(ids, mask).last_hidden_state

    def losses(self, ids: Tensor, mask: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
        """Yield the mean surprise at the words that were taken out."""
        hidden = mask_tokens(
            ids,
            words_of(mask),
            vocab_size=self.vocab_size,
            mask_id=self.mask_id,
            first_word_id=self.first_word_id,
            generator=generator,
        )
        output = self.model(hidden.input_ids, mask, selected=hidden.selected)
        yield MaskedLMLoss()(output.prediction_logits, ids[hidden.selected])

    def pseudo_perplexity(self, corpus: Corpus) -> float:
        """Return exp of the mean surprise at each word, all others of its row in sight; marks are not asked.

        Raises:
            TrainingError: it has learned nothing yet.
            InputError: no row has a word between its marks.
        """
        words = sum(len(row) - 2 for row in corpus)
        if corpus and not words:
            raise InputError("no row has a word between its two marks; expected at least one")
        return math.exp(self.surprise(corpus, self._one_by_one) / max(words, 1))

    def _one_by_one(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Hide each word of each row in turn, (B, T), and add up the surprises."""
        total = torch.zeros(())
        for row, words in zip(ids, words_of(mask), strict=True):
            if not words.any():
                continue
            hide = torch.diag(words)[words]  # (words, T): one True in each
            copies = row.expand(len(hide), -1)
            length = int(words.nonzero().max()) + 2  # up to the last mark
            output = self.model(copies.masked_fill(hide, self.mask_id)[:, :length], selected=hide[:, :length])
            total += F.cross_entropy(output.prediction_logits.float(), row[words], reduction="sum").cpu()
        return total


def words_of(mask: Tensor) -> Tensor:
    """Return which positions (B, T) are words: all but the first and the last of each row."""
    text = mask != 0
    words = text.clone()
    words[:, :-1] &= text[:, 1:]
    words[:, -1] = words[:, 0] = False
    return words
