"""Whole-word masking: all pieces of a word are taken out, or none.

A lone piece is often told by its word: in ``phil ##am ##mon`` whoever sees ``phil`` and ``##mon`` need not
read the sentence. The recipe came with the released code in 2019, after the paper, as did its name.

Chinese is out of scope. There BERT's tokeniser makes every character a word of its own, so this kind equals
masking tokens; to take out Chinese words (Cui et al. 2021) one needs a program that finds them first.

Shapes: B texts, T positions, V vocabulary; a text has at most T words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from bertlib.data.dice import Dice, integers, uniform
from bertlib.data.masking import MaskedTokens, budget, check_shares, corrupt
from bertlib.tokenizer.pieces import INNER


class WordsOfTexts(NamedTuple):
    """Which word each position belongs to, words counted from 0 in each text."""

    number: Tensor  # (B, T) word of each position; 0 as well where there is none
    size: Tensor  # (B, T) pieces of each word; 0 beyond the last word


def continues_word(vocab: Sequence[str]) -> Tensor:
    """Say for each piece of a vocabulary whether it belongs to the word before: (V,) booleans.

    Example:
        >>> continues_word(["phil", "##am", "##"]).tolist()
        [False, True, False]
    """
    return torch.tensor([piece.startswith(INNER) and piece != INNER for piece in vocab])


def find_words(input_ids: Tensor, candidates: Tensor, continues: Tensor) -> WordsOfTexts:
    """Count through the words of each text.

    A ``##`` piece whose word begins outside (a text is cut anywhere) makes a word with those that follow.

    Args:
        input_ids: (B, T).
        candidates: (B, T) booleans, False at [CLS], [SEP] and [PAD].
        continues: (V,) from :func:`continues_word`, on the same device.
    """
    goes_on = torch.zeros_like(candidates)
    goes_on[:, 1:] = continues[input_ids[:, 1:]] & candidates[:, :-1]
    number = (candidates & ~goes_on).cumsum(1).sub_(1).clamp_(min=0)  # (B, T)
    size = torch.zeros_like(number).scatter_add_(1, number, candidates.long())
    return WordsOfTexts(number, size)


def within_budget(size: Tensor, wanted: Tensor, coin: Tensor) -> Tensor:
    """Take words from the front while the number of pieces comes nearer to what is wanted.

    The word that crosses the budget is taken if more than half of it lies within; at one half a coin
    decides; the first word is always taken. So a text misses its budget by half a word at most, above or
    below, unless its first word is longer than twice the budget.

    Args:
        size: (B, W) pieces of each word in the order in which words are to be taken; 0: no word.
        wanted: (B, 1) pieces.
        coin: (B, 1) booleans, True for yes.

    Returns:
        (B, W) booleans.
    """
    before = size.cumsum(1) - size
    return (2 * before + size < 2 * wanted + coin) | (before == 0)


def select_words(
    input_ids: Tensor, candidates: Tensor, continues: Tensor, *, share: float, generator: Dice = None
) -> Tensor:
    """Pick whole words at random until they hold ``share`` of the row's pieces: (B, T) booleans.

    The budget counts pieces, as in the released code, and is kept as :func:`within_budget` says. Every word
    is as likely to come next, be it short or long.

    Args:
        input_ids: (B, T).
        candidates: (B, T) booleans, False at [CLS], [SEP] and [PAD].
        continues: (V,) from :func:`continues_word`.
        share: between 0 and 1.
        generator: source of randomness, on the device of ``input_ids``.
    """
    words = find_words(input_ids, candidates, continues)
    order = uniform(words.size.shape, generator, input_ids.device).argsort(1)  # empty words do no harm
    coin = uniform((len(input_ids), 1), generator, input_ids.device) < 0.5
    in_order = within_budget(words.size.gather(1, order), budget(candidates, share), coin)
    taken = torch.zeros_like(in_order).scatter_(1, order, in_order)  # by word
    return taken.gather(1, words.number) & candidates


def mask_words(
    input_ids: Tensor,
    candidates: Tensor,
    continues: Tensor,
    *,
    vocab_size: int,
    mask_id: int,
    generator: Dice = None,
    share: float = 0.15,
    mask_share: float = 0.8,
    random_share: float = 0.1,
    first_word_id: int = 5,
) -> MaskedTokens:
    """Select whole words that hold 15 % of the pieces; treat each piece as :func:`mask_tokens` does.

    The pieces of a word have fates of their own (one may become [MASK], its neighbour be kept), and each is
    predicted by itself: so does the released code (google-research/bert, README of 31 May 2019).

    Arguments and errors as in :func:`bertlib.data.masking.mask_tokens`, with ``continues`` (V,) from
    :func:`continues_word`.
    """
    check_shares(share, mask_share, random_share)
    selected = select_words(input_ids, candidates, continues, share=share, generator=generator)
    fate = uniform(input_ids.shape, generator, input_ids.device)
    words = integers(first_word_id, vocab_size, input_ids.shape, generator, input_ids.device)
    return corrupt(
        input_ids, selected, fate, words, mask_id=mask_id, mask_share=mask_share, random_share=random_share
    )
