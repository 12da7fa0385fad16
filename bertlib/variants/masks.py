"""Who may look at whom: the mask pictures of Longformer, XLNet and T5.

BERT lets every position look at every other. These models change nothing but that, so each of them is a
picture, (B, T, T) booleans in place of the ``attention_mask``: row i says what position i may see. The
left-to-right picture of GPT is :func:`bertlib.objectives.causal.causal_mask`.

===========  =============================================  =======================================
Longformer   :func:`sliding_mask`, a band                    Beltagy et al. 2020, section 3.1
XLNet        :func:`permutation_mask`, an order of reading   Yang et al. 2019, section 2.2
T5, UniLM    :func:`prefix_mask`, two-sided, then one-sided  Raffel et al. 2020, 3.2.1; Dong et al. 2019
===========  =============================================  =======================================

A band has about T (w + 1) pairs instead of T^2 (:func:`sliding_pairs`): at T = 4,096 and w = 512 an eighth.
Here the picture is laid over all T^2 scores, which shows what is seen and saves nothing. Longformer computes
only the band, with a kernel of its own; it also gives global positions projections of their own.

Shapes: B texts, T positions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bertlib.errors import InputError
from bertlib.objectives.causal import causal_mask


def sliding_mask(
    attention_mask: Tensor, *, window: int, dilation: int = 1, global_positions: Sequence[int] = ()
) -> Tensor:
    """Let each position see ``window / 2`` neighbours on either side, and itself.

    Args:
        attention_mask: (B, T), 1 for text and 0 for padding.
        window: w, neighbours in all, an even number.
        dilation: d, steps from one neighbour to the next; 2 leaves out every other position.
        global_positions: these see everything and are seen by all, such as 0 for [CLS].

    Returns:
        (B, T, T) booleans.

    Raises:
        InputError: an odd or negative window, no step, a position that is not there, no (B, T).

    Example:
        >>> sliding_mask(torch.ones(1, 4), window=2).int().tolist()[0]
        [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]
    """
    text = _text(attention_mask)
    length = text.shape[1]
    _check_window(window)
    if dilation < 1:
        raise InputError(f"dilation is {dilation}; expected 1 (neighbours) or a larger step")
    seen = near(length, window=window, dilation=dilation, device=text.device)  # (T, T)
    for position in global_positions:
        if not 0 <= position < length:
            raise InputError(f"global position {position} of a text of {length}; expected 0 to {length - 1}")
        seen[position, :] = seen[:, position] = True
    return seen & text[:, None, :]


def near(length: int, *, window: int, dilation: int = 1, device: torch.device | None = None) -> Tensor:
    """Return the band alone, (T, T): at most ``window / 2`` steps of ``dilation`` apart."""
    place = torch.arange(length, device=device)
    apart = (place[:, None] - place[None, :]).abs()
    return (apart <= window // 2 * dilation) & (apart % dilation == 0)


def sliding_pairs(length: int, window: int) -> int:
    """Count who sees whom in a band without dilation: T (w + 1), less what hangs over at both ends.

    Example:
        >>> sliding_pairs(4, 2), sliding_pairs(4096, 512)
        (10, 2035456)
    """
    _check_window(window)
    half = min(window // 2, length - 1)
    return length * (2 * half + 1) - half * (half + 1)


def permutation_mask(order: Tensor, *, itself: bool = True) -> Tensor:
    """Let each position see those that come before it in an order of reading.

    Averaged over many orders each word is predicted from every choice of the others: both sides are used,
    and no [MASK] is needed. The words stay in their places; only the picture changes.

    Args:
        order: (B, T), or (T,) for one text: the positions 0 to T - 1 as they are read.
        itself: see one's own word too (XLNet's content stream). False is its query stream, which knows the
            place of a word and is to guess it. The first one read then sees nothing: it cannot be asked.

    Returns:
        (B, T, T) booleans.

    Raises:
        InputError: a row that is no order of 0 to T - 1.

    Example:
        >>> permutation_mask(torch.tensor([2, 1, 3, 0])).int().tolist()[0]
        [[1, 1, 1, 1], [0, 1, 1, 0], [0, 0, 1, 0], [0, 1, 1, 1]]
    """
    order = order[None] if order.dim() == 1 else order
    if order.dim() != 2 or not torch.equal(order.sort(dim=1).values, _places(order).expand_as(order)):
        raise InputError(f"order {order.tolist()}: expected each position from 0 to T - 1 once in a row")
    turn = order.argsort(dim=1)  # (B, T): when each position is read
    earlier = turn[:, None, :] < turn[:, :, None]
    return earlier | torch.eye(order.shape[1], dtype=torch.bool, device=order.device) if itself else earlier


def prefix_mask(attention_mask: Tensor, prefix: Tensor) -> Tensor:
    """Let all see the first positions, and the rest only what stands before it.

    One model then reads (the prefix, both ways, like BERT) and writes (the rest, left to right, like GPT).

    Args:
        attention_mask: (B, T), 1 for text and 0 for padding.
        prefix: (B,) positions of each text that may be seen from everywhere; 0 is the causal mask.

    Returns:
        (B, T, T) booleans.

    Raises:
        InputError: a prefix below 0 or longer than T, or not one for each text.

    Example:
        >>> prefix_mask(torch.ones(1, 4), torch.tensor([2])).int().tolist()[0]
        [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    """
    text = _text(attention_mask)
    rows, length = text.shape
    if prefix.shape != (rows,) or bool(((prefix < 0) | (prefix > length)).any()):
        raise InputError(
            f"prefix {prefix.tolist()} for {rows} texts of {length}; expected 0 to {length} each"
        )
    in_prefix = _places(text) < prefix[:, None]  # (B, T)
    return causal_mask(text) | (in_prefix & text)[:, None, :]


def _places(x: Tensor) -> Tensor:
    return torch.arange(x.shape[1], device=x.device)


def _check_window(window: int) -> None:
    if window < 0 or window % 2:
        raise InputError(f"window is {window}; expected an even number: half of it lies on either side")


def _text(attention_mask: Tensor) -> Tensor:
    if attention_mask.dim() != 2:
        raise InputError(f"attention_mask has shape {tuple(attention_mask.shape)}; expected (batch, length)")
    return attention_mask != 0
