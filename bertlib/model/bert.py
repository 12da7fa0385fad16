"""BertModel, the body; BertForPreTraining, the body with the two heads it learns from.

Shapes: B texts, T positions, H hidden size, V vocabulary, N selected positions in the whole batch.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.errors import ConfigError
from bertlib.model.attention import MultiHeadSelfAttention, hides_nothing, padding_bias
from bertlib.model.embeddings import BertEmbedding
from bertlib.model.encoder import BertEncoder, ModuleFactory, TransformerBlock


class BertOutput(NamedTuple):
    """What the body returns, under the names of the ``transformers`` library."""

    last_hidden_state: Tensor  # (B, T, H), the paper's T_i; (B, 1 + R, H) at the rows asked for
    pooler_output: Tensor  # (B, H), made from the paper's C
    hidden_states: tuple[Tensor, ...] = ()
    attentions: tuple[Tensor, ...] = ()


class Pooler(nn.Module):
    """The vector of [CLS] through a linear layer and tanh, as in the released code."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, T, H) -> (B, H)."""
        return torch.tanh(self.dense(hidden[:, 0]))


def initialise(module: nn.Module, config: BertConfig) -> None:
    """Draw weights from N(0, 0.02), biases 0, norms 1, the [PAD] vector 0.

    Everything beyond two standard deviations is drawn again, as in the released code.
    """
    spread = config.initializer_range
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.trunc_normal_(part.weight, std=spread, a=-2 * spread, b=2 * spread)
        if isinstance(part, nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
        if isinstance(part, nn.Embedding) and part.padding_idx is not None:
            with torch.no_grad():
                part.weight[part.padding_idx].zero_()


class BertModel(nn.Module):
    """The body: embeddings, L blocks, pooler (Devlin et al. 2019, section 3).

    Parts of your own drop in: each argument is a class or function that takes the config.

    Args:
        config: sizes.
        embedding: makes the module ``(input_ids, token_type_ids) -> (B, T, H)``.
        attention: makes the attention module of each block; unused when ``block`` is given.
        block: makes one block ``(hidden, bias, need_weights=) -> (hidden, weights)``.
    """

    def __init__(
        self,
        config: BertConfig,
        *,
        embedding: ModuleFactory = BertEmbedding,
        attention: ModuleFactory = MultiHeadSelfAttention,
        block: ModuleFactory | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding = embedding(config)
        self.encoder = BertEncoder(config, block=block or partial(TransformerBlock, attention=attention))
        self.pooler = Pooler(config)
        initialise(self, config)

    @property
    def word_embeddings(self) -> Tensor:
        """The input table (V, H), which the output layer shares.

        Raises:
            ConfigError: a part of your own keeps its table under another name.
        """
        table = getattr(self.embedding, "word_embeddings", None)
        if not isinstance(table, nn.Embedding):
            raise ConfigError(
                f"{type(self.embedding).__name__} has no nn.Embedding called word_embeddings; the output "
                "layer shares that table, so give it this name"
            )
        return table.weight

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        rows: Tensor | None = None,
    ) -> BertOutput:
        """Encode ``input_ids`` (B, T).

        Args:
            input_ids: (B, T) whole numbers below the vocabulary size.
            attention_mask: (B, T), 1 for text and 0 for padding; (B, T, T) for any other visibility.
            token_type_ids: (B, T), 0 for sentence A and 1 for B.
            output_hidden_states: also return the vectors before and after every block.
            output_attentions: also return the weights of every head.
            rows: (B, R) positions whose last vectors are wanted, the first of them 0 for [CLS]. The last
                block computes no others: a sixth of a Mini's work saved, a quarter of a Tiny's (15 % of 128
                positions, V = 8,192).
        """
        if token_type_ids is None:  # all of it sentence A; an embedding of your own need not know
            token_type_ids = torch.zeros_like(input_ids)
        if attention_mask is not None and hides_nothing(attention_mask):
            attention_mask = None
        hidden = self.embedding(input_ids, token_type_ids)  # (B, T, H)
        encoded = self.encoder(
            hidden,
            padding_bias(attention_mask, hidden.dtype),
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
            rows=rows,
        )
        pooled = self.pooler(encoded.last_hidden_state)  # (B, H)
        return BertOutput(encoded.last_hidden_state, pooled, encoded.hidden_states, encoded.attentions)


class MaskedLMHead(nn.Module):
    """Vectors to scores for every word piece: transform, then the *token embedding* once more.

    The output matrix W is the input table itself ("tied"), with a bias of its own.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden: Tensor, word_embeddings: Tensor) -> Tensor:
        """Score ``hidden`` (..., H) against ``word_embeddings`` (V, H): (..., V) logits."""
        hidden = self.norm(F.gelu(self.transform(hidden)))
        return F.linear(hidden, word_embeddings, self.bias)


def rows_of(selected: Tensor) -> tuple[Tensor, Tensor]:
    """List each text's selected positions: (B, T) booleans give (B, R) positions and which of them count.

    R is the largest number in a text; where there are fewer, position 0 fills up and does not count.
    """
    counts = selected.sum(1, keepdim=True)  # (B, 1)
    first = selected.sort(dim=1, descending=True, stable=True).indices[:, : int(counts.max())]
    counted = torch.arange(first.shape[1], device=selected.device) < counts
    return first.masked_fill(~counted, 0), counted


class PreTrainingOutput(NamedTuple):
    """Logits of the two tasks, and the body's output behind them."""

    prediction_logits: Tensor  # (N, V) at the selected positions, or (B, T, V)
    seq_relationship_logits: Tensor  # (B, 2); 0 is IsNext
    body: BertOutput


class BertForPreTraining(nn.Module):
    """The body and both pre-training heads; the heads belong to the model, so they are trained and saved.

    Args:
        config: sizes.
        bert: a body of your own; None: :class:`BertModel`.
        mlm_head: makes the module ``(hidden, word_embeddings) -> logits``.
    """

    def __init__(
        self, config: BertConfig, *, bert: BertModel | None = None, mlm_head: ModuleFactory = MaskedLMHead
    ) -> None:
        super().__init__()
        self.config = config
        self.mlm_head = mlm_head(config)
        self.nsp_head = nn.Linear(config.hidden_size, 2)
        initialise(self, config)
        self.bert = bert if bert is not None else BertModel(config)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        selected: Tensor | None = None,
        output_attentions: bool = False,
    ) -> PreTrainingOutput:
        """Score words and the sentence relation.

        Args:
            input_ids: (B, T).
            attention_mask: (B, T) or (B, T, T).
            token_type_ids: (B, T).
            selected: (B, T) booleans; logits are made for these positions only, row by row, (N, V).
                The output layer is the dearest one: at 15 % this saves most of it, and the last block
                computes these positions only. None: all positions.
            output_attentions: keep every head's weights in ``body.attentions``.
        """
        rows = places = None
        if selected is not None:
            rows, counted = rows_of(selected)
            places = counted.flatten().nonzero()[:, 0]  # asked here, a GPU has not yet begun with the body
            rows = F.pad(rows, (1, 0))  # (B, 1 + R): [CLS] first, for the pooler
        body = self.bert(
            input_ids, attention_mask, token_type_ids, output_attentions=output_attentions, rows=rows
        )
        hidden = body.last_hidden_state
        if places is not None:
            hidden = hidden[:, 1:].flatten(0, 1).index_select(0, places)  # (N, H)
        logits = self.mlm_head(hidden, self.bert.word_embeddings)
        return PreTrainingOutput(logits, self.nsp_head(body.pooler_output), body)
