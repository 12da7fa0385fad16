"""Texts to rows: many texts are tokenised at once, cut as BERT cuts them, and packed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bertlib.errors import InputError
from bertlib.tokenizer import WordPieceTokenizer

BLOCK = 10_000  # texts that are tokenised together: few calls, and no copy of a whole corpus


def encode_texts(tokenizer: WordPieceTokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Return the ids of each text, without special tokens; a "[MASK]" in a text is three words."""
    rows: list[np.ndarray] = []
    for first in range(0, len(texts), BLOCK):
        lines = [text.replace("\n", " ") for text in texts[first : first + BLOCK]]
        ids, lengths = tokenizer.encode_lines("\n".join(lines))
        rows += np.split(ids, np.cumsum(lengths)[:-1])
    return rows


def kept(first: int, second: int, room: int) -> tuple[int, int]:
    """Return how many pieces of two texts fit into ``room`` if the longer one loses, at a tie the second.

    The same as dropping pieces one by one (google-research/bert), at once.

    Example:
        >>> kept(10, 3, room=5)
        (3, 2)
    """
    if first + second <= room:
        return first, second
    first = min(first, max(room - second, (room + 1) // 2))
    return first, room - first


def pack_row(
    first: np.ndarray, second: np.ndarray | None, tokenizer: WordPieceTokenizer, *, max_length: int
) -> tuple[np.ndarray, int]:
    """Return one row, ``[CLS] A [SEP]`` or ``[CLS] A [SEP] B [SEP]``, and the length of ``[CLS] A [SEP]``."""
    ends = np.array([tokenizer.sep_id])
    if second is None:
        row = np.concatenate([[tokenizer.cls_id], first[: max_length - 2], ends])
        return row, len(row)
    a, b = kept(len(first), len(second), max_length - 3)
    return np.concatenate([[tokenizer.cls_id], first[:a], ends, second[:b], ends]), a + 2


def pack_rows(
    firsts: Sequence[str],
    seconds: Sequence[str | None],
    tokenizer: WordPieceTokenizer,
    *,
    max_length: int,
) -> tuple[list[np.ndarray], list[int]]:
    """Tokenise and pack texts or pairs; return rows and lengths of ``[CLS] A [SEP]``.

    Raises:
        InputError: ``max_length`` leaves no room for text.
    """
    check_room(max_length, special=3)
    pairs = [text is not None for text in seconds]
    one = encode_texts(tokenizer, firsts)
    two = iter(encode_texts(tokenizer, [text for text in seconds if text is not None]))
    packed = [
        pack_row(first, next(two) if pair else None, tokenizer, max_length=max_length)
        for first, pair in zip(one, pairs, strict=True)
    ]
    return [row for row, _ in packed], [length for _, length in packed]


def check_room(max_length: int, *, special: int) -> None:
    """Refuse rows without room for text beside the special tokens.

    Raises:
        InputError: the least length is named.
    """
    if max_length <= special:
        raise InputError(
            f"max_length is {max_length}; expected at least {special + 1}: {special} places are for special "
            "tokens"
        )
