"""From raw text to words: BERT's cleaning and basic tokenisation (google-research/bert, BasicTokenizer).

Five steps, each on single characters, which is why one table from character to text does them all:

1. clean: controls vanish, every kind of white space becomes a blank;
2. CJK ideographs get a blank on either side: each is a word;
3. when lower-casing, accents go: decompose (é -> e + ◌́), then remove the marks;
4. lower-case, one character at a time (no rule for the Greek final sigma);
5. punctuation gets a blank on either side.

Splitting at blanks then gives the words. Only canonical ordering of several marks on one letter looks
at neighbours; a handful of rare marks survive step 3, and text that holds one takes a longer road.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate

from bertlib.tokenizer import unicode_tables as tables

MAX_TABLE = 65_536  # characters remembered; a text of random code points must not fill the memory
# Musical notes hold such a mark: their stem or flag shows when they are decomposed.
_SURVIVING_MARKS = re.compile(
    "[\U0001d15e-\U0001d164\U0001d1bb-\U0001d1c0" + "".join(map(chr, tables.COMBINING_CLASS)) + "]"
)


def clean(char: str) -> str:
    """Do steps 1 and 2: ``""`` for a control, a blank for white space, an ideograph between blanks."""
    point = ord(char)
    if point in tables.SPACES:
        return " "
    if point in tables.DROPPED:
        return ""
    return f" {char} " if point in tables.CHINESE else char


def decompose(char: str) -> str:
    """Return the canonical decomposition (NFD) of one character, as of Unicode 9: ``é`` is ``e`` + ``◌́``."""
    return char if ord(char) in tables.NOT_DECOMPOSED else unicodedata.normalize("NFD", char)


def lower(char: str) -> str:
    """Return the lower case of one character, as of Unicode 17 on every Python."""
    return tables.YOUNG_LOWER.get(ord(char)) or char.lower()


def is_punctuation(char: str) -> bool:
    """Return whether BERT cuts here: all ASCII signs (``$`` and ``^`` too) and Unicode's category P."""
    return ord(char) in tables.PUNCTUATION


def _finish(char: str, lowercase: bool) -> str:
    """Do steps 3 (second half) to 5 on a decomposed character."""
    if lowercase:
        char = "" if ord(char) in tables.ACCENTS else lower(char)
    return "".join(f" {c} " if is_punctuation(c) else c for c in char)


def normalize_char(char: str, lowercase: bool) -> str:
    """Return what one character becomes.

    Example:
        >>> [normalize_char(c, lowercase=True) for c in "É中!"]
        ['e', ' 中 ', ' ! ']
    """
    cleaned = clean(char)
    parts = "".join(map(decompose, cleaned)) if lowercase else cleaned
    return "".join(_finish(part, lowercase) for part in parts)


class CharTable(dict[int, str]):
    """What each character becomes, worked out when it is first met (a table for ``str.translate``)."""

    def __init__(self, lowercase: bool) -> None:
        super().__init__()
        self.lowercase = lowercase

    def __missing__(self, point: int) -> str:
        if len(self) >= MAX_TABLE:
            self.clear()
        value = self[point] = normalize_char(chr(point), self.lowercase)
        return value


def spaced(text: str, table: CharTable) -> str:
    """Return normalised text with blanks around every word; ``.split()`` gives the words."""
    if table.lowercase and not text.isascii() and _SURVIVING_MARKS.search(text):
        return align(text, table)[0]
    return text.translate(table)


def split_words(text: str, *, lowercase: bool = True) -> list[str]:
    """Return the words and signs of a text, as WordPiece gets them.

    Example:
        >>> split_words("Café au lait? 你好!")
        ['cafe', 'au', 'lait', '?', '你', '好', '!']
    """
    return spaced(text, CharTable(lowercase)).split()


def align(text: str, table: CharTable) -> tuple[str, list[int]]:
    """Return what :func:`spaced` returns, and for each of its characters where in ``text`` it stems from.

    Example:
        >>> align("É!", CharTable(lowercase=True))
        ('e ! ', [0, 1, 1, 1])
    """
    if table.lowercase and not text.isascii() and _SURVIVING_MARKS.search(text):
        pieces = [(_finish(char, lowercase=True), source) for char, source in _ordered(text)]
    else:
        pieces = [(table[ord(char)], source) for source, char in enumerate(text)]
    sources = [source for piece, source in pieces for _ in piece]
    return "".join(piece for piece, _ in pieces), sources


def _ordered(text: str) -> Iterator[tuple[str, int]]:
    """Yield decomposed characters in canonical order, each with a position in ``text``.

    Marks of one letter are sorted by combining class (Unicode 3.11, D109), stably. Positions follow the
    reference: characters, once sorted, take the places of the originals one after the other.
    """
    cleaned = [(c, source) for source, char in enumerate(text) for c in clean(char)]
    parts = [(c, nth == 0) for char, _ in cleaned for nth, c in enumerate(decompose(char))]
    ranks = [_combining_class(c) for c, _ in parts]
    runs = accumulate(rank == 0 for rank in ranks)  # a letter and the marks that follow it share a number
    order = sorted(range(len(parts)), key=list(zip(runs, ranks, strict=True)).__getitem__)
    place = -1
    for index in order:
        char, starts_original = parts[index]
        place += starts_original
        yield char, cleaned[place][1]


def _combining_class(char: str) -> int:
    """Return the rank of a mark, 0 for everything that starts a new character."""
    if ord(char) in tables.ACCENTS:
        return unicodedata.combining(char)
    return tables.COMBINING_CLASS.get(ord(char), 0)
