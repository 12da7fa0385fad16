"""Which characters of a text does each piece cover, and which pieces cover these characters?

The answer to a question is cut out of the context as it was written, capitals, accents and blanks included;
nothing is put together from pieces. That takes the place of every piece, for all pieces of a text at once.
"""

from __future__ import annotations

import numpy as np

from bertlib.errors import InputError
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.tokenizer.fast import find_words
from bertlib.tokenizer.normalize import CharTable, align
from bertlib.tokenizer.pieces import INNER


class PieceOffsets:
    """Finds the places of pieces, a text at a time; equal to the offsets of ``tokenizer.encode``.

    Args:
        tokenizer: cut the texts into pieces.
    """

    def __init__(self, tokenizer: WordPieceTokenizer) -> None:
        inner = [piece.startswith(INNER) for piece in tokenizer.vocab]
        self._inner = np.array(inner)
        self._sizes = np.array([len(piece) for piece in tokenizer.vocab]) - len(INNER) * self._inner
        self._unknown = tokenizer.unk_id
        self._table = CharTable(tokenizer.lowercase)

    def of(self, text: str, ids: np.ndarray) -> np.ndarray:
        """Return the characters [start, end) of each piece.

        Args:
            text: as it was written.
            ids: (n,) its pieces, from ``encode_lines`` or ``words_to_ids``.

        Returns:
            (n, 2) int32.

        Raises:
            InputError: these are not the ids of this text.
        """
        normal, sources = self._normal(text)
        points = np.frombuffer(normal.encode("utf-32-le"), dtype=np.uint32)
        # What is not ASCII counts as a letter: signs and ideographs stand between blanks by now.
        word_starts, word_ends = find_words(np.minimum(points, 255).astype(np.uint8))
        heads = ~self._inner[ids]
        word = np.cumsum(heads) - 1  # (n,) which word each piece belongs to
        if (word[-1] + 1 if len(ids) else 0) != len(word_starts) or not heads[:1].all():
            raise InputError(
                f"{len(ids)} ids make {heads.sum()} words, the text has {len(word_starts)}; expected the ids "
                "of this text, without special tokens"
            )
        sizes = self._sizes[ids]
        before = np.cumsum(sizes) - sizes  # characters of all pieces before this one
        starts = word_starts[word] + before - before[heads][word]
        ends = np.where(ids == self._unknown, word_ends[word], starts + sizes)  # [UNK] covers a whole word
        if sources is None:
            return np.stack([starts, ends], axis=1).astype(np.int32)
        return np.stack([sources[starts], sources[ends - 1] + 1], axis=1).astype(np.int32)

    def _normal(self, text: str) -> tuple[str, np.ndarray | None]:
        """Return text whose words can be found, and the places its characters stem from; None: the same."""
        line = text.replace("\n", " ")
        if line.isascii() and line.isprintable():
            return line, None
        normal, sources = align(text, self._table)
        return normal, np.array(sources, dtype=np.int64)


def covering(offsets: np.ndarray, start: int, end: int) -> tuple[int, int]:
    """Return the first and the last piece that hold any of the characters [start, end).

    The last is smaller than the first where there are none: the characters are blanks, for instance.

    Args:
        offsets: (n, 2) of :meth:`PieceOffsets.of`.
        start: the first character.
        end: the one after the last.

    Example:
        >>> covering(np.array([[0, 4], [4, 7], [8, 9]]), 5, 9)
        (1, 2)
    """
    first = np.searchsorted(offsets[:, 1], start, side="right")
    last = np.searchsorted(offsets[:, 0], end, side="left") - 1
    return int(first), int(last)
