"""Span masking: runs of neighbouring words are taken out together (Joshi et al. 2020, SpanBERT, section 3.1).

Shapes: B texts, T positions (and so at most T words), K spans, V vocabulary.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from bertlib.data.dice import Dice, integers, uniform
from bertlib.data.masking import MaskedTokens, budget, check_shares, corrupt
from bertlib.data.whole_words import find_words, within_budget

SPAN_P, LONGEST_SPAN = 0.2, 10  # the paper's


class SelectedSpans(NamedTuple):
    """What was selected, and in which span it lies."""

    selected: Tensor  # (B, T) booleans
    span: Tensor  # (B, T) number of the span; 0 as well where nothing was selected


def span_lengths(lots: Tensor, *, p: float = SPAN_P, longest: int = LONGEST_SPAN) -> Tensor:
    """Turn numbers from [0, 1) into lengths: l has a chance proportional to p (1 - p)^(l - 1), l = 1 ... 10.

    The chances beyond ``longest`` are shared out in proportion, which gives the paper's mean of 3.8 words
    (with longer spans cut to ten it would be 4.5).

    Args:
        lots: any shape.
        p: chance that a span ends after each word, above 0.
        longest: in words.

    Returns:
        Whole numbers of the shape of ``lots``.
    """
    if p >= 1:
        return torch.ones_like(lots, dtype=torch.long)
    kept = 1 - (1 - p) ** longest
    steps = torch.log1p(-lots * kept) / math.log1p(-p)  # the distribution function, inverted
    return (steps.long() + 1).clamp(max=longest)


def place_spans(length: Tensor, room: Tensor, lots: Tensor) -> Tensor:
    """Put spans anywhere in a row of words, with at least one word between any two.

    What is left without the spans is ``room - length.sum()`` words; each span takes one of the gaps
    between, before and after them. All ways to do so are equally likely.

    Args:
        length: (B, K) in words; 0: no span.
        room: (B, 1) words of the text; spans and the words between them must fit in.
        lots: (B, G) random numbers, one for each gap: G is at least the number of gaps and at least K.

    Returns:
        (B, K) first word of each span; of no meaning where the length is 0.
    """
    gaps = room - length.sum(1, keepdim=True) + 1
    beyond = torch.arange(lots.shape[1], device=lots.device) >= gaps
    gap = lots.masked_fill(beyond, 2.0).argsort(1)[:, : length.shape[1]]  # (B, K), all different
    comes_before = gap[:, None, :] < gap[:, :, None]  # (B, K, K)
    return gap + (length[:, None, :] * comes_before).sum(2)


def select_spans(
    input_ids: Tensor,
    candidates: Tensor,
    continues: Tensor,
    *,
    share: float,
    generator: Dice = None,
) -> SelectedSpans:
    """Pick spans of whole words until they hold ``share`` of the row's pieces.

    Lengths are geometric and count words, the budget counts pieces. The span that crosses the budget loses
    words, as :func:`bertlib.data.whole_words.within_budget` decides, at its back or (in every other text)
    at its front: else the words at the end of a text would hardly ever be asked for.
    Spans never touch (the paper's may), so what looks like one span is one. In a text with A and B a span
    may lead over the [SEP] between them, which itself is never selected; the paper uses single texts.

    Args:
        input_ids: (B, T).
        candidates: (B, T) booleans, False at [CLS], [SEP] and [PAD].
        continues: (V,) from :func:`bertlib.data.whole_words.continues_word`.
        share: between 0 and 1. From about two thirds on spans with words between them find no more room,
            and fewer are selected.
        generator: source of randomness, on the device of ``input_ids``.
    """
    rows, positions = input_ids.shape
    device = input_ids.device
    most = int(positions * share) + 1  # spans, as each holds a piece at least
    words = find_words(input_ids, candidates, continues)
    room = (words.size > 0).sum(1, keepdim=True)  # (B, 1) words
    wanted = budget(candidates, share)  # (B, 1) pieces
    drawn = span_lengths(uniform((rows, most), generator, device))
    length = _fitting(drawn, wanted.minimum(room), room)  # as many words as pieces: enough, or too many
    start = place_spans(length, room, uniform((rows, positions + 1), generator, device))

    span, offset = _span_of_words(start, length, positions)  # (B, T) each, by word
    inside = span >= 0
    span = span.clamp(min=0)
    turned, coin = (uniform((rows, 2), generator, device) < 0.5).split(1, dim=1)
    offset = torch.where(turned, length.gather(1, span) - 1 - offset, offset)  # from the span's back
    # One span after another, in the order in which they were drawn, not in that of the text: else whatever
    # goes beyond the budget would always be missing at the end.
    rank = ((length.cumsum(1) - length).gather(1, span) + offset).masked_fill(~inside, positions)
    size = words.size.new_zeros(rows, positions + 1).scatter_(1, rank, words.size)[:, :positions]
    taken = within_budget(size, wanted, coin).gather(1, rank.clamp(max=positions - 1)) & inside
    return SelectedSpans(
        taken.gather(1, words.number) & candidates, span.gather(1, words.number).where(candidates, 0)
    )


def mask_spans(
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
    """Select spans that hold 15 % of the pieces; 80 % of the spans become [MASK], 10 % random, 10 % stay.

    One lot decides for all of a span (Joshi et al. 2020, section 3.1); random words differ within it.

    Arguments and errors as in :func:`bertlib.data.masking.mask_tokens`, with ``continues`` (V,) from
    :func:`bertlib.data.whole_words.continues_word`.
    """
    check_shares(share, mask_share, random_share)
    found = select_spans(input_ids, candidates, continues, share=share, generator=generator)
    fate = uniform(input_ids.shape, generator, input_ids.device).gather(1, found.span)
    words = integers(first_word_id, vocab_size, input_ids.shape, generator, input_ids.device)
    return corrupt(
        input_ids,
        found.selected,
        fate,
        words,
        mask_id=mask_id,
        mask_share=mask_share,
        random_share=random_share,
    )


def _fitting(length: Tensor, total: Tensor, room: Tensor) -> Tensor:
    """Cut a row of lengths (B, K) so that they sum to ``total`` and fit in ``room`` with words between."""
    before = length.cumsum(1) - length
    length = length.minimum(total - before).clamp(min=0)
    needed = length.cumsum(1) + torch.arange(length.shape[1], device=length.device)
    return length.where(needed <= room, 0)


def _span_of_words(start: Tensor, length: Tensor, positions: int) -> tuple[Tensor, Tensor]:
    """Return for each word the number of its span, -1 for none, and how far into the span it stands."""
    rows, most = start.shape
    number = torch.arange(1, most + 1, device=start.device).expand(rows, -1)
    begins = start.new_zeros(rows, positions + 1)  # one column more for spans that are none
    begins.scatter_(1, start.masked_fill(length == 0, positions), number)
    begins = begins[:, :positions]
    place = torch.arange(positions, device=start.device).expand(rows, -1)
    latest = place.where(begins > 0, 0).cummax(1).values  # where the last span before here began
    span = begins.gather(1, latest) - 1
    offset = place - latest
    return span.where(offset < length.gather(1, span.clamp(min=0)), -1), offset
