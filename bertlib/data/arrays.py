"""TokenCorpus: a corpus as three rows of numbers, read from disk only where they are needed.

===================  ===============  ========================================================
file                 type             content
===================  ===============  ========================================================
tokens-00000.bin ..  uint16 (or 32)   the ids of all word pieces, one after another, in shards
sentence_ends.bin    int64            for each sentence the number of tokens up to its end
document_ends.bin    int64            for each document the number of sentences up to its end
meta.json            JSON             counts, vocabulary, sources, shards; written last
===================  ===============  ========================================================

All numbers are little-endian. A folder with ``meta.json`` is complete; one without is not. It also holds the
length of each shard and a checksum of each file, so that a disk's or a person's slip is found before a BERT
learns from it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bertlib.data.shards import TokenArray, join_shards
from bertlib.errors import CorpusError

FORMAT = "bertlib corpus 3"
SENTENCE_ENDS, DOCUMENT_ENDS = "sentence_ends.bin", "document_ends.bin"
META, PROGRESS = "meta.json", "progress.json"


class Vocabulary(Protocol):
    """What is compared of a tokenizer; WordPieceTokenizer has it."""

    vocab: list[str]
    lowercase: bool


def token_type(vocab_size: int) -> np.dtype:
    """Return the type for ids below ``vocab_size``: two bytes up to 65,536 word pieces, else four."""
    return np.dtype("<u2" if vocab_size <= 2**16 else "<u4")


def vocabulary_hash(tokenizer: Vocabulary) -> str:
    """Return a fingerprint (SHA-256) of the word pieces, their order and the treatment of capitals."""
    text = "\n".join([f"lowercase={bool(tokenizer.lowercase)}", *tokenizer.vocab])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenCorpus:
    """Documents of sentences of word piece ids, in one row.

    Example:
        >>> corpus = TokenCorpus.from_documents([[[7, 8], [9]], [[5, 6, 7]]], vocab_size=10)
        >>> corpus.tokens.tolist(), corpus.sentence_ends.tolist(), corpus.document_ends.tolist()
        ([7, 8, 9, 5, 6, 7], [2, 3, 6], [2, 3])
    """

    tokens: TokenArray  # (number of tokens,) uint16 or uint32
    sentence_ends: np.ndarray  # (number of sentences,) int64
    document_ends: np.ndarray  # (number of documents,) int64
    vocab_size: int
    vocabulary: str | None = None  # vocabulary_hash of the tokenizer
    folder: Path | None = None  # None: in memory

    @property
    def num_tokens(self) -> int:
        """Word pieces in all."""
        return len(self.tokens)

    @property
    def num_sentences(self) -> int:
        """Sentences in all."""
        return len(self.sentence_ends)

    @property
    def num_documents(self) -> int:
        """Documents in all."""
        return len(self.document_ends)

    @property
    def num_one_sentence_documents(self) -> int:
        """Documents that cannot give a sentence and the one that follows it."""
        return int(np.count_nonzero(np.diff(self.document_ends, prepend=0) == 1))

    @property
    def meta(self) -> dict[str, Any]:
        """What meta.json says: sources, counts, what was left out. Empty for a corpus in memory."""
        return {} if self.folder is None else read_json(self.folder / META)

    def sentence(self, i: int) -> np.ndarray:
        """Return the ids of sentence ``i``, (its length,); a view, unless it lies in two shards.

        Raises:
            IndexError: there is no such sentence.
        """
        first, last = _bounds(self.sentence_ends, i, "sentence")
        return np.asarray(self.tokens[first:last])

    def document(self, i: int) -> list[np.ndarray]:
        """Return the sentences of document ``i``, as :meth:`sentence` does.

        Raises:
            IndexError: there is no such document.
        """
        first, last = _bounds(self.document_ends, i, "document")
        return [self.sentence(s) for s in range(first, last)]

    @classmethod
    def from_documents(cls, documents: Sequence[Sequence[Sequence[int]]], vocab_size: int) -> TokenCorpus:
        """Build a corpus in memory from documents of sentences of ids.

        Raises:
            CorpusError: an empty sentence or document, an id outside the vocabulary.
        """
        sentences = [sentence for document in documents for sentence in document]
        if not all(map(len, documents)) or not all(map(len, sentences)):
            raise CorpusError(
                "a document without sentences or a sentence without tokens was given; leave it out"
            )
        ids = np.array([token for sentence in sentences for token in sentence], dtype=np.int64)
        if len(ids) and not 0 <= ids.min() <= ids.max() < vocab_size:
            raise CorpusError(f"ids run from {ids.min()} to {ids.max()}; expected 0 to {vocab_size - 1}")
        return cls(
            tokens=ids.astype(token_type(vocab_size)),
            sentence_ends=np.cumsum([len(sentence) for sentence in sentences], dtype=np.int64),
            document_ends=np.cumsum([len(document) for document in documents], dtype=np.int64),
            vocab_size=vocab_size,
        )

    @classmethod
    def load(cls, folder: str | Path, *, check: bool = True) -> TokenCorpus:
        """Open a folder written by :func:`bertlib.data.prepare_corpus`; the arrays stay on disk.

        Args:
            folder: the one given as ``out``.
            check: read all files once to compare checksums (about a second for a gigabyte); the sizes are
                compared anyway.

        Raises:
            CorpusError: no corpus there, an unfinished one, a file cut short or altered (named).
        """
        folder = Path(folder)
        if not (folder / META).exists():
            raise CorpusError(_why_no_corpus(folder))
        meta = read_json(folder / META)
        if meta.get("format") != FORMAT:
            raise CorpusError(
                f"{folder / META} says format {meta.get('format')!r}; expected {FORMAT!r}: prepare again"
            )
        try:
            sums = meta["checksums"]
            corpus = cls(
                tokens=_open_shards(folder, meta),
                sentence_ends=_open(folder / SENTENCE_ENDS, np.dtype("<i8"), meta["num_sentences"], sums),
                document_ends=_open(folder / DOCUMENT_ENDS, np.dtype("<i8"), meta["num_documents"], sums),
                vocab_size=meta["vocab_size"],
                vocabulary=meta["vocabulary"],
                folder=folder,
            )
            for name, checksum in sums.items() if check else ():
                _check(folder / name, checksum)
        except KeyError as missing:
            raise CorpusError(
                f"{folder / META} was altered: {missing} is missing; delete {folder} and prepare again"
            ) from None
        return corpus

    def check_tokenizer(self, tokenizer: Vocabulary) -> None:
        """Make sure that the ids of this corpus are word pieces of ``tokenizer``.

        Raises:
            CorpusError: the corpus was prepared with another vocabulary.
        """
        if len(tokenizer.vocab) != self.vocab_size:
            difference = f"{self.vocab_size:,} word pieces, this tokenizer has {len(tokenizer.vocab):,}"
        elif self.vocabulary not in (None, vocabulary_hash(tokenizer)):
            difference = "other word pieces or another treatment of capitals than this tokenizer has"
        else:
            return
        raise CorpusError(
            f"{self.folder or 'the corpus'} was prepared with {difference}; prepare it again with this one"
        )

    def __str__(self) -> str:
        text = (
            f"{_counted(self.num_tokens, 'token')} in {_counted(self.num_sentences, 'sentence')} and "
            f"{_counted(self.num_documents, 'document')}, vocabulary of {self.vocab_size:,}"
        )
        return text + _about_lonely(self.num_one_sentence_documents, self.num_documents)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a corpus folder.

    Raises:
        CorpusError: it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{path} cannot be read ({error}); delete the folder and prepare the corpus again"
        ) from None


def _counted(number: int, thing: str) -> str:
    """Return "1 sentence" or "2 sentences"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _about_lonely(lonely: int, documents: int) -> str:
    """Say what documents of one sentence mean for next sentence prediction."""
    if not lonely:
        return ""
    if lonely == documents:
        return (
            "; no document has a second sentence, so next sentence prediction has nothing to learn from: "
            "put blank lines between documents only, or pre-train without it (--no-nsp)"
        )
    have = "document has" if lonely == 1 else "documents have"
    return f"; {lonely:,} {have} one sentence only, so no next one to ask about"


