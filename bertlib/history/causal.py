"""A causal Transformer in the manner of GPT: BERT's body, and nobody looks to the right.

Radford et al. 2018 also learn their positions and put the norm after the sum, so little differs: no segments,
no [CLS] vector, another task.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bertlib.config import BertConfig
from bertlib.history.neural import LeftToRight
from bertlib.history.training import Training
from bertlib.model import BertModel
from bertlib.model.bert import MaskedLMHead, initialise
from bertlib.objectives.causal import causal_mask
from bertlib.seeds import seeded


class CausalTransformer(LeftToRight):
    """BertModel with a causal mask, and BERT's own output layer made to predict the next word.

    Args:
        config: sizes; rows may be as long as ``max_position_embeddings``.
        training: the recipe.
    """

    def __init__(self, config: BertConfig, *, training: Training | None = None) -> None:
        super().__init__(config.vocab_size, training or Training())
        with seeded(self.training_recipe.seed, torch.device("cpu")):
            self.bert = BertModel(config)
            self.head = MaskedLMHead(config)
            initialise(self.head, config)
        self.bert.pooler.requires_grad_(False)  # no loss reaches it

    @property
    def word_embeddings(self) -> nn.Embedding:
        """The table (V, H) in which every id is looked up first, and last."""
        return self.bert.embedding.get_submodule("word_embeddings")  # type: ignore[return-value]

    def represent(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the last vectors, (B, T, H); each was made from its left and itself."""
        return self.bert(ids, causal_mask(mask)).last_hidden_state

    def score(self, hidden: Tensor) -> Tensor:
        """(..., H) -> (..., V)."""
        return self.head(hidden, self.bert.word_embeddings)
