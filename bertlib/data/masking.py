"""Masking: choose 15 % of the words, hide most of them, and remember which.

Shapes: B texts, T positions.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from bertlib.data.dice import Dice, integers, uniform
from bertlib.errors import InputError


class MaskedTokens(NamedTuple):
    """A corrupted copy of the input and the positions to be predicted."""

    input_ids: Tensor  # (B, T)
    selected: Tensor  # (B, T) booleans


def budget(candidates: Tensor, share: float) -> Tensor:
    """Return how many of each row's candidates are to be selected, at least one: (B, 1)."""
    available = candidates.sum(dim=1, keepdim=True)
    return (available * share).round().long().clamp(min=1)


def select_positions(candidates: Tensor, *, share: float, generator: Dice = None) -> Tensor:
    """Pick ``share`` of each row's candidates at random, at least one where there is any.

    The number is fixed (15 % rounded), only the places are random; so does the released code.

    Args:
        candidates: (B, T) booleans, True where a position may be picked.
        share: between 0 and 1.
        generator: source of randomness, on the device of ``candidates``.

    Returns:
        (B, T) booleans.
    """
    wanted = budget(candidates, share)  # (B, 1)
    lots = uniform(candidates.shape, generator, candidates.device)
    lots = lots.masked_fill(~candidates, 2.0)  # higher than any lot, so never among the lowest
    highest = lots.sort(dim=1).values.gather(1, wanted - 1)  # (B, 1): the last lot that wins
    return (lots <= highest) & candidates


def mask_tokens(
    input_ids: Tensor,
    candidates: Tensor,
    *,
    vocab_size: int,
    mask_id: int,
    generator: Dice = None,
    share: float = 0.15,
    mask_share: float = 0.8,
    random_share: float = 0.1,
    first_word_id: int = 5,
) -> MaskedTokens:
    """Select 15 % of the words; replace 80 % of those by [MASK], 10 % by any word, keep 10 %.

    Devlin et al. 2019, section 3.1, task 1, and appendix A.1. One draw decides each fate: two
    independent draws would give other shares.

    Args:
        input_ids: (B, T); not changed.
        candidates: (B, T) booleans, False at [CLS], [SEP] and [PAD].
        vocab_size: V; random words come from ``first_word_id`` to V - 1.
        mask_id: id of [MASK].
        generator: source of randomness, on the device of ``input_ids``.
        share: part of the candidates to select.
        mask_share: part of the selected that becomes [MASK].
        random_share: part of the selected that becomes a random word.
        first_word_id: the lowest id that is a word; below it lie the special tokens.

    Returns:
        The corrupted ids and the selection. The labels are ``input_ids[selected]``.

    Raises:
        InputError: shares outside [0, 1] or summing to more than one.
    """
    check_shares(share, mask_share, random_share)
    selected = select_positions(candidates, share=share, generator=generator)
    fate = uniform(input_ids.shape, generator, input_ids.device)
    words = integers(first_word_id, vocab_size, input_ids.shape, generator, input_ids.device)
    return corrupt(
        input_ids, selected, fate, words, mask_id=mask_id, mask_share=mask_share, random_share=random_share
    )


def corrupt(
    input_ids: Tensor,
    selected: Tensor,
    fate: Tensor,
    words: Tensor,
    *,
    mask_id: int,
    mask_share: float = 0.8,
    random_share: float = 0.1,
) -> MaskedTokens:
    """Do to each selected position what its lot says; all arguments before the star are (B, T).

    Args:
        input_ids: the text; not changed.
        selected: booleans.
        fate: numbers from [0, 1): below ``mask_share`` comes [MASK], in the next ``random_share`` of the
            range the random word, above it nothing happens.
        words: the random words.
        mask_id: id of [MASK].
        mask_share: part of the selected that becomes [MASK].
        random_share: part of the selected that becomes a random word.
    """
    hidden = selected & (fate < mask_share)
    swapped = selected & (fate >= mask_share) & (fate < mask_share + random_share)
    corrupted = input_ids.masked_fill(hidden, mask_id)
    return MaskedTokens(torch.where(swapped, words, corrupted), selected)


def check_shares(share: float, mask_share: float, random_share: float) -> None:
    """Refuse shares that are none.

    Raises:
        InputError: shares outside [0, 1] or summing to more than one.
    """
    if not 0 <= share <= 1 or min(mask_share, random_share) < 0 or mask_share + random_share > 1:
        raise InputError(
            f"share {share}, mask_share {mask_share}, random_share {random_share}: expected numbers in "
            "[0, 1], the last two summing to at most 1"
        )