def _bounds(ends: np.ndarray, i: int, what: str) -> tuple[int, int]:
    if not 0 <= i < len(ends):
        raise IndexError(f"{what} {i} of {len(ends):,}; they are numbered from 0")
    return (int(ends[i - 1]) if i else 0), int(ends[i])


def _open(path: Path, dtype: np.dtype, length: int, checksums: dict[str, int]) -> np.ndarray:
    """Map one array into memory, after a look at its size."""
    size = path.stat().st_size if path.exists() else 0
    if size != length * dtype.itemsize:
        raise CorpusError(
            f"{path} has {size:,} bytes; expected {length * dtype.itemsize:,} for {length:,} numbers, "
            f"checksum {checksums[path.name]:08x}: it was cut short or replaced, delete {path.parent} and "
            "prepare the corpus again"
        )
    return np.memmap(path, dtype=dtype, mode="r", shape=(length,))


def _open_shards(folder: Path, meta: dict[str, Any]) -> TokenArray:
    """Map the shards of the index into memory as one row."""
    dtype, lengths = token_type(meta["vocab_size"]), meta["shards"]
    if sum(lengths.values()) != meta["num_tokens"]:
        raise CorpusError(
            f"{folder / META} was altered: its shards hold {sum(lengths.values()):,} tokens, expected "
            f"{meta['num_tokens']:,}; delete {folder} and prepare again"
        )
    return join_shards(
        [_open(folder / name, dtype, length, meta["checksums"]) for name, length in lengths.items()]
    )


def _check(path: Path, checksum: int) -> None:
    """Compare the content of a file with the CRC-32 that was noted when it was written."""
    found = 0
    with open(path, "rb") as file:
        while data := file.read(2**17):
            found = zlib.crc32(data, found)
    if found != checksum:
        raise CorpusError(
            f"{path} is not what was written: its checksum is {found:08x}, expected {checksum:08x}; "
            f"delete {path.parent} and prepare the corpus again"
        )


def _why_no_corpus(folder: Path) -> str:
    if (folder / PROGRESS).exists():
        return f"the corpus in {folder} is not finished; prepare it again, it goes on where it stopped"
    return f"there is no prepared corpus in {folder} (no {META}); make one with `bertlib corpus prepare`"
