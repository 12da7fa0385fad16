"""How fast does text become ids? Ours beside the ``tokenizers`` library, taking turns in one process.

Both work on one core with the same vocabulary and give the same ids, which is checked first. The library gets
lists of lines and no special tokens, and its results are left unread: making arrays of them would cost extra.
Time is processor time, all of it on one core, which other jobs on the machine disturb little.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path
from statistics import median

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from bertlib.bench.material import texts_or_stories, tokenizer_or_new
from bertlib.data.corpus import sample_texts
from bertlib.errors import CorpusError
from bertlib.tokenizer import WordPieceTokenizer

LIBRARY = "tokenizers"
NEW_WORDS = "bertlib, every word new at first"
KNOWN_WORDS = "bertlib, words seen before"
_BLOCK = 1_000_000  # characters


@dataclass(frozen=True, kw_only=True)
class TokenizeBench:
    """Medians over the rounds. Quote the ratios; the rates belong to this machine and moment."""

    megabytes: float  # of text (10^6 bytes of UTF-8)
    ascii_share: float  # of its characters
    vocab_size: int
    tokens: int
    differences: int  # lines whose ids are not the library's
    megabytes_per_s: dict[str, float]
    ratios: dict[str, float]  # time of the library / ours, median of the rounds' ratios
    spread: dict[str, tuple[float, float]]  # lowest and highest ratio of a round

    def lines(self) -> list[str]:
        """Draw the comparison as a small table."""
        head = (
            f"{self.megabytes:.1f} MB of text ({self.ascii_share:.1%} ASCII), {self.tokens:,} tokens, "
            f"vocabulary {self.vocab_size:,}, one core, processor time, medians of interleaved rounds"
        )
        rows = [f"{'':34}{'MB/s':>7}  ratio (lowest-highest)"]
        for name, rate in self.megabytes_per_s.items():
            low, high = self.spread.get(name, (1.0, 1.0))
            rows.append(f"{name:34}{rate:>7.1f}  {self.ratios.get(name, 1.0):5.2f} ({low:.2f}-{high:.2f})")
        return [head, *rows, f"lines with other ids than the library's: {self.differences}"]


def bench_texts(
    sources: Sequence[str] = (),
    saved: str | Path | None = None,
    *,
    megabytes: float = 2.0,
    rounds: int = 5,
    encoding: str = "utf-8",
    errors: str = "strict",
) -> TokenizeBench:
    """Measure on a sample of text files.

    Args:
        sources: as for :func:`bertlib.data.corpus.find_texts`; none: generated stories.
        saved: folder of a tokenizer, or a vocab.txt; None trains one.
        megabytes: size of the sample, which is spread over all files.
        rounds: turns of each side.
        encoding: of the text.
        errors: what to do with bytes that are no text.

    Raises:
        CorpusError: bad sources or encoding, no text.
        VocabularyError: no vocabulary, or too little text to learn one from.
    """
    with texts_or_stories(sources) as files:
        tokenizer = tokenizer_or_new(saved, files, encoding=encoding, errors=errors)
        texts = sample_texts(files, megabytes, encoding=encoding, errors=errors)
    return bench_tokenizing(_joined(texts), tokenizer, rounds=rounds)


def _joined(texts: Sequence[str]) -> list[str]:
    """Join blocks of whole lines to larger ones of about a million characters."""
    sizes = accumulate(map(len, texts))
    groups = groupby(zip(texts, sizes, strict=True), key=lambda pair: pair[1] // _BLOCK)
    return ["".join(text for text, _ in group) for _, group in groups]


def bench_tokenizing(
    texts: Sequence[str], tokenizer: WordPieceTokenizer, *, rounds: int = 5
) -> TokenizeBench:
    """Measure ``encode_lines`` with empty and with filled caches, and the library, in turn.

    Args:
        texts: blocks of whole lines, best of about a megabyte.
        tokenizer: whose vocabulary both sides use.
        rounds: turns of each side.

    Raises:
        CorpusError: no text.
    """
    characters = sum(map(len, texts))
    if not characters:
        raise CorpusError("there is no text to measure with; expected at least one line")
    library = their_tokenizer(tokenizer)
    split = [text.split("\n") for text in texts]
    differences, tokens = compare(texts, tokenizer, library)
    sides: dict[str, Callable[[], object]] = {
        LIBRARY: lambda: [library.encode_batch_fast(lines, add_special_tokens=False) for lines in split],
        NEW_WORDS: lambda: _encode(WordPieceTokenizer(tokenizer.vocab, lowercase=tokenizer.lowercase), texts),
        KNOWN_WORDS: lambda: _encode(tokenizer, texts),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    with one_core():
        for _ in range(rounds):
            for name, side in sides.items():
                began = time.process_time()
                side()
                seconds[name].append(time.process_time() - began)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    ratios = {
        name: sorted(a / b for a, b in zip(seconds[LIBRARY], seconds[name], strict=True))
        for name in (NEW_WORDS, KNOWN_WORDS)
    }
    return TokenizeBench(
        megabytes=megabytes,
        ascii_share=sum(len(text.encode("ascii", "ignore")) for text in texts) / characters,
        vocab_size=len(tokenizer),
        tokens=tokens,
        differences=differences,
        megabytes_per_s={name: megabytes / median(values) for name, values in seconds.items()},
        ratios={name: median(values) for name, values in ratios.items()},
        spread={name: (values[0], values[-1]) for name, values in ratios.items()},
    )


def their_tokenizer(tokenizer: WordPieceTokenizer) -> Tokenizer:
    """Return the library's BERT pipeline with the vocabulary of ours."""
    ids = {piece: number for number, piece in enumerate(tokenizer.vocab)}
    theirs = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    theirs.normalizer = normalizers.BertNormalizer(lowercase=tokenizer.lowercase)
    theirs.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return theirs


def compare(texts: Sequence[str], tokenizer: WordPieceTokenizer, library: Tokenizer) -> tuple[int, int]:
    """Return how many lines have other ids in the library, and how many tokens there are."""
    differences = tokens = 0
    for text in texts:
        ids, counts = tokenizer.encode_lines(text)
        tokens += len(ids)
        theirs = library.encode_batch_fast(text.split("\n"), add_special_tokens=False)
        ours = np.split(ids, np.cumsum(counts)[:-1])
        differences += sum(a.tolist() != b.ids for a, b in zip(ours, theirs, strict=True))
    return differences, tokens


@contextmanager
def one_core() -> Iterator[None]:
    """Keep the library from spreading its work over all cores."""
    name = "TOKENIZERS_PARALLELISM"
    before = os.environ.get(name)
    os.environ[name] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _encode(tokenizer: WordPieceTokenizer, texts: Sequence[str]) -> None:
    for text in texts:
        tokenizer.encode_lines(text)
