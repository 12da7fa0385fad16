"""Sentence pairs for questions about two sentences, cut from documents that lie end to end.

A corpus is one long row of tokens. ``sentence_ends[i]`` says where sentence i ends in it, and
``document_ends[k]`` how many sentences there are up to the end of document k. A pair is then four
numbers and a label: two stretches of the row. No text is copied until a batch is made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bertlib.errors import CorpusError

Ints = NDArray[np.int64]
NO_QUESTION = -100


class Pairs(NamedTuple):
    """One row of each array is one example; all are (number of pairs,)."""

    a_start: Ints  # first token of sentence A
    a_length: Ints
    b_start: Ints
    b_length: Ints  # 0: there is no B
    label: Ints  # 0 IsNext or in order, 1 NotNext or swapped, -100 no question asked

    def rows(self, index: NDArray[np.integer]) -> Pairs:
        """Return some of the pairs."""
        return Pairs(*(column[index] for column in self))


class Sentences(NamedTuple):
    """Where each sentence lies: tokens [start, end) of the row, sentences [first, last) of its document."""

    start: Ints
    end: Ints
    first: Ints
    last: Ints


def locate_sentences(sentence_ends: Ints, document_ends: Ints) -> Sentences:
    """Spell out the two lists of ends, sentence by sentence."""
    sizes = np.diff(document_ends, prepend=0)
    last = np.repeat(document_ends, sizes)
    start = np.concatenate([[0], sentence_ends[:-1]])
    return Sentences(start, np.asarray(sentence_ends), last - np.repeat(sizes, sizes), last)


def cut_chunks(
    sentences: Sentences,
    *,
    max_tokens: int,
    generator: np.random.Generator,
    short_share: float,
    overfill: bool = True,
) -> tuple[Ints, Ints]:
    """Cut each document into runs of whole sentences that fill a text, or overfill it a little.

    A share of the runs aims at a shorter length, so that fine-tuning on short texts is no surprise
    (``short_seq_prob`` of the released code).

    Args:
        sentences: where they lie.
        max_tokens: length of a run to aim at.
        generator: source of all choices.
        short_share: share of runs that aim at a shorter length.
        overfill: end a run with the sentence that fills it, which will have to be cut. Without, a run ends
            before that sentence, and only a sentence that is alone in its run can be too long.

    Returns:
        First sentence and end sentence of each run, both (number of runs,).
    """
    total = len(sentences.end)
    target = np.full(total, max_tokens)
    short = generator.random(total) < short_share
    target[short] = generator.integers(2, max_tokens + 1, size=int(short.sum()))
    # where the run would end if it began at sentence i, for every i at once
    if overfill:
        full = np.searchsorted(sentences.end, sentences.start + target) + 1
    else:
        fitting = np.searchsorted(sentences.end, sentences.start + target, side="right")
        full = np.maximum(fitting, np.arange(1, total + 1))
    following = np.minimum(full, sentences.last).tolist()
    begins = []
    at = 0
    while at < total:
        begins.append(at)
        at = following[at]
    starts = np.array(begins, dtype=np.int64)
    return starts, np.append(starts[1:], total)


def truncate_pair(a_length: Ints, b_length: Ints, max_tokens: int) -> tuple[Ints, Ints]:
    """Shorten the longer of the two until both fit: the released code's loop, in closed form."""
    a_room = np.maximum(max_tokens - b_length, (max_tokens + 1) // 2)
    b_room = np.maximum(max_tokens - a_length, max_tokens // 2)
    return np.minimum(a_length, a_room), np.minimum(b_length, b_room)


def make_nsp_pairs(
    sentence_ends: Ints,
    document_ends: Ints,
    *,
    max_tokens: int,
    generator: np.random.Generator,
    short_share: float = 0.1,
) -> Pairs:
    """Cut a corpus into pairs; in half of them B follows A, in half it comes from another document.

    Devlin et al. 2019, section 3.1, task 2, and appendix A.2. A run of sentences is cut in two at a
    random sentence. A run of one sentence has nothing to follow it and always gets a B from elsewhere;
    the others make up for that, so the label stays a fair coin.

    Args:
        sentence_ends: (S,) end of each sentence in the row of tokens, increasing.
        document_ends: (D,) number of sentences up to each document's end, increasing.
        max_tokens: room for A and B together, that is T - 3.
        generator: source of all choices.
        short_share: share of runs that aim at a shorter length.

    Returns:
        Pairs in corpus order. A is cut at its front and B at its back, so IsNext pairs still meet.

    Raises:
        CorpusError: fewer than two documents, or no room for two tokens.
    """
    _check(len(document_ends), max_tokens)
    sentences = locate_sentences(sentence_ends, document_ends)
    begin, end = cut_chunks(sentences, max_tokens=max_tokens, generator=generator, short_share=short_share)
    length = end - begin
    is_next = _fair_coin(length > 1, generator)
    cut = begin + 1 + (generator.random(len(begin)) * np.maximum(length - 1, 1)).astype(np.int64)
    cut = np.where(length > 1, cut, end)
    other = _sentence_elsewhere(sentences, begin, generator)

    a_start, a_end = sentences.start[begin], sentences.end[cut - 1]
    b_first = np.where(is_next, np.minimum(cut, len(sentences.end) - 1), other)
    b_start = sentences.start[b_first]
    document_end = sentences.end[sentences.last[b_first] - 1]
    b_end = np.where(is_next, sentences.end[end - 1], document_end)
    # B from elsewhere runs on to the end of its document or of the room, whichever comes first
    a_length, b_length = truncate_pair(a_end - a_start, np.minimum(b_end - b_start, max_tokens), max_tokens)
    return Pairs(a_end - a_length, a_length, b_start, b_length, np.where(is_next, 0, 1))


def make_sop_pairs(
    sentence_ends: Ints,
    document_ends: Ints,
    *,
    max_tokens: int,
    generator: np.random.Generator,
    short_share: float = 0.1,
) -> Pairs:
    """Cut a corpus into pairs of neighbouring stretches; in half of them the later one stands first.

    Sentence-order prediction (Lan et al. 2020, ALBERT, section 3.1). Both stretches come from one document,
    so their topic says nothing. They are whole sentences: were they cut to length, a phrase torn off at the
    end of A would betray the order. Nor does length: half of the documents are cut into runs from their
    back, as a run tends to begin with the long sentence that did not fit into the run before. A run of one
    sentence has no order; it becomes a text without B and without a question.

    Arguments as in :func:`make_nsp_pairs`; one document is enough.

    Returns:
        Pairs in corpus order; label 0 in order, 1 swapped, -100 without B.

    Raises:
        CorpusError: nowhere do two sentences of a document fit into a text.
    """
    sentences = locate_sentences(sentence_ends, document_ends)
    begin, end = _cut_from_either_side(
        sentences,
        np.asarray(document_ends),
        max_tokens=max_tokens,
        generator=generator,
        short_share=short_share,
    )
    asked = end - begin > 1
    if not asked.any():
        raise CorpusError(
            f"nowhere do two sentences of a document fit into {max_tokens} tokens, so there is no order to "
            "ask about: separate documents only by blank lines, take longer texts, or pairs=none"
        )
    cut = begin + 1 + (generator.random(len(begin)) * np.maximum(end - begin - 1, 1)).astype(np.int64)
    start, stop = sentences.start[begin], sentences.end[end - 1]
    middle = np.where(asked, sentences.end[cut - 1], np.minimum(stop, start + max_tokens))
    swapped = asked & (generator.random(len(begin)) < 0.5)
    later = np.where(asked, stop - middle, 0)
    return Pairs(
        a_start=np.where(swapped, middle, start),
        a_length=np.where(swapped, later, middle - start),
        b_start=np.where(swapped, start, np.where(asked, middle, 0)),
        b_length=np.where(swapped, middle - start, later),
        label=np.where(asked, swapped.astype(np.int64), NO_QUESTION),
    )


def make_single_texts(
    sentence_ends: Ints,
    document_ends: Ints,
    *,
    max_tokens: int,
    generator: np.random.Generator,
    short_share: float = 0.1,
) -> Pairs:
    """Cut a corpus into texts without a B, for pre-training without next sentence prediction.

    Arguments as in :func:`make_nsp_pairs`, with ``max_tokens`` = T - 2; one document is enough.
    """
    sentences = locate_sentences(sentence_ends, document_ends)
    begin, end = cut_chunks(sentences, max_tokens=max_tokens, generator=generator, short_share=short_share)
    start = sentences.start[begin]
    length = np.minimum(sentences.end[end - 1] - start, max_tokens)
    nothing = np.zeros_like(start)
    return Pairs(start, length, nothing, nothing, np.full_like(start, NO_QUESTION))


def _cut_from_either_side(
    sentences: Sentences,
    document_ends: Ints,
    *,
    max_tokens: int,
    generator: np.random.Generator,
    short_share: float,
) -> tuple[Ints, Ints]:
    """Cut documents into runs that do not overfill, one half of the documents back to front."""
    total = len(sentences.end)
    forth = cut_chunks(
        sentences, max_tokens=max_tokens, generator=generator, short_share=short_share, overfill=False
    )
    back = cut_chunks(
        _mirrored(sentences),
        max_tokens=max_tokens,
        generator=generator,
        short_share=short_share,
        overfill=False,
    )
    back = total - back[1], total - back[0]
    turned = generator.random(len(document_ends)) < 0.5  # by document
    runs = []
    for (begin, end), wanted in ((forth, ~turned), (back, turned)):
        document = np.searchsorted(document_ends, begin, side="right")
        runs.append(np.stack([begin, end])[:, wanted[document]])
    begin, end = np.concatenate(runs, axis=1)
    order = begin.argsort()
    return begin[order], end[order]


def _mirrored(sentences: Sentences) -> Sentences:
    """Look at a corpus from its end: the last sentence first, places counted from the back."""
    tokens, total = sentences.end[-1], len(sentences.end)
    start, end, first, last = (column[::-1] for column in sentences)
    return Sentences(tokens - end, tokens - start, total - last, total - first)


def _fair_coin(can_follow: NDArray[np.bool_], generator: np.random.Generator) -> NDArray[np.bool_]:
    """Say IsNext where possible, with the chance that makes it one half of all pairs (if it can be)."""
    chance = min(1.0, 0.5 * len(can_follow) / max(int(can_follow.sum()), 1))
    return can_follow & (generator.random(len(can_follow)) < chance)


def _sentence_elsewhere(sentences: Sentences, own: Ints, generator: np.random.Generator) -> Ints:
    """Draw, for each sentence of ``own``, a sentence of another document, all equally likely."""
    first, last = sentences.first[own], sentences.last[own]
    outside = len(sentences.end) - (last - first)
    draw = (generator.random(len(own)) * outside).astype(np.int64)
    return np.where(draw >= first, draw + (last - first), draw)  # step over the own document


def _check(documents: int, max_tokens: int) -> None:
    if documents < 2:
        raise CorpusError(
            f"the corpus has {documents} document; next sentence prediction takes half of its second "
            "sentences from another one: separate documents by a blank line, or go without (--no-nsp)"
        )
    if max_tokens < 2:
        raise CorpusError(
            f"max_tokens is {max_tokens}; expected room for one token of each sentence, at least 2"
        )
