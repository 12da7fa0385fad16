"""The fast path: look every word up at once, with a few numpy operations over a whole block of lines.

Text repeats itself, so the pieces of a word are worked out when it is first met (:class:`WordStore`) and
remembered. What is left is to find the words and to look them up, millions of them, and Python would spend
about 200 ns on each. Four steps do it for all words together:

1. normalise what is not ASCII (the rest needs a table of 256 bytes), and go over to UTF-8 bytes;
2. find where words start and end: at blanks, and on both sides of punctuation;
3. read the first 16 bytes of every word as two 8-byte numbers, which say exactly which word it is, and
   look these up in a hash table with one place a slot. A word that is not there (or has more than 16 bytes)
   goes through the store, one by one;
4. copy the ids of all words behind one another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from threading import Lock

import numpy as np

from bertlib.tokenizer import unicode_tables as tables
from bertlib.tokenizer.greedy import greedy_pieces
from bertlib.tokenizer.normalize import CharTable, spaced
from bertlib.tokenizer.pieces import MAX_WORD_CHARS

KEPT_WORDS = 1 << 17  # English books of 73 MB hold 93,000 different words
KEY_BYTES = 16
SLOT_BITS = 18  # twice as many slots as words are kept
PROBES = 6  # slots in a row that a word may lie in

_SEPARATOR, _LETTER, _SIGN, _DROPPED = range(4)
# A stretch from one foreign character to the next printable ASCII: canonical ordering does not look further.
_FOREIGN = re.compile(r"[^\x00-\x7f][^\t\n\r -~]*")
_LINE_END = ord("\n")


def _kind(point: int) -> int:
    """Return what a byte is; those from 128 belong to characters that are normalised already."""
    if point in tables.SPACES:
        return _SEPARATOR
    if point in tables.DROPPED:
        return _DROPPED
    return _SIGN if point in tables.PUNCTUATION else _LETTER


_KINDS = np.array([_kind(point) if point < 128 else _LETTER for point in range(256)], dtype=np.uint8)
_SMALL = np.array([ord(chr(b).lower()) if b < 128 else b for b in range(256)], dtype=np.uint8)
# The bytes of an 8-byte number that belong to a word of 0 to 16 bytes: in its first and its second number.
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=np.uint64)
_MASK_1 = _MASKS[np.minimum(np.arange(KEY_BYTES + 1), 8)]
_MASK_2 = _MASKS[np.maximum(np.arange(KEY_BYTES + 1) - 8, 0)]


class WordStore:
    """Gives words numbers, in the order in which they are met, and keeps their ids.

    Word n has ``pool[bounds[n] : bounds[n + 1]]``; both arrays have room to spare at their ends.

    Args:
        ids: piece -> id.
        unknown: the piece for words that cannot be cut, a key of ``ids``.
    """

    def __init__(self, ids: Mapping[str, int], unknown: str) -> None:
        self.ids = ids
        self.unknown = unknown
        self.forget()

    def __len__(self) -> int:
        return self._count

    def forget(self) -> None:
        """Start afresh."""
        self._count = 0
        self.numbers: dict[str, int] = {}  # of the words that came through `find`
        self.pool = np.zeros(1 << 16, dtype=np.int32)
        self.bounds = np.zeros(1 << 15, dtype=np.int64)

    def add(self, word: str) -> int:
        """Work out the ids of a word and return the number it gets: to be kept, nothing here finds it."""
        number, start = self._count, int(self.bounds[self._count])
        ids = [self.ids[piece] for piece in greedy_pieces(word, self.ids, self.unknown)]
        self.pool = _with_room(self.pool, start + len(ids))
        self.bounds = _with_room(self.bounds, number + 2)
        self.pool[start : start + len(ids)] = ids
        self.bounds[number + 1] = start + len(ids)
        self._count += 1
        return number

    def find(self, word: str) -> int:
        """Return the number of a word, which is added if it did not come this way before."""
        word = word[: MAX_WORD_CHARS + 1]  # longer ones are [UNK] all the same: do not keep them whole
        number = self.numbers.get(word)
        if number is None:
            number = self.numbers[word] = self.add(word)
        return number

    def word_ids(self, word: str) -> list[int]:
        """Return the ids of one normalised word."""
        number = self.find(word)
        return self.pool[self.bounds[number] : self.bounds[number + 1]].tolist()


def _with_room(numbers: np.ndarray, size: int) -> np.ndarray:
    """Return the array, or a copy of twice its length when it is shorter than ``size``.

    Doubling rarely moves it: memory that is moved often leaves gaps that nothing fits into.
    """
    if size <= len(numbers):
        return numbers
    return np.concatenate([numbers, np.zeros(max(len(numbers), size - len(numbers)), numbers.dtype)])


class LineEncoder:
    """Text to ids, many lines at a time; several threads may share one.

    Args:
        ids: piece -> id.
        unknown: the piece for words that cannot be cut, a key of ``ids``.
        lowercase: whether to lower-case and strip accents.
    """

    def __init__(self, ids: Mapping[str, int], *, unknown: str, lowercase: bool) -> None:
        self.table = CharTable(lowercase)
        self._store = WordStore(ids, unknown)
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        slots = (1 << SLOT_BITS) + PROBES
        self._key_1 = np.zeros(slots, dtype=np.uint64)  # 0 is a free slot: no word holds the byte 0
        self._key_2 = np.zeros(slots, dtype=np.uint64)
        self._number = np.zeros(slots, dtype=np.int32)
        self._store.forget()  # last: whenever Ctrl-C comes, no slot has a number that means another word

    def _make_room(self) -> None:
        """Forget all words when there are many, so that memory stays bounded; ids do not depend on it."""
        if len(self._store) > KEPT_WORDS:
            self._forget()

    def word_ids(self, word: str) -> list[int]:
        """Return the ids of one normalised word."""
        with self._lock:
            self._make_room()
            return self._store.word_ids(word)

    def encode(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        r"""Encode lines joined by ``"\n"``; blocks of about a megabyte go fastest.

        Returns:
            (n,) int32 ids of all lines, and (lines,) int64, how many ids each line has.
        """
        with self._lock:
            self._make_room()
            return self._encode(text)

    def _encode(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        data = self._bytes(text)
        starts, ends = find_words(data)
        numbers = self._look_up(data, starts, ends - starts)
        bounds = self._store.bounds
        sizes = bounds[numbers + 1] - bounds[numbers]
        totals = np.concatenate([[0], np.cumsum(sizes)])  # totals[w]: ids before word w
        sources = np.repeat(bounds[numbers] - totals[:-1], sizes) + np.arange(totals[-1])
        words_before = np.searchsorted(starts, np.flatnonzero(data == _LINE_END))
        counts = np.diff(totals[words_before], prepend=0, append=totals[-1])
        return self._store.pool[sources], counts

    def _bytes(self, text: str) -> np.ndarray:
        """Return the normalised text as UTF-8, with spare zeros at its end that reading keys may run into."""
        if not text.isascii():
            text = _FOREIGN.sub(lambda match: spaced(match[0], self.table), text)
        data = np.frombuffer(text.encode() + bytes(KEY_BYTES), dtype=np.uint8)
        dropped = _KINDS[data[:-KEY_BYTES]] == _DROPPED
        if dropped.any():
            data = data[np.concatenate([~dropped, np.ones(KEY_BYTES, dtype=bool)])]
        return _SMALL[data] if self.table.lowercase else data

    def _look_up(self, data: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the number of each word, (W,) int64.

        A word lies in its slot or, where others came first, in one of the next: whoever finds a free slot
        on the way takes it.
        """
        short = np.minimum(lengths, KEY_BYTES)
        eights = np.ndarray(len(data) - 7, dtype="<u8", buffer=data, strides=(1,))
        key_1 = eights[starts] & _MASK_1[short]
        key_2 = eights[starts + 8] & _MASK_2[short]
        slots = slots_of(key_1, key_2)
        numbers = np.empty(len(starts), dtype=np.int64)
        raw = data.tobytes()

        def ask(number_of: Callable[[str], int], words: np.ndarray) -> None:
            ends = starts[words] + lengths[words]
            spans = zip(starts[words].tolist(), ends.tolist(), strict=True)
            numbers[words] = [number_of(raw[start:end].decode()) for start, end in spans]

        rest = np.flatnonzero(lengths <= KEY_BYTES)
        for _ in range(PROBES):
            free = rest[self._key_1[slots[rest]] == 0]
            new = free[np.unique(slots[free], return_index=True)[1]]  # one newcomer for each free slot
            ask(self._store.add, new)
            self._number[slots[new]] = numbers[new]
            self._key_2[slots[new]] = key_2[new]
            self._key_1[slots[new]] = key_1[new]  # last: now the slots are taken
            here = slots[rest]
            found = (self._key_1[here] == key_1[rest]) & (self._key_2[here] == key_2[rest])
            numbers[rest] = self._number[here]
            rest = rest[~found]
            slots[rest] += 1
        ask(self._store.find, np.concatenate([rest, np.flatnonzero(lengths > KEY_BYTES)]))
        return numbers


def slots_of(key_1: np.ndarray, key_2: np.ndarray) -> np.ndarray:
    """Scatter words over the slots of the hash table (multiplying by odd numbers, keeping the top bits)."""
    mixed = (key_1 ^ key_2 * np.uint64(0xC2B2AE3D27D4EB4F)) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - SLOT_BITS)).astype(np.int64)


def find_words(data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the words of a text start and end: letters in a row, or one sign.

    Args:
        data: (N,) uint8, normalised UTF-8.

    Example:
        >>> find_words(np.frombuffer(b"well, no", dtype=np.uint8))
        (array([0, 4, 6]), array([4, 5, 8]))
    """
    kinds = _KINDS[data]
    sign = kinds == _SIGN
    letter = np.zeros(len(data) + 2, dtype=bool)
    letter[1:-1] = kinds == _LETTER
    starts = np.flatnonzero(sign | (letter[1:-1] & ~letter[:-2]))
    ends = np.flatnonzero(sign | (letter[1:-1] & ~letter[2:])) + 1
    return starts, ends
