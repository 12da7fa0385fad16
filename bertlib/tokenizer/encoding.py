"""What encoding returns, and the packing of one or two texts: [CLS] A [SEP] B [SEP] (paper, figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bertlib.errors import InputError

Offset = tuple[int, int]


class Piece(NamedTuple):
    """One piece of a text: its id and the characters [start, end) of the original that it covers."""

    id: int
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """One packed sequence of T tokens; every field is a list of length T.

    Attributes:
        ids: positions in the vocabulary.
        tokens: the same as text.
        token_type_ids: 0 for [CLS] A [SEP], 1 for B [SEP].
        attention_mask: 1 for tokens, 0 for padding.
        offsets: (start, end) characters in the original text; (0, 0) for what packing and padding added.
        special_tokens_mask: 1 for what packing and padding added.
    """

    ids: list[int]
    tokens: list[str]
    token_type_ids: list[int]
    attention_mask: list[int]
    offsets: list[Offset]
    special_tokens_mask: list[int]

    def __len__(self) -> int:
        return len(self.ids)

    def padded(self, length: int, *, pad_id: int, pad_token: str = "[PAD]") -> Encoding:
        """Return a copy with padding on the right up to ``length`` tokens."""
        gap = max(0, length - len(self))
        return replace(
            self,
            ids=self.ids + [pad_id] * gap,
            tokens=self.tokens + [pad_token] * gap,
            token_type_ids=self.token_type_ids + [0] * gap,
            attention_mask=self.attention_mask + [0] * gap,
            offsets=self.offsets + [(0, 0)] * gap,
            special_tokens_mask=self.special_tokens_mask + [1] * gap,
        )


class EncodingBatch(tuple[Encoding, ...]):
    """B encodings; each field is also one (B, T) int64 array, when all have the same length T."""

    __slots__ = ()

    @property
    def ids(self) -> np.ndarray:
        """(B, T) token ids."""
        return self._array("ids")

    @property
    def token_type_ids(self) -> np.ndarray:
        """(B, T) 0 for the first text, 1 for the second."""
        return self._array("token_type_ids")

    @property
    def attention_mask(self) -> np.ndarray:
        """(B, T) 1 for tokens, 0 for padding."""
        return self._array("attention_mask")

    @property
    def special_tokens_mask(self) -> np.ndarray:
        """(B, T) 1 for what packing and padding added."""
        return self._array("special_tokens_mask")

    def _array(self, field: str) -> np.ndarray:
        rows = [getattr(encoding, field) for encoding in self]
        lengths = sorted({len(row) for row in rows})
        if len(lengths) > 1:
            raise InputError(
                f"encodings of {lengths[0]} to {lengths[-1]} tokens make no array; encode with pad=True"
            )
        return np.array(rows, dtype=np.int64).reshape(len(rows), *(lengths or [0]))


def truncate_pair(first: list[Piece], second: list[Piece], room: int) -> tuple[list[Piece], list[Piece]]:
    """Drop pieces from the end of the longer text, one at a time, until both together fit into ``room``.

    At a tie the second gives way (google-research/bert, ``_truncate_seq_pair`` of run_classifier).
    """
    keep_first, keep_second = len(first), len(second)
    while keep_first + keep_second > room:
        if keep_first > keep_second:
            keep_first -= 1
        else:
            keep_second -= 1
    return first[:keep_first], second[:keep_second]


def pack(segments: Sequence[list[Piece]], vocab: Sequence[str], *, cls_id: int, sep_id: int) -> Encoding:
    """Join one or two texts: [CLS] first, [SEP] after each."""
    pieces, types, special = [Piece(cls_id, 0, 0)], [0], [1]
    for number, segment in enumerate(segments):
        pieces += [*segment, Piece(sep_id, 0, 0)]
        types += [number] * (len(segment) + 1)
        special += [0] * len(segment) + [1]
    return Encoding(
        ids=[piece.id for piece in pieces],
        tokens=[vocab[piece.id] for piece in pieces],
        token_type_ids=types,
        attention_mask=[1] * len(pieces),
        offsets=[(piece.start, piece.end) for piece in pieces],
        special_tokens_mask=special,
    )
