"""What every ancestor reads: rows of ids, each with a mark at either end.

The first mark is given, every other id is asked for, the last mark among them: a model must also know when
to stop. So all left-to-right models are asked the same questions, and their perplexities can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bertlib.errors import CorpusError, InputError
from bertlib.tokenizer import WordPieceTokenizer

Corpus = Sequence[np.ndarray]  # rows of whole numbers, (their length,), at least two each


def read_texts(
    texts: Iterable[str], tokenizer: WordPieceTokenizer, *, longest: int = 128
) -> list[np.ndarray]:
    """Turn texts into rows [CLS] … [SEP]; longer ones are cut into several.

    Args:
        texts: sentences or whole documents; what a text is decides how far back a model can look.
        tokenizer: its vocabulary is the one that all models share.
        longest: ids in a row at most, the two marks included.

    Raises:
        CorpusError: there is no text.
        InputError: ``longest`` leaves no room for a word between the marks.
    """
    if longest < 3:
        raise InputError(f"longest is {longest}; expected at least 3: two marks and a word")
    lines = [" ".join(text.split()) for text in texts]
    ids, lengths = tokenizer.encode_lines("\n".join(lines))
    rows = []
    for text in np.split(ids, np.cumsum(lengths)[:-1]):
        for start in range(0, len(text), longest - 2):
            words = text[start : start + longest - 2]
            rows.append(np.concatenate(([tokenizer.cls_id], words, [tokenizer.sep_id])))
    check_corpus(rows, len(tokenizer))
    return rows


def check_corpus(corpus: Corpus, vocab_size: int) -> None:
    """Refuse what no model here can read.

    Raises:
        CorpusError: no rows.
        InputError: a row without a second id, or an id outside the vocabulary.
    """
    if not len(corpus):
        raise CorpusError("the corpus is empty; expected at least one row of ids")
    for number, row in enumerate(corpus):
        check_ids(row, vocab_size, least=2, name=f"row {number}")


def check_ids(ids: Sequence[int] | np.ndarray, vocab_size: int, *, least: int, name: str) -> None:
    """Refuse a row that is too short, or no row of ids.

    Raises:
        InputError: fewer than ``least`` ids, other than whole numbers in one row, one outside the vocabulary.
    """
    row = np.asarray(ids)
    if row.ndim != 1 or len(row) < least or not np.issubdtype(row.dtype, np.integer):
        raise InputError(
            f"{name} is an array of {row.dtype} with shape {row.shape}; expected at least {least} whole "
            "numbers in one row, the marks of beginning and end included"
        )
    if row.min() < 0 or row.max() >= vocab_size:
        wrong = row.min() if row.min() < 0 else row.max()
        raise InputError(f"{name} has the id {wrong}; expected 0 to {vocab_size - 1}")


def asked(corpus: Corpus) -> int:
    """Count the ids that a left-to-right model is asked for: all but the first of each row."""
    return sum(len(row) - 1 for row in corpus)
