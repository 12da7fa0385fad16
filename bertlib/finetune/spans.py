"""From scores of starts and ends to answers (Devlin et al. 2019, sections 4.2 and 4.3).

The score of the span from piece i to piece j is S·T_i + E·T_j, and j is never before i. "No answer" is the
span from [CLS] to [CLS]; it must win by a threshold, which is tuned on the development set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bertlib.errors import InputError
from bertlib.finetune.windows import most_context


class Span(NamedTuple):
    """The pieces ``first`` to ``last``, both included, of a context."""

    first: int
    last: int
    score: float


class Reading(NamedTuple):
    """What all windows on one context say together."""

    spans: list[Span]  # the best first; none if the context is empty
    null: float  # the score of no answer

    @property
    def difference(self) -> float:
        """How much better no answer is than the best answer."""
        return self.null - self.spans[0].score if self.spans else np.inf


class Threshold(NamedTuple):
    """Answer nothing where no answer is better by more than ``value``."""

    value: float
    score: float  # mean over the questions that it was tuned on


def best_spans(
    starts: np.ndarray, ends: np.ndarray, *, longest: int, count: int, allowed: np.ndarray | None = None
) -> list[Span]:
    """Return the spans with the highest scores, the best first; every span is looked at.

    Args:
        starts: (n,) score of each piece as the first.
        ends: (n,) score of each piece as the last.
        longest: most pieces of a span.
        count: most spans returned.
        allowed: (n,) booleans: where a span may begin; None: anywhere.

    Example:
        >>> best_spans(np.array([0.0, 5.0, 1.0]), np.array([9.0, 1.0, 2.0]), longest=2, count=2)
        [Span(first=0, last=0, score=9.0), Span(first=1, last=2, score=7.0)]
    """
    longest = min(longest, len(starts))
    if longest == 0:
        return []
    beyond = np.full(longest - 1, -np.inf)
    reach = np.lib.stride_tricks.sliding_window_view(np.concatenate([ends, beyond]), longest)
    scores = starts[:, None].astype(np.float64) + reach  # (n, longest): from i to i, i + 1, …
    if allowed is not None:
        scores[~allowed] = -np.inf
    flat = scores.ravel()
    top = np.argpartition(-flat, min(count, flat.size) - 1)[:count]
    top = top[np.lexsort((top, -flat[top]))]  # at a tie the earlier, then the shorter
    places = ((*divmod(place, longest), float(flat[place])) for place in top.tolist())
    return [Span(first, first + more, score) for first, more, score in places if score > -np.inf]


def read_windows(
    logits: Sequence[np.ndarray], asked: int, first: np.ndarray, size: np.ndarray, *, longest: int, count: int
) -> Reading:
    """Join what the windows on one context say.

    A span may begin only in the window that sees most around its first piece, so that each is judged once. No
    answer scores as low as in the window that believes in it least: one that finds the answer is enough.

    Args:
        logits: (T, 2) of each of the W rows, padding cut off.
        asked: pieces of [CLS] question [SEP].
        first: (W,) first piece of each window.
        size: (W,) pieces of each window.
        longest: most pieces of a span.
        count: most spans returned.
    """
    judge = most_context(first, size)
    found: list[Span] = []
    for number, (row, begin, pieces) in enumerate(zip(logits, first.tolist(), size.tolist(), strict=True)):
        starts, ends = row[asked : asked + pieces].T
        allowed = judge[begin : begin + pieces] == number
        spans = best_spans(starts, ends, longest=longest, count=count, allowed=allowed)
        found += [Span(span.first + begin, span.last + begin, span.score) for span in spans]
    found.sort(key=lambda span: (-span.score, span.first, span.last))
    null = min(float(row[0, 0]) + float(row[0, 1]) for row in logits)
    return Reading(found[:count], null)


def tune_threshold(differences: np.ndarray, answered: np.ndarray, silent: np.ndarray) -> Threshold:
    """Find the threshold with the best mean score, exactly (section 4.3).

    Only the differences themselves need to be tried: between two of them no decision changes. Sorted, one
    cumulative sum gives the score of every one, O(n log n) in all.

    Args:
        differences: (n,) score of no answer less that of the best answer, see :class:`Reading`.
        answered: (n,) what each question scores if it is answered: the F1 of its answer.
        silent: (n,) what it scores if it is not: 1 if there is no answer, else 0.

    Raises:
        InputError: no questions, or arrays of several lengths.

    Example:
        >>> tune_threshold(np.array([-2.0, 1.0, 3.0]), np.array([1, 1, 0]), np.array([0, 0, 1]))
        Threshold(value=1.0, score=1.0)
    """
    if not len(differences) == len(answered) == len(silent) != 0:
        raise InputError(
            f"{len(differences)} differences, {len(answered)} and {len(silent)} scores; expected as many of "
            "each, and at least one"
        )
    order = np.argsort(differences, kind="stable")
    ordered = np.asarray(differences, dtype=np.float64)[order]
    gains = (np.asarray(answered, dtype=np.float64) - silent)[order]
    totals = np.sum(silent) + np.concatenate([[0.0], np.cumsum(gains)])  # of answering the first 0, 1, … n
    totals[1:-1][ordered[1:] == ordered[:-1]] = -np.inf  # the same difference, the same decision
    best = int(np.argmax(totals))
    value = ordered[best - 1] if best else np.nextafter(ordered[0], -np.inf)
    return Threshold(float(value), float(totals[best] / len(ordered)))
