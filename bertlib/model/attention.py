"""Multi-head self-attention: every position looks at every other and takes a weighted mean.

Shapes: B texts, T positions, H hidden size, A heads, d = H / A width of a head.
"""

from __future__ import annotations

import math
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from bertlib.config import BertConfig
from bertlib.errors import InputError
from bertlib.model.dropout import Dropout

# Not cuDNN's, which PyTorch prefers on an H100: some of its versions round the rate of dropout to sixteenths.
EXACT_DROPOUT = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


def padding_bias(attention_mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """Turn a mask of ones (look here) and zeros (padding) into something to add to the scores.

    Args:
        attention_mask: (B, T), or (B, T, T) where row i says what position i may see; any number type.
        dtype: of the scores.

    Returns:
        (B, 1, 1, T) or (B, 1, T, T) with 0 where one may look and the lowest finite number elsewhere.
        Finite, because a row of minus infinities would give softmax 0 / 0 = NaN. None if there is no mask.

    Raises:
        InputError: neither two nor three dimensions.
    """
    if attention_mask is None:
        return None
    if attention_mask.dim() not in (2, 3):
        raise InputError(
            f"attention_mask has shape {tuple(attention_mask.shape)}; expected (batch, length) "
            "or (batch, length, length)"
        )
    mask = attention_mask[:, None, None, :] if attention_mask.dim() == 2 else attention_mask[:, None]
    hidden = torch.finfo(dtype).min / 2  # half, so that rounding to bfloat16 keeps it finite
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(mask == 0, hidden)


def hides_nothing(attention_mask: Tensor) -> bool:
    """Tell whether a mask is all ones, so that nothing needs to be added to the scores.

    Only a CPU is asked: a GPU would have to be waited for. And not while the model is recorded, by
    ``torch.compile`` say: it will meet other masks.
    """
    if attention_mask.device.type != "cpu" or torch.jit.is_tracing() or torch.compiler.is_compiling():
        return False
    return bool(attention_mask.all())


def attention_weights(query: Tensor, key: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return softmax(Q K^T / sqrt(d) + bias): who looks at whom (Vaswani et al. 2017, equation 1).

    Args:
        query: (B, A, T, d).
        key: (B, A, T, d).
        bias: broadcastable to (B, A, T, T), from :func:`padding_bias`.

    Returns:
        (B, A, T, T); each row sums to one.
    """
    scores = (query * (1 / math.sqrt(query.shape[-1]))) @ key.transpose(-2, -1)  # (B, A, T, T)
    if bias is not None:
        scores = scores + bias
    return scores.softmax(dim=-1)


def fused_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None, *, dropout: float = 0.0
) -> Tensor:
    """Mix the values (B, A, T, d) by :func:`attention_weights`, in one kernel that never writes these down.

    PyTorch chooses among several kernels (Dao et al. 2022 is the idea behind them).

    Args:
        query: (B, A, R, d).
        key: (B, A, T, d).
        value: (B, A, T, d).
        bias: broadcastable to (B, A, R, T).
        dropout: probability of leaving a weight out.

    Returns:
        (B, A, R, d).
    """
    with sdpa_kernel(EXACT_DROPOUT) if dropout else nullcontext():
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout)


def take_rows(x: Tensor, rows: Tensor) -> Tensor:
    """Pick positions of each text: (B, T, H) and ``rows`` (B, R) give (B, R, H)."""
    batch, length, width = x.shape
    first = torch.arange(0, batch * length, length, device=rows.device)[:, None]  # (B, 1) where a text begins
    return x.reshape(batch * length, width).index_select(0, (rows + first).flatten()).view(batch, -1, width)


class MultiHeadSelfAttention(nn.Module):
    """A heads side by side, concatenated and projected (Vaswani et al. 2017, section 3.2.2)."""

    takes_rows = True  # see forward

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = Dropout(config.attention_probs_dropout_prob)

    def forward(
        self,
        hidden: Tensor,
        bias: Tensor | None = None,
        *,
        need_weights: bool = False,
        rows: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Let every position of ``hidden`` (B, T, H) gather from the others.

        Args:
            hidden: (B, T, H).
            bias: from :func:`padding_bias`, or None where every position may be seen.
            need_weights: also return the weights of this very pass.
            rows: (B, R) the positions that ask; all of them if None. Every position can still be seen.

        Returns:
            The new vectors (B, T, H), and the weights (B, A, T, T) or None; with ``rows``, R in place of
            the first T.
        """
        asking = hidden if rows is None else take_rows(hidden, rows)
        if rows is not None and bias is not None and bias.shape[2] > 1:
            bias = take_rows(bias[:, 0], rows)[:, None]  # (B, 1, T, T) -> (B, 1, R, T)
        query = self._split(self.query(asking))  # (B, A, T, d)
        key = self._split(self.key(hidden))
        value = self._split(self.value(hidden))
        fused = hidden.device.type != "cpu" or not torch.is_grad_enabled()
        if fused and not need_weights:
            rate = self.dropout.p if self.training else 0.0
            mixed = fused_attention(query, key, value, bias, dropout=rate)
            weights = None
        else:  # on a CPU the quicker one to learn with, and it can show its weights
            weights = attention_weights(query, key, bias)  # (B, A, T, T)
            mixed = self.dropout(weights) @ value  # (B, A, T, d)
        return self.output(self._join(mixed)), weights if need_weights else None

    def _split(self, x: Tensor) -> Tensor:
        """(B, T, H) -> (B, A, T, d): the transpose is what keeps positions apart from heads."""
        return x.view(*x.shape[:2], self.num_heads, -1).transpose(1, 2)

    def _join(self, x: Tensor) -> Tensor:
        """(B, A, T, d) -> (B, T, H)."""
        return x.transpose(1, 2).flatten(2)
