"""The encoder: L blocks of attention and feed-forward, layer norm *after* each residual sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.model.attention import MultiHeadSelfAttention, take_rows
from bertlib.model.dropout import Dropout

ModuleFactory = Callable[[BertConfig], nn.Module]


class FeedForward(nn.Module):
    """H -> 4H -> GELU -> H, at each position alone (Vaswani et al. 2017, 3.3; GELU as in BERT)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(config.hidden_size, config.intermediate_size)
        self.output = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (B, T, H) to (B, T, H)."""
        return self.output(F.gelu(self.inner(hidden)))


class TransformerBlock(nn.Module):
    """Attention, then feed-forward; each is dropped out, added to its input and normalised.

    This is the *post*-LN order of the paper: ``norm(x + f(x))``, not ``x + f(norm(x))``.
    """

    def __init__(self, config: BertConfig, *, attention: ModuleFactory = MultiHeadSelfAttention) -> None:
        super().__init__()
        self.attention = attention(config)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    @property
    def takes_rows(self) -> bool:
        """Can it compute some positions only? An attention of your own may not."""
        return getattr(self.attention, "takes_rows", False)

    def forward(
        self,
        hidden: Tensor,
        bias: Tensor | None = None,
        *,
        need_weights: bool = False,
        rows: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Map (B, T, H) to (B, T, H); the weights (B, A, T, T) come along when asked for.

        With ``rows`` (B, R) only these positions are computed, (B, R, H), looking at all T as ever.
        """
        if rows is None:
            attended, weights = self.attention(hidden, bias, need_weights=need_weights)
        else:
            attended, weights = self.attention(hidden, bias, need_weights=need_weights, rows=rows)
            hidden = take_rows(hidden, rows)
        hidden = self.attention_norm(hidden + self.dropout(attended))
        hidden = self.feed_forward_norm(hidden + self.dropout(self.feed_forward(hidden)))
        return hidden, weights


class EncoderOutput(NamedTuple):
    """What the blocks return; the tuples are empty unless asked for."""

    last_hidden_state: Tensor  # (B, T, H), or (B, R, H) at the rows asked for
    hidden_states: tuple[Tensor, ...]  # L + 1 of (B, T, H): the embeddings, then each block
    attentions: tuple[Tensor, ...]  # L of (B, A, T, T)


class BertEncoder(nn.Module):
    """L blocks in a row. There is no norm after the last: post-LN has it inside."""

    def __init__(self, config: BertConfig, *, block: ModuleFactory = TransformerBlock) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(block(config) for _ in range(config.num_hidden_layers))

    def forward(
        self,
        hidden: Tensor,
        bias: Tensor | None = None,
        *,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        rows: Tensor | None = None,
    ) -> EncoderOutput:
        """Send (B, T, H) through all blocks; with ``rows`` (B, R) return the last vectors there only.

        Nobody looks at the other positions after the last block, so it need not ask or feed them
        forward. It does if everything is to be shown, or if it is a block of your own that knows no rows.
        """
        states, attentions = [hidden], []
        for block in self.blocks[:-1]:
            hidden, weights = block(hidden, bias, need_weights=output_attentions)
            states.append(hidden)
            attentions.append(weights)
        last, show = self.blocks[-1], output_hidden_states or output_attentions
        if rows is not None and not show and getattr(last, "takes_rows", False):
            return EncoderOutput(last(hidden, bias, rows=rows)[0], (), ())
        hidden, weights = last(hidden, bias, need_weights=output_attentions)
        states.append(hidden)
        attentions.append(weights)
        if rows is not None:
            hidden = take_rows(hidden, rows)
        return EncoderOutput(
            hidden,
            tuple(states) if output_hidden_states else (),
            tuple(attentions) if output_attentions else (),
        )
