"""Fill the blank: the likeliest pieces at every [MASK] of a text."""

from __future__ import annotations

from typing import NamedTuple

import torch

from bertlib.errors import InputError
from bertlib.model import BertForPreTraining
from bertlib.tokenizer import WordPieceTokenizer


class Guess(NamedTuple):
    """One candidate for a blank."""

    token: str
    probability: float


@torch.no_grad()
def fill_mask(
    model: BertForPreTraining, tokenizer: WordPieceTokenizer, text: str, *, top: int = 5
) -> list[list[Guess]]:
    """Guess what stands at each ``[MASK]`` in ``text``.

    Args:
        model: in evaluation mode.
        tokenizer: the vocabulary it was trained with.
        text: one or more blanks written [MASK].
        top: how many guesses a blank.

    Returns:
        For each blank, in reading order, the ``top`` likeliest pieces, best first.

    Raises:
        InputError: no blank, or a text longer than the position table.
    """
    ids = torch.tensor(tokenizer.encode(text).ids)[None]  # (1, T)
    blanks = ids == tokenizer.mask_id
    if not blanks.any():
        raise InputError(f"no [MASK] in {text!r}; write [MASK] where a word is to be guessed")
    device = next(model.parameters()).device
    output = model(ids.to(device), selected=blanks.to(device))
    best = output.prediction_logits.float().softmax(-1).topk(min(top, len(tokenizer)), dim=-1)
    return [
        [Guess(tokenizer.vocab[i], p) for p, i in zip(row.tolist(), ids.tolist(), strict=True)]
        for row, ids in zip(best.values, best.indices, strict=True)
    ]
