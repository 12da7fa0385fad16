"""ALBERT: a BERT with far fewer weights and just as much arithmetic (Lan et al. 2020).

What differs from BERT:

1. The word table is *factorised*: V x E and E x H instead of V x H (section 3.1). E = 128 in the paper.
2. All L blocks are *one block*, used L times (section 3.1): it learns once, and computes as often as ever.
3. Sentence-order prediction instead of NSP (section 3.1): ``pairs="sop"`` of the recipe; the model stays.

Base then has 11.7 million weights instead of 109.1 (bodies, V = 30,000; :func:`count_albert`); it takes 0.1 %
more FLOPs for the matrix E x H (:func:`measured_flops`, T = 128). The configuration released as xxlarge has
222.6 million by the same count, where table 1 of the paper says 235.

The paper also masks runs of up to three words; :mod:`bertlib.data.spans` has the idea, with SpanBERT's
lengths. Our GELU is the exact one, theirs an approximation by tanh.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from bertlib.config import BertConfig
from bertlib.counting import count_parameters, linear
from bertlib.errors import ConfigError
from bertlib.model import BertEmbedding, BertEncoder, BertForPreTraining, BertModel, TransformerBlock
from bertlib.model.bert import MaskedLMHead
from bertlib.model.encoder import ModuleFactory

EMBEDDING_SIZE = 128  # E, the paper's for all sizes


class FactorisedEmbedding(nn.Module):
    """Narrow tables, E wide, and a matrix from there to H.

    Args:
        config: of the model; its ``hidden_size`` is H.
        tables: the three tables and their norm, E wide. ELECTRA gives those of another model.
    """

    def __init__(self, config: BertConfig, *, tables: BertEmbedding) -> None:
        super().__init__()
        self.tables = tables
        self.projection = nn.Linear(tables.word_embeddings.embedding_dim, config.hidden_size)

    @property
    def word_embeddings(self) -> nn.Embedding:
        """The table (V, E), which the output layer shares."""
        return self.tables.word_embeddings

    def forward(self, input_ids: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """(B, T) -> (B, T, H)."""
        return self.projection(self.tables(input_ids, token_type_ids))  # (B, T, E) -> (B, T, H)


class FactorisedHead(MaskedLMHead):
    """The output layer the other way round: H -> E, then the table E -> V once more."""

    def __init__(self, config: BertConfig, *, embedding_size: int) -> None:
        super().__init__(config)
        self.transform = nn.Linear(config.hidden_size, embedding_size)
        self.norm = nn.LayerNorm(embedding_size, eps=config.layer_norm_eps)


class SharedEncoder(BertEncoder):
    """One block, used L times. It is listed once, so it is saved and counted once."""

    def __init__(self, block: nn.Module, times: int) -> None:
        nn.Module.__init__(self)
        self.block, self.times = block, times

    @property
    def blocks(self) -> list[nn.Module]:  # type: ignore[override]
        """The same block L times: what BERT's encoder runs through."""
        return [self.block] * self.times


def narrow_embedding(config: BertConfig, embedding_size: int) -> BertEmbedding:
    """Return BERT's embedding, E wide.

    Raises:
        ConfigError: E below 1 or above H.
    """
    if not 1 <= embedding_size <= config.hidden_size:
        raise ConfigError(
            f"embedding_size is {embedding_size}; expected 1 to {config.hidden_size}, the hidden size: a "
            "factorised table is the narrower one"
        )
    return BertEmbedding(config.replace(hidden_size=embedding_size, num_attention_heads=1))


def albert(
    config: BertConfig, *, embedding_size: int | None = EMBEDDING_SIZE, share_layers: bool = True
) -> BertForPreTraining:
    """Return a model that the usual trainer trains; with both switches off it is a BERT.

    Args:
        config: sizes. The paper's Base is BERT's with V = 30,000.
        embedding_size: E; None is BERT's own table, H wide.
        share_layers: one block L times.

    Raises:
        ConfigError: E below 1 or above H.
    """
    embedding: ModuleFactory = BertEmbedding
    if embedding_size is not None:
        embedding = partial(_factorised, embedding_size=embedding_size)
    if share_layers:
        block = TransformerBlock(config)
        bert = BertModel(config, embedding=embedding, block=lambda _: block)
        bert.encoder = SharedEncoder(block, config.num_hidden_layers)
    else:
        bert = BertModel(config, embedding=embedding)
    if embedding_size is None:
        return BertForPreTraining(config, bert=bert)
    head = partial(FactorisedHead, embedding_size=embedding_size)
    return BertForPreTraining(config, bert=bert, mlm_head=head)


def _factorised(config: BertConfig, *, embedding_size: int) -> FactorisedEmbedding:
    return FactorisedEmbedding(config, tables=narrow_embedding(config, embedding_size))


def count_albert(
    config: BertConfig,
    *,
    embedding_size: int | None = EMBEDDING_SIZE,
    share_layers: bool = True,
    heads: bool = True,
) -> dict[str, int]:
    """Count the numbers it learns, part by part, as :func:`bertlib.counting.count_parameters` does.

    Blocks shrink to 1 / L; the tables from (V + P + S) H to (V + P + S) E + E H.

    Example:
        >>> base = BertConfig.from_preset("base", vocab_size=30_000)
        >>> sum(count_albert(base, heads=False).values())
        11683584
    """
    parts = count_parameters(config, heads=heads)
    if share_layers:
        for name in ("attention", "feed_forward", "block_norms"):
            parts[name] //= config.num_hidden_layers
    if embedding_size is not None:
        for name in ("word_embeddings", "position_embeddings", "token_type_embeddings", "embedding_norm"):
            parts[name] = parts[name] // config.hidden_size * embedding_size
        parts["projection"] = linear(embedding_size, config.hidden_size)
        if heads:
            transform = linear(config.hidden_size, embedding_size)
            parts["mlm_head"] = transform + 2 * embedding_size + config.vocab_size
    return parts


def measured_flops(bert: BertModel, *, length: int) -> int:
    """Count the FLOPs of one forward pass over one text, as PyTorch sees the matrix products go by.

    To be held against :func:`bertlib.flops.flops_by_part`, which computes them from the sizes.

    Args:
        bert: a body; one made on the device "meta" is counted without being computed.
        length: T.
    """
    device = next(bert.parameters()).device
    ids = torch.zeros(1, length, dtype=torch.long, device=device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        bert(ids, output_attentions=True)  # in plain products: it does not see into the fused kernel of a CPU
    return int(counter.get_total_flops())
