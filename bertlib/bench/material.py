"""What the benches of text use when nothing is given: stories, and a vocabulary trained on the spot."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bertlib.data.corpus import sample_texts
from bertlib.data.story import write_corpus
from bertlib.tokenizer import WordPieceTokenizer

STORY_MB = 5.0
VOCAB_SIZE = 8_192
_SAMPLE_MB = 5.0  # to learn a vocabulary from


@contextmanager
def texts_or_stories(sources: Sequence[str]) -> Iterator[list[str]]:
    """Lend the sources, or where there are none a file of stories, which is removed afterwards."""
    if sources:
        yield list(sources)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield [str(write_corpus(Path(folder) / "stories.txt", megabytes=STORY_MB, seed=0))]


def tokenizer_or_new(
    saved: str | Path | None, sources: Sequence[str], *, encoding: str = "utf-8", errors: str = "strict"
) -> WordPieceTokenizer:
    """Load a tokenizer, or train one of 8,192 word pieces on a sample of the sources.

    Args:
        saved: folder of a tokenizer, or a vocab.txt; None to train one.
        sources: text to learn from.
        encoding: of the text.
        errors: what to do with bytes that are no text.

    Raises:
        VocabularyError: what was saved is no vocabulary, or the sources hold too little text to learn from.
        CorpusError: as :func:`sample_texts`.
    """
    if saved is not None:
        return WordPieceTokenizer.load(saved)
    texts = sample_texts(sources, _SAMPLE_MB, encoding=encoding, errors=errors)
    return WordPieceTokenizer.train(texts, VOCAB_SIZE, progress=False)
