"""ModernBERT: the block as it is built six years later (Warner et al. 2024, section 2.1).

What differs from BERT:

1. *Rotary positions* (Su et al. 2021) instead of a position table: queries and keys are turned by an angle
   that grows with the place, so a score knows only how far apart two words are.
2. *GeGLU* (Shazeer 2020) instead of GELU: one half of the inner layer gates the other.
3. *Pre-norm*, ``x + f(norm(x))`` (Xiong et al. 2020), with one more norm at the end; no biases, no segments.
4. *Local and global in turn* (section 2.1.2): every third block sees all of the text, the others 128
   neighbours.

The paper's Base: 22 blocks, H = 768, A = 12, inner width 1,152, V = 50,368, texts of up to 8,192. It masks
30 % and has no sentence task; its training, tokenizer and unpadding are not here. Our output layer keeps
BERT's biases.

Shapes: B texts, T positions, H hidden size, A heads, d = H / A, I inner width.
"""

from __future__ import annotations

from itertools import count

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.errors import ConfigError
from bertlib.model import BertForPreTraining, BertModel, attention_weights
from bertlib.model.dropout import Dropout
from bertlib.variants.masks import near

LOCAL_THETA, GLOBAL_THETA = 10_000.0, 160_000.0


def rotate(x: Tensor, *, theta: float = LOCAL_THETA, first: int = 0) -> Tensor:
    """Turn each vector by angles that grow with its place (Su et al. 2021, section 3.2).

    Column i and column i + d/2 are one point in a plane; at position m it is turned by m theta^(-2i/d). The
    paper pairs neighbouring columns: the same in another order.

    Args:
        x: (..., T, d), d even.
        theta: the slowest plane needs about this many positions times 2 pi for a full turn.
        first: position of the first vector.

    Returns:
        The shape of ``x``; lengths do not change.

    Raises:
        ConfigError: an odd d.
    """
    length, width = x.shape[-2:]
    if width % 2:
        raise ConfigError(
            f"a head is {width} wide; rotary positions turn pairs of columns: expected an even width"
        )
    speed = theta ** (-torch.arange(0, width, 2, device=x.device) / width)  # (d/2,)
    angle = torch.arange(first, first + length, device=x.device)[:, None] * speed  # (T, d/2)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    left, right = x.chunk(2, dim=-1)
    return torch.cat([left * cos - right * sin, right * cos + left * sin], dim=-1)


class RotaryAttention(nn.Module):
    """Self-attention whose queries and keys are rotated; with a window it sees its neighbours only.

    It drops into BertModel as ``attention=`` too, which gives a BERT with rotary positions.

    Args:
        config: sizes.
        theta: see :func:`rotate`.
        window: neighbours in all, half on either side; None sees everything.
    """

    def __init__(self, config: BertConfig, *, theta: float = GLOBAL_THETA, window: int | None = None) -> None:
        super().__init__()
        width = config.hidden_size
        self.num_heads, self.theta, self.window = config.num_attention_heads, theta, window
        self.query, self.key, self.value, self.output = (
            nn.Linear(width, width, bias=False) for _ in range(4)
        )
        self.dropout = Dropout(config.attention_probs_dropout_prob)

    def forward(
        self, hidden: Tensor, bias: Tensor | None = None, *, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Map (B, T, H) to (B, T, H); the weights (B, A, T, T) come along when asked for."""
        query, key, value = (
            layer(hidden).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, A, T, d)
            for layer in (self.query, self.key, self.value)
        )
        if self.window is not None:
            band = near(hidden.shape[1], window=self.window, device=hidden.device)  # (T, T)
            far = torch.finfo(hidden.dtype).min / 2  # as in padding_bias
            local = hidden.new_zeros(band.shape).masked_fill(~band, far)
            bias = local if bias is None else bias.minimum(local)  # (B, 1, T, T)
        weights = attention_weights(rotate(query, theta=self.theta), rotate(key, theta=self.theta), bias)
        mixed = (self.dropout(weights) @ value).transpose(1, 2).flatten(2)  # (B, T, H)
        return self.output(mixed), weights if need_weights else None


class GatedFeedForward(nn.Module):
    """H -> 2I -> GELU(one half) x other half -> H (Shazeer 2020, GEGLU): three matrices for BERT's two."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=False)
        self.output = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (B, T, H) to (B, T, H)."""
        value, gate = self.inner(hidden).chunk(2, dim=-1)
        return self.output(F.gelu(value) * gate)


def norm(config: BertConfig) -> nn.LayerNorm:
    """Return a layer norm that scales and does not shift."""
    return nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps, bias=False)


class ModernBlock(nn.Module):
    """Norm, attention, add; norm, feed-forward, add.

    Args:
        config: sizes.
        attention: of this block.
        first: the block after the embeddings, which are normalised already.
        last: with the norm that ends the encoder.
    """

    def __init__(
        self, config: BertConfig, *, attention: RotaryAttention, first: bool = False, last: bool = False
    ) -> None:
        super().__init__()
        self.attention_norm = nn.Identity() if first else norm(config)
        self.attention = attention
        self.feed_forward_norm = norm(config)
        self.feed_forward = GatedFeedForward(config)
        self.final_norm = norm(config) if last else nn.Identity()
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(
        self, hidden: Tensor, bias: Tensor | None = None, *, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Map (B, T, H) to (B, T, H); the weights (B, A, T, T) come along when asked for."""
        attended, weights = self.attention(self.attention_norm(hidden), bias, need_weights=need_weights)
        hidden = hidden + self.dropout(attended)
        hidden = hidden + self.dropout(self.feed_forward(self.feed_forward_norm(hidden)))
        return self.final_norm(hidden), weights


class WordEmbedding(nn.Module):
    """Words alone, normalised: no position, no segment."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(
            config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id
        )
        self.norm = norm(config)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """(B, T) -> (B, T, H), of any length; the segments are not looked at."""
        return self.dropout(self.norm(self.word_embeddings(input_ids)))


def modern(config: BertConfig, *, window: int = 128, global_every: int = 3) -> BertForPreTraining:
    """Return a model of such blocks, which the usual trainer trains (with ``pairs="none"``).

    Args:
        config: sizes; ``intermediate_size`` is the width of one half of the inner layer.
        window: neighbours a local block sees.
        global_every: block 0 sees everything, and so does each one so many blocks on; 1: all of them.

    Raises:
        ConfigError: an odd window, no number of blocks, heads of an odd width.
    """
    if window < 0 or window % 2 or global_every < 1 or config.head_size % 2:
        raise ConfigError(
            f"window {window}, global_every {global_every}, heads {config.head_size} wide; expected an even "
            "window, global_every of at least 1, and heads of an even width"
        )
    number = count()

    def block(config: BertConfig) -> ModernBlock:
        at = next(number)
        local = at % global_every != 0
        attention = RotaryAttention(
            config, theta=LOCAL_THETA if local else GLOBAL_THETA, window=window if local else None
        )
        return ModernBlock(
            config, attention=attention, first=at == 0, last=at == config.num_hidden_layers - 1
        )

    return BertForPreTraining(config, bert=BertModel(config, embedding=WordEmbedding, block=block))
