"""Pairs laid out as input rows, before any word is fetched.

Shapes: B texts, T positions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bertlib.data.pairs import Pairs


class PackedTexts(NamedTuple):
    """Pairs laid out as [CLS] A [SEP] B [SEP] and padding; ``token`` says where each word comes from."""

    token: Tensor  # (B, T) position in the row of tokens, 0 where a special token stands
    is_word: Tensor  # (B, T) booleans
    is_sep: Tensor  # (B, T) booleans
    attention_mask: Tensor  # (B, T)
    token_type_ids: Tensor  # (B, T)
    label: Tensor  # (B), as the pair has it


def sent(numbers: Tensor, device: torch.device | str) -> Tensor:
    """Send numbers to a device without waiting for what it is still computing: from pinned memory."""
    if numbers.is_cuda or torch.device(device).type != "cuda":
        return numbers.to(device)
    return numbers.pin_memory().to(device, non_blocking=True)


def pack_pairs(pairs: Pairs, max_length: int, device: torch.device | str = "cpu") -> PackedTexts:
    """Lay out pairs side by side, all at once (Devlin et al. 2019, figure 2).

    A pair without B is [CLS] A [SEP].

    Args:
        pairs: B of them.
        max_length: T.
        device: where the rows are made; five numbers a text travel there, in one piece.
    """
    columns = sent(torch.from_numpy(np.stack(pairs)), device)  # (5, B)
    a_start, a_length, b_start, b_length = columns[:4, :, None]  # each (B, 1)
    position = torch.arange(max_length, device=device)[None]  # (1, T)
    first_sep = 1 + a_length  # (B, 1)
    last_sep = torch.where(b_length > 0, first_sep + 1 + b_length, first_sep)
    in_a = (position >= 1) & (position < first_sep)  # (B, T)
    in_b = (position > first_sep) & (position < last_sep)
    from_a, from_b = a_start + position - 1, b_start + position - first_sep - 1
    return PackedTexts(
        token=torch.where(in_a, from_a, from_b).where(in_a | in_b, 0),
        is_word=in_a | in_b,
        is_sep=(position == first_sep) | (position == last_sep),
        attention_mask=(position <= last_sep).long(),
        token_type_ids=((position > first_sep) & (position <= last_sep)).long(),
        label=columns[4],
    )
