"""Input embeddings: what a piece is + which sentence it stands in + where it stands.

Shapes: B texts in the batch, T positions, H hidden size, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bertlib.config import BertConfig
from bertlib.errors import InputError
from bertlib.model.dropout import Dropout


class BertEmbedding(nn.Module):
    """Sum of token, segment and position embedding, normalised (Devlin et al. 2019, figure 2).

    Positions are learned, one row for each, so there are no more than
    ``config.max_position_embeddings`` of them.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.word_embeddings = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_token_id)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, size)
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """Embed ``input_ids`` (B, T); ``token_type_ids`` (B, T) default to 0, sentence A.

        Returns:
            (B, T, H) float tensor.

        Raises:
            InputError: not two-dimensional, or longer than the position table.
        """
        self._check(input_ids, token_type_ids)
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(input_ids)
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)  # (T,)
        total = (
            self.word_embeddings(input_ids)  # (B, T, H)
            + self.token_type_embeddings(token_type_ids)  # (B, T, H)
            + self.position_embeddings(positions)  # (T, H), the same for every text
        )
        return self.dropout(self.norm(total))

    def _check(self, input_ids: Tensor, token_type_ids: Tensor | None) -> None:
        if input_ids.dim() != 2:
            raise InputError(
                f"input_ids have shape {tuple(input_ids.shape)}; expected (batch, length): "
                "for one text add a batch axis with input_ids[None]"
            )
        longest = self.position_embeddings.num_embeddings
        if input_ids.shape[1] > longest:
            raise InputError(
                f"the text has {input_ids.shape[1]} tokens but the position table ends at {longest}; "
                f"truncate to max_length={longest}, cut the text into windows, or build the model with "
                f"max_position_embeddings={input_ids.shape[1]}"
            )
        if token_type_ids is not None and token_type_ids.shape != input_ids.shape:
            raise InputError(
                f"token_type_ids have shape {tuple(token_type_ids.shape)}; "
                f"expected that of input_ids, {tuple(input_ids.shape)}"
            )
