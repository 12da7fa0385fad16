"""From a word to its pieces: greedy longest match, the heart of WordPiece encoding."""

from __future__ import annotations

from collections.abc import Container

from bertlib.tokenizer.pieces import INNER, MAX_WORD_CHARS


def greedy_pieces(word: str, vocab: Container[str], unknown: str = "[UNK]") -> list[str]:
    """Cut a word into the longest pieces that fit, from left to right.

    A word with a rest that no piece fits, or of more than 100 characters, becomes one ``unknown``.

    Args:
        word: one normalised word, without blanks.
        vocab: the pieces; those that continue a word start with ``##``.
        unknown: what stands for a word that cannot be cut.

    Example:
        >>> greedy_pieces("playing", {"play", "pl", "##ing", "##i"})
        ['play', '##ing']
    """
    if len(word) > MAX_WORD_CHARS:
        return [unknown]
    pieces: list[str] = []
    start = 0
    while start < len(word):
        prefix = INNER if start else ""
        for end in range(len(word), start, -1):
            piece = prefix + word[start:end]
            if piece in vocab:
                break
        else:
            return [unknown]
        pieces.append(piece)
        start = end
    return pieces
