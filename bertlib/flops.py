"""How much arithmetic a BERT takes, and how much of it the machine could do.

A matrix product of (m, k) with (k, n) is 2mkn floating point operations (FLOPs). Everything else, such as
softmax, GELU, norms and the optimiser, is small beside the products and left out, as is usual. Going backward
costs twice what going forward does: one product for the gradient of each of the two factors.

With L blocks, width H, T positions, vocabulary V and the output layer at the share r of all positions, a
token of training costs ``3 [L (24 H^2 + 4 T H) + r (2 H^2 + 2 V H)]``; with the last block at the selected
positions only (and [CLS], and everybody's keys and values) one block costs less.

Example:
    >>> from bertlib.config import BertConfig
    >>> mini = BertConfig.from_preset("mini", vocab_size=8192)
    >>> round(flops_per_token(mini, length=128, last_block_rows=False) / 1e6, 1)
    22.4
"""

from __future__ import annotations

from bertlib.config import BertConfig
from bertlib.errors import InputError

PARTS = ("attention projections", "attention scores", "feed-forward", "output layer")


def flops_by_part(
    config: BertConfig,
    *,
    length: int,
    selected: float | None = 0.15,
    last_block_rows: bool = True,
    training: bool = True,
) -> dict[str, float]:
    """Return the FLOPs per token of each part, in the order of :data:`PARTS`.

    Left out: the pooler and the sentence head, ``2 H^2 + 4 H`` a *text*, less than a thousandth.

    Args:
        config: sizes.
        length: T, positions a text, padding included: it is computed too.
        selected: r, the share of positions for which words are predicted; 1 computes the output layer
            everywhere; None leaves it out (the body alone).
        last_block_rows: the last block computes the selected positions and [CLS] only (if ``selected``
            is below 1), as :class:`~bertlib.model.BertForPreTraining` does.
        training: forward and backward; else forward only.

    Raises:
        InputError: no length, or a share outside [0, 1].
    """
    if length < 1 or not (selected is None or 0 <= selected <= 1):
        raise InputError(f"length {length}, selected {selected}: expected at least 1, and a share in [0, 1]")
    hidden, blocks = config.hidden_size, config.num_hidden_layers
    asked = blocks - 1 + _share_of_rows(length, selected, last_block_rows)  # blocks' worth of queries
    passes = 3 if training else 1
    square = 2 * hidden * hidden  # one H x H matrix
    # query and output projection where somebody asks, key and value everywhere
    return {
        "attention projections": passes * square * (2 * asked + 2 * blocks),
        "attention scores": passes * asked * 4 * length * hidden,
        "feed-forward": passes * asked * 4 * hidden * config.intermediate_size,
        "output layer": passes * (selected or 0.0) * (square + 2 * config.vocab_size * hidden),
    }


def _share_of_rows(length: int, selected: float | None, last_block_rows: bool) -> float:
    """Part of the positions that the last block computes."""
    if selected is None or not last_block_rows:
        return 1.0
    return min(selected + 1 / length, 1.0)


def flops_per_token(
    config: BertConfig,
    *,
    length: int,
    selected: float | None = 0.15,
    last_block_rows: bool = True,
    training: bool = True,
) -> float:
    """Return the FLOPs per token: the sum over :func:`flops_by_part`, which explains the arguments."""
    parts = flops_by_part(
        config, length=length, selected=selected, last_block_rows=last_block_rows, training=training
    )
    return sum(parts.values())
