"""A context too long for the model is read through windows that overlap (google-research/bert, run_squad).

R windows belong to N questions; a row is ``[CLS] question [SEP] window [SEP]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bertlib.tokenizer import WordPieceTokenizer


class Windows(NamedTuple):
    """The windows of all questions, those of one question one after another; (R,) each."""

    question: np.ndarray  # whose window it is, 0 to N - 1
    first: np.ndarray  # the place in the context of its first piece
    size: np.ndarray  # its pieces

    def of(self, question: int) -> slice:
        """Return which windows are those of one question."""
        bounds = np.searchsorted(self.question, [question, question + 1])
        return slice(int(bounds[0]), int(bounds[1]))


def cut_windows(pieces: np.ndarray, rooms: np.ndarray, stride: int) -> Windows:
    """Lay windows over contexts: each begins ``stride`` pieces after the one before, until the end is seen.

    Args:
        pieces: (N,) of each context; an empty one gets an empty window.
        rooms: (N,) pieces that fit beside each question, at least 1.
        stride: where it is longer than a window, windows lie side by side and nothing is left out.

    Example:
        >>> cut_windows(np.array([10]), np.array([6]), stride=3)[1:]
        (array([0, 3, 6]), array([6, 6, 4]))
    """
    steps = np.minimum(stride, rooms)
    counts = 1 + -(-np.maximum(pieces - rooms, 0) // steps)  # rounded up
    question = np.repeat(np.arange(len(pieces)), counts)
    nth = np.arange(len(question)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = nth * steps[question]
    return Windows(question, first, np.minimum(pieces[question] - first, rooms[question]))


def most_context(first: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return for each piece of a context the window that sees most on both sides of it.

    A piece at a window's edge is hard to judge; so only one window may let an answer begin there: that with
    the most pieces on the poorer side, at a tie the longer, then the earlier window.

    Args:
        first: (W,) first piece of each window on one context.
        size: (W,) pieces of each.

    Returns:
        (P,) numbers of windows.

    Example:
        >>> most_context(np.array([0, 3]), np.array([6, 6])).tolist()
        [0, 0, 0, 0, 0, 1, 1, 1, 1]
    """
    place = np.arange(first[-1] + size[-1])
    left = place - first[:, None]  # (W, P)
    poorer = np.minimum(left, size[:, None] - 1 - left)  # below 0 outside the window
    return np.where(poorer >= 0, poorer + 0.01 * size[:, None], -1.0).argmax(0)


class Rows(NamedTuple):
    """Packed rows, one after another."""

    ids: np.ndarray  # (P,) int32
    lengths: np.ndarray  # (R,)
    firsts: np.ndarray  # (R,) pieces of [CLS] question [SEP]


def pack_windows(
    windows: Windows,
    questions: Sequence[np.ndarray],
    contexts: Sequence[np.ndarray],
    tokenizer: WordPieceTokenizer,
) -> Rows:
    """Write ``[CLS] question [SEP] window [SEP]`` for each window.

    Args:
        windows: on the contexts.
        questions: ids of the N questions.
        contexts: ids of their N contexts.
        tokenizer: knows the special tokens.
    """
    asked = np.array([len(ids) for ids in questions], dtype=np.int64)
    firsts = asked[windows.question] + 2
    lengths = firsts + windows.size + 1
    starts = np.cumsum(lengths) - lengths
    ids = np.full(lengths.sum(), tokenizer.sep_id, dtype=np.int32)
    ids[starts] = tokenizer.cls_id
    places = (column.tolist() for column in (*windows, starts, firsts))
    for question, first, size, start, after in zip(*places, strict=True):
        ids[start + 1 : start + after - 1] = questions[question]
        ids[start + after : start + after + size] = contexts[question][first : first + size]
    return Rows(ids, lengths, firsts)


def window_labels(windows: Windows, firsts: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Say where in its row each window's answer begins and ends; 0, which is [CLS], if it is not all there.

    Args:
        windows: R of them.
        firsts: (R,) pieces of [CLS] question [SEP].
        answers: (N, 2) first and last piece in the context, -1 where there is no answer.

    Returns:
        (R, 2) int64.
    """
    places = answers[windows.question] - windows.first[:, None]
    inside = (places[:, 0] >= 0) & (places[:, 1] < windows.size) & (answers[windows.question, 0] >= 0)
    return np.where(inside[:, None], places + firsts[:, None], 0)
