"""Setting text aside before training, so that the exam has questions nobody has seen."""

from __future__ import annotations

import dataclasses

import numpy as np

from bertlib.data.arrays import TokenCorpus
from bertlib.errors import CorpusError

ENOUGH_DOCUMENTS = 20  # from here on whole documents are set aside, below it the last sentences


def hold_out(corpus: TokenCorpus, *, share: float = 0.02) -> tuple[TokenCorpus, TokenCorpus]:
    """Split off the end of a corpus: about ``share`` of its tokens, whole documents where there are enough.

    Returns:
        The corpus to train on and the one to test on. No text is copied.

    Raises:
        CorpusError: too little text to spare any, or a share outside (0, 1).
    """
    if not 0 < share < 1:
        raise CorpusError(f"the held-out share is {share}; expected a number between 0 and 1, such as 0.02")
    ends = np.asarray(corpus.document_ends)
    cut = int(np.searchsorted(corpus.sentence_ends, corpus.num_tokens * (1 - share)))
    if len(ends) >= ENOUGH_DOCUMENTS:
        before = min(int(np.searchsorted(ends, cut, side="right")), len(ends) - 2)
        cut = int(ends[max(before, 1) - 1])
    cut = min(cut, corpus.num_sentences - 1)
    if cut < 1:
        raise CorpusError(
            f"the corpus has {corpus.num_sentences} sentence; at least two are needed, one to learn from and "
            "one to be tested on: give it more text"
        )
    token = int(corpus.sentence_ends[cut - 1])
    train = dataclasses.replace(
        corpus,
        tokens=corpus.tokens[:token],
        sentence_ends=corpus.sentence_ends[:cut],
        document_ends=np.append(ends[ends < cut], cut),
    )
    valid = dataclasses.replace(
        corpus,
        tokens=corpus.tokens[token:],
        sentence_ends=np.asarray(corpus.sentence_ends[cut:]) - token,
        document_ends=ends[ends > cut] - cut,
    )
    return train, valid
