"""WordPieceTokenizer: text to ids and back, as BERT does it (paper, section 3, input representations)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from operator import index
from pathlib import Path

import numpy as np

from bertlib.errors import InputError
from bertlib.tokenizer.decode import join_pieces
from bertlib.tokenizer.encoding import Encoding, EncodingBatch, Piece, pack, truncate_pair
from bertlib.tokenizer.fast import LineEncoder
from bertlib.tokenizer.merges import Score
from bertlib.tokenizer.normalize import align, spaced
from bertlib.tokenizer.pieces import INNER, SPECIAL_TOKENS
from bertlib.tokenizer.train import Engine, count_words, learn_vocabulary
from bertlib.tokenizer.vocabulary import (
    CONFIG_FILE,
    VOCAB_FILE,
    check_vocabulary,
    read_lowercase,
    read_vocabulary,
    write_vocabulary,
)

_SPECIAL = re.compile("(" + "|".join(map(re.escape, SPECIAL_TOKENS)) + ")")


class WordPieceTokenizer:
    """BERT's tokeniser; ids, offsets and masks equal those of the ``tokenizers`` library's BERT pipeline.

    Special tokens written out in a text: :meth:`tokenize`, :meth:`encode`, :meth:`encode_pair` and
    :meth:`encode_batch` keep ``[MASK]`` as the one id it is (one wants to type a blank to be filled);
    ``allow_special=False`` treats it as three words. :meth:`encode_lines` and :meth:`words_to_ids` prepare
    corpora and never do, unless told: letters in a corpus must not become special ids.

    Attributes:
        vocab: the pieces; the position of a piece is its id.
        lowercase: whether text is lower-cased and loses its accents ("uncased").
        pad_id: id of [PAD]; likewise ``unk_id``, ``cls_id``, ``sep_id``, ``mask_id``. They are looked up, so
            the vocabularies of the released BERTs work as well; :meth:`train` makes them 0 to 4.

    Raises:
        VocabularyError: a special token is missing, a piece is no line of text or stands there twice.

    Example:
        >>> tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, "play", "##ing"])
        >>> tokenizer.tokenize("Playing")
        ['play', '##ing']
    """

    def __init__(self, vocab: Sequence[str], *, lowercase: bool = True) -> None:
        self.vocab = check_vocabulary(vocab)
        self.lowercase = lowercase
        ids = {piece: number for number, piece in enumerate(self.vocab)}
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = (ids[t] for t in SPECIAL_TOKENS)
        self._ids = ids
        self._lines = LineEncoder(ids, unknown="[UNK]", lowercase=lowercase)

    def __len__(self) -> int:
        return len(self.vocab)

    def __repr__(self) -> str:
        return f"WordPieceTokenizer({len(self):,} pieces, {'uncased' if self.lowercase else 'cased'})"

    def __getstate__(self) -> tuple[list[str], bool]:
        """Travel to another process without the caches."""
        return self.vocab, self.lowercase

    def __setstate__(self, state: tuple[list[str], bool]) -> None:
        self.__init__(state[0], lowercase=state[1])  # type: ignore[misc]

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        *,
        lowercase: bool = True,
        min_frequency: int = 2,
        score: Score = "frequency",
        engine: Engine = "auto",
        progress: bool = True,
    ) -> WordPieceTokenizer:
        """Learn a vocabulary from texts; [PAD] [UNK] [CLS] [SEP] [MASK] get the ids 0 to 4.

        Args:
            texts: lines, documents, whatever is at hand; read once.
            vocab_size: pieces wanted, special tokens included.
            lowercase: lower-case and strip accents first.
            min_frequency: the least count of a character or pair worth a place.
            score: which pair to merge first, see :func:`bertlib.tokenizer.pair_score`.
            engine: who merges, see :func:`bertlib.tokenizer.learn_vocabulary` (which also compares scores).
            progress: show bars when it takes longer.

        Raises:
            VocabularyError: no text, or ``vocab_size`` is smaller than the alphabet.
            InputError: ``texts`` is a single str, or an option is none.
        """
        words = count_words(texts, lowercase=lowercase, progress=progress)
        vocab = learn_vocabulary(
            words, vocab_size, min_frequency=min_frequency, score=score, engine=engine, progress=progress
        )
        return cls(vocab, lowercase=lowercase)

    @classmethod
    def load(cls, path: str | Path, *, lowercase: bool | None = None) -> WordPieceTokenizer:
        """Read a folder with ``vocab.txt`` (and ``tokenizer_config.json``), or the ``vocab.txt`` itself.

        Args:
            path: the folder or file.
            lowercase: overrides the configuration; without either it is True.

        Raises:
            VocabularyError: no such file, not UTF-8, or not a vocabulary.
        """
        path = Path(path)
        file = path / VOCAB_FILE if path.is_dir() else path
        if lowercase is None:
            lowercase = read_lowercase(file.with_name(CONFIG_FILE))
        return cls(read_vocabulary(file), lowercase=True if lowercase is None else lowercase)

    def save(self, folder: str | Path) -> Path:
        """Write ``vocab.txt`` and ``tokenizer_config.json``, which the ``transformers`` library reads too.

        Raises:
            BertlibError: the folder cannot be written.
        """
        write_vocabulary(Path(folder), self.vocab, lowercase=self.lowercase)
        return Path(folder)

    def tokenize(self, text: str, *, allow_special: bool = True) -> list[str]:
        """Return the pieces of a text, without [CLS] and [SEP]."""
        return [self.vocab[piece] for piece in self.words_to_ids(text, allow_special=allow_special)]

    def words_to_ids(self, text: str, *, allow_special: bool = False) -> list[int]:
        """Return the ids of a text, without [CLS] and [SEP], and with no special token unless allowed."""
        ids: list[int] = []
        for part, _ in self._segments(text, allow_special):
            special = self._special_id(part, allow_special)
            if special is not None:
                ids.append(special)
                continue
            for word in spaced(part, self._lines.table).split():
                ids += self._lines.word_ids(word)
        return ids

    def encode_lines(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        r"""Encode a block of lines joined by ``"\n"``, fast: what corpora are prepared with.

        Special tokens written out in the text are words like any other.

        Returns:
            (n,) int32 ids of all lines together, and (lines,) int64 number of ids of each of the
            ``text.count("\n") + 1`` lines.

        Raises:
            InputError: not a str.
        """
        return self._lines.encode(_checked(text))

    def encode(self, text: str, *, max_length: int | None = None, allow_special: bool = True) -> Encoding:
        """Encode one text: [CLS] text [SEP], cut to ``max_length`` tokens, the two included.

        Raises:
            InputError: not a str, or no room for [CLS] and [SEP].
        """
        pieces = self._pieces(text, allow_special)
        return self._pack([pieces[: _room(max_length, special=2)]])

    def encode_pair(
        self, first: str, second: str, *, max_length: int | None = None, allow_special: bool = True
    ) -> Encoding:
        """Encode two texts: [CLS] first [SEP] second [SEP].

        When they are too long for ``max_length`` tokens, the three included, the longer text loses pieces
        from its end, one by one, at a tie the second (google-research/bert).

        Raises:
            InputError: not a str, or no room for the three.
        """
        pieces = self._pieces(first, allow_special), self._pieces(second, allow_special)
        room = _room(max_length, special=3)
        return self._pack(pieces if room is None else truncate_pair(*pieces, room))

    def encode_batch(
        self,
        texts: Iterable[str | tuple[str, str]],
        *,
        max_length: int | None = None,
        pad: bool = True,
        allow_special: bool = True,
    ) -> EncodingBatch:
        """Encode texts, or pairs of texts as tuples; ``pad`` fills all up to the longest with [PAD].

        Raises:
            InputError: a single str, or an element that is neither a str nor a pair.
        """
        if isinstance(texts, str):
            raise InputError("texts is one str; expected several: use encode for a single text")
        encodings = []
        for item in texts:
            if isinstance(item, (tuple, list)) and len(item) == 2:
                encoding = self.encode_pair(*item, max_length=max_length, allow_special=allow_special)
            else:
                encoding = self.encode(item, max_length=max_length, allow_special=allow_special)
            encodings.append(encoding)
        longest = max(map(len, encodings), default=0) if pad else 0
        return EncodingBatch(tuple(encoding.padded(longest, pad_id=self.pad_id) for encoding in encodings))

    def decode(self, ids: Iterable[int], *, skip_special: bool = True) -> str:
        """Return readable text; see :func:`bertlib.tokenizer.decode.join_pieces` for what is tidied.

        Args:
            ids: numbers, or an array or tensor of them.
            skip_special: leave out [PAD] [CLS] [SEP] [MASK]; [UNK] stays, it stands for a word of the text.

        Raises:
            InputError: an id outside the vocabulary, or no row of whole numbers.
        """
        hidden = {self.pad_id, self.cls_id, self.sep_id, self.mask_id} if skip_special else set()
        try:
            numbers = [index(number) for number in ids]
        except TypeError:
            raise InputError(
                "ids must be whole numbers in one row, as a list or a 1-d array or tensor"
            ) from None
        wrong = [number for number in numbers if not 0 <= number < len(self)]
        if wrong:
            raise InputError(f"id {wrong[0]} is outside the vocabulary; expected 0 to {len(self) - 1}")
        return join_pieces(self.vocab[number] for number in numbers if number not in hidden)

    def _pack(self, segments: Sequence[list[Piece]]) -> Encoding:
        return pack(segments, self.vocab, cls_id=self.cls_id, sep_id=self.sep_id)

    def _segments(self, text: str, allow_special: bool) -> Iterator[tuple[str, int]]:
        """Yield the stretches between special tokens, and those themselves, each with its position."""
        start = 0
        for part in _SPECIAL.split(_checked(text)) if allow_special else [_checked(text)]:
            yield part, start
            start += len(part)

    def _special_id(self, part: str, allow_special: bool) -> int | None:
        return self._ids[part] if allow_special and part in SPECIAL_TOKENS else None

    def _pieces(self, text: str, allow_special: bool) -> list[Piece]:
        """Return the pieces of a text with their places in it."""
        pieces: list[Piece] = []
        for part, start in self._segments(text, allow_special):
            special = self._special_id(part, allow_special)
            if special is None:
                pieces += self._place(part, start)
            else:
                pieces.append(Piece(special, start, start + len(part)))
        return pieces

    def _place(self, text: str, shift: int) -> Iterator[Piece]:
        """Yield the pieces of a stretch of plain text that begins at ``shift``."""
        normal, sources = align(text, self._lines.table)
        for word in re.finditer(r"\S+", normal):
            start = word.start()
            for piece in self._lines.word_ids(word[0]):
                inner = len(INNER) if start > word.start() else 0
                end = word.end() if piece == self.unk_id else start + len(self.vocab[piece]) - inner
                yield Piece(piece, sources[start] + shift, sources[end - 1] + 1 + shift)
                start = end


def _checked(text: str) -> str:
    if not isinstance(text, str):
        raise InputError(f"text is a {type(text).__name__}; expected str")
    return text


def _room(max_length: int | None, *, special: int) -> int | None:
    """Return how many pieces of text fit beside the special tokens."""
    if max_length is not None and max_length < special:
        raise InputError(
            f"max_length is {max_length}; expected at least {special}, for [CLS] and [SEP] alone"
        )
    return None if max_length is None else max_length - special
