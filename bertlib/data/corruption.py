"""How MASS and BART spoil a text that a decoder is to restore.

Each function takes one text as a row of ids, (N,) whole numbers without special tokens, and returns new
ids; the original is the target. BART's five: Lewis et al. 2020, section 2.2 and figure 2. MASS: Song et al.
2019, section 3.2. BERT's own way is :func:`bertlib.data.masking.mask_tokens`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bertlib.errors import InputError

Ints = NDArray[np.int64]


def token_masking(ids: Ints, *, mask_id: int, generator: np.random.Generator, share: float = 0.15) -> Ints:
    """Replace a share of the tokens by [MASK]; all others stay in their places.

    Returns:
        (N,).

    Raises:
        InputError: ``ids`` is no row, or ``share`` is outside [0, 1].
    """
    spoiled = _row(ids).copy()
    spoiled[_chosen(len(spoiled), share, generator)] = mask_id
    return spoiled


def token_deletion(ids: Ints, *, generator: np.random.Generator, share: float = 0.15) -> Ints:
    """Leave a share of the tokens out; the decoder must also find where.

    Returns:
        (N - round(share N),), in order.

    Raises:
        InputError: as in :func:`token_masking`.
    """
    ids = _row(ids)
    return np.delete(ids, _chosen(len(ids), share, generator))


def text_infilling(
    ids: Ints, *, mask_id: int, generator: np.random.Generator, share: float = 0.3, mean_length: float = 3.0
) -> Ints:
    """Replace each of some spans by a single [MASK]; the decoder must also find how many words it hides.

    Lengths are drawn from a Poisson distribution until the spans hold ``share`` of the tokens; the last one
    is cut to that. A span of length 0 inserts a [MASK] where nothing is missing. All ways to place the
    spans with a token between any two are equally likely.

    Args:
        ids: (N,).
        mask_id: id of [MASK].
        generator: source of all choices.
        share: part of the tokens to hide; the paper's 30 %.
        mean_length: of a span, in tokens; the paper's 3.

    Returns:
        (N - hidden tokens + spans,).

    Raises:
        InputError: as in :func:`token_masking`, or a mean length that is not positive.
    """
    ids = _row(ids)
    if mean_length <= 0:
        raise InputError(f"mean_length is {mean_length}; expected more than 0")
    lengths = infilling_lengths(
        round(_share(share) * len(ids)), most=len(ids), mean_length=mean_length, generator=generator
    )
    gaps = generator.choice(len(ids) - lengths.sum() + 1, len(lengths), replace=False)
    order = gaps.argsort()
    lengths = lengths[order]
    starts = gaps[order] + lengths.cumsum() - lengths
    hidden = np.zeros(len(ids) + 1, dtype=np.int64)  # how many spans are open at each token
    np.add.at(hidden, starts, 1)
    np.add.at(hidden, starts + lengths, -1)
    kept = hidden.cumsum()[:-1] == 0
    before = np.concatenate([[0], kept.cumsum()])[starts]  # tokens that are left before each span
    return np.insert(ids[kept], before, mask_id)


def infilling_lengths(total: int, *, most: int, mean_length: float, generator: np.random.Generator) -> Ints:
    """Draw Poisson lengths up to the one that reaches ``total``, which is cut to it: (number of spans,).

    Args:
        total: tokens to hide; 0 gives no span.
        most: tokens of the text; no more spans are drawn than fit in with a token between any two.
        mean_length: of the distribution.
        generator: source of all choices.
    """
    drawn = generator.poisson(mean_length, most)
    before = drawn.cumsum() - drawn
    lengths = np.minimum(drawn, total - before)[before < total]
    fitting = lengths.cumsum() + np.arange(len(lengths)) <= most
    return lengths[fitting]


def sentence_permutation(ids: Ints, sentence_ends: Ints, *, generator: np.random.Generator) -> Ints:
    """Put the sentences into a random order.

    Args:
        ids: (N,).
        sentence_ends: (S,) number of tokens up to each sentence's end, increasing; the last is N.
        generator: source of all choices.

    Returns:
        (N,).

    Raises:
        InputError: the ends do not cut up ``ids``.
    """
    ids, ends = _row(ids), np.asarray(sentence_ends)
    if len(ids) and (len(ends) == 0 or ends[-1] != len(ids) or (np.diff(ends, prepend=0) < 0).any()):
        raise InputError(
            f"sentence_ends {ends.tolist()} does not cut up {len(ids)} tokens; expected increasing numbers, "
            f"the last of them {len(ids)}"
        )
    sentences = np.split(ids, ends[:-1])
    return np.concatenate([sentences[i] for i in generator.permutation(len(sentences))])


def document_rotation(ids: Ints, *, generator: np.random.Generator) -> Ints:
    """Let the text begin at a random token; what stood before it goes to the end.

    Returns:
        (N,).

    Raises:
        InputError: ``ids`` is no row.
    """
    ids = _row(ids)
    return np.roll(ids, -generator.integers(len(ids))) if len(ids) else ids.copy()


class MassExample(NamedTuple):
    """A text without one span, and the span; k is the span's length."""

    encoder_ids: Ints  # (N,) with [MASK] in the span's places
    decoder_ids: Ints  # (k,) the span, one to the right: what the decoder has read before each target
    target: Ints  # (k,) the span
    positions: Ints  # (k,) places of the targets in the text


def mass_span(ids: Ints, *, mask_id: int, generator: np.random.Generator, share: float = 0.5) -> MassExample:
    """Take one span out of the encoder's text and let the decoder write it (Song et al. 2019, figure 1).

    With k = 1 this is BERT's task, with k = N a language model's (section 3.2). The decoder sees nothing
    but the span: what the encoder can read is hidden from it.

    This is the figure. The released code (microsoft/MASS) treats the span's tokens as BERT does, 80 % [MASK],
    10 % any word, 10 % kept, and puts two spans in five at the beginning or the end of the text.

    Args:
        ids: (N,), at least one token.
        mask_id: id of [MASK]; it is also the decoder's first input, since the token before the span is
            the encoder's.
        generator: draws the place of the span, all equally likely.
        share: length of the span as part of the text; the paper's 50 %. At least one token.

    Raises:
        InputError: as in :func:`token_masking`, or an empty text.
    """
    ids = _row(ids)
    if len(ids) == 0:
        raise InputError("the text has no tokens; expected at least one to take out")
    length = max(round(_share(share) * len(ids)), 1)
    start = int(generator.integers(len(ids) - length + 1))
    positions = np.arange(start, start + length)
    target, encoder = ids[positions], ids.copy()
    encoder[positions] = mask_id
    return MassExample(encoder, np.concatenate([[mask_id], target[:-1]]), target, positions)


def _chosen(count: int, share: float, generator: np.random.Generator) -> Ints:
    """Draw round(share x count) of ``count`` places."""
    return generator.choice(count, round(_share(share) * count), replace=False)


def _row(ids: Ints) -> Ints:
    ids = np.asarray(ids)
    if ids.ndim != 1:
        raise InputError(f"ids has shape {ids.shape}; expected one text, (length,)")
    return ids


def _share(share: float) -> float:
    if not 0 <= share <= 1:
        raise InputError(f"share is {share}; expected a number in [0, 1]")
    return share
