"""Words and pieces: which piece of a row speaks for which word (Devlin et al. 2019, section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bertlib.finetune.packing import check_room, encode_texts
from bertlib.tokenizer import WordPieceTokenizer


class WordRow(NamedTuple):
    """A row of whole words, or as many of one sentence's words as fit into it."""

    ids: np.ndarray  # special tokens included
    sentence: int  # which sentence the words are from
    first_word: int  # the place in the sentence of the row's first word
    heads: np.ndarray  # the place in the row of each word's first piece


def word_rows(
    sentences: Sequence[Sequence[str]],
    tokenizer: WordPieceTokenizer,
    *,
    max_length: int,
    only_first: bool = False,
) -> list[WordRow]:
    """Lay out sentences that are cut into words already.

    Every word has a piece, [UNK] if nothing is left of it after cleaning. A sentence that is too long goes
    on in another row, so that each of its words gets a tag; a word too long for a row loses its end.

    Args:
        sentences: words of each.
        tokenizer: cuts the words.
        max_length: pieces a row, the special ones included.
        only_first: drop what does not fit into the first row.

    Raises:
        InputError: no room for a piece.
    """
    check_room(max_length, special=2)
    pieces = encode_texts(tokenizer, [word for words in sentences for word in words])
    unknown, taken = np.array([tokenizer.unk_id]), 0
    rows: list[WordRow] = []
    for number, words in enumerate(sentences):
        cut = [piece if len(piece) else unknown for piece in pieces[taken : taken + len(words)]]
        taken += len(words)
        cut = [piece[: max_length - 2] for piece in cut]
        rows += _rows_of(number, cut, tokenizer, max_length, only_first)
    return rows


def _rows_of(
    number: int, words: list[np.ndarray], tokenizer: WordPieceTokenizer, max_length: int, only_first: bool
) -> list[WordRow]:
    rows: list[WordRow] = []
    first = 0
    while first < len(words) or not rows:
        ends = np.cumsum([len(piece) for piece in words[first:]])
        fit = int(np.searchsorted(ends, max_length - 2, side="right"))
        chosen = words[first : first + fit]
        ids = np.concatenate([[tokenizer.cls_id], *chosen, [tokenizer.sep_id]])
        heads = 1 + np.concatenate([[0], ends[: fit - 1]]) if fit else np.zeros(0)
        rows.append(WordRow(ids.astype(np.int32), number, first, heads.astype(np.int64)))
        first += fit
        if only_first:
            break
    return rows


def piece_labels(rows: Sequence[WordRow], numbers: Sequence[Sequence[int]], ignored: int) -> np.ndarray:
    """Give the first piece of each word its word's number, all other pieces ``ignored``.

    Args:
        rows: as laid out.
        numbers: of each sentence, one a word.
        ignored: for pieces that are asked nothing.

    Returns:
        (P,) for the pieces of all rows together.
    """
    parts = []
    for row in rows:
        labels = np.full(len(row.ids), ignored, np.int64)
        last = row.first_word + len(row.heads)
        labels[row.heads] = numbers[row.sentence][row.first_word : last]
        parts.append(labels)
    return np.concatenate(parts)


def word_verdicts(rows: Sequence[WordRow], logits: Sequence[np.ndarray], count: int) -> list[list[int]]:
    """Read each word's verdict off its first piece.

    Args:
        rows: as laid out.
        logits: (T, K) of each row.
        count: how many sentences there are.
    """
    said: list[list[int]] = [[] for _ in range(count)]
    for row, scores in zip(rows, logits, strict=True):
        said[row.sentence] += scores[row.heads].argmax(-1).tolist()
    return said
