"""From pieces back to text one likes to read."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bertlib.tokenizer.pieces import INNER
from bertlib.tokenizer.unicode_tables import CHINESE

_WIDE = f"[{CHINESE.pattern}、。，；：！？（）《》〈〉「」『』【】“”‘’…—]"
_RULES = [
    (re.compile(rf"(?<={_WIDE}) (?={_WIDE})"), ""),  # Chinese has no blanks
    (re.compile(r'" ([^"]*) "'), r'"\1"'),  # a pair of straight quotes hugs what it quotes
    (re.compile(r" ([.,;:!?%)\]}”’、。，；：！？）》」』】])"), r"\1"),  # no blank before what closes
    (re.compile(r"([(\[{“‘（《「『【$#]) "), r"\1"),  # nor after what opens
    (re.compile(r"(?<=\w) ?(['’]) (?=(?:s|t|d|m|re|ve|ll|clock)\b)", re.IGNORECASE), r"\1"),  # don ' t
    (re.compile(r"(?<=\w) ([-/]) (?=\w)"), r"\1"),  # well - known
    (re.compile(r"(?<=\d)([.,:]) (?=\d)"), r"\1"),  # 1, 000
]


def tidy(text: str) -> str:
    """Take back the blanks that splitting put around punctuation and Chinese characters.

    Example:
        >>> tidy("he said : don ' t ( ever ) stop , 中 国 !")
        "he said: don't (ever) stop, 中国!"
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def join_pieces(pieces: Iterable[str]) -> str:
    """Join pieces to text: ``##`` continues a word, then :func:`tidy`.

    Case, accents and the exact white space of the original are gone for good: the result reads well but
    need not be the original, e.g. ``1990. 20`` comes back as ``1990.20``.

    Example:
        >>> join_pieces(["play", "##ing", "outside", "!"])
        'playing outside!'
    """
    return tidy(re.sub(rf" {INNER}(?=[^ ])", "", " ".join(pieces)))
