"""How good is a ranking? Where the right passage stands, and what that is worth on average."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from bertlib.errors import InputError

K = 60  # of reciprocal rank fusion, as in its paper


def ranks(found: Sequence[Sequence[int]] | np.ndarray, right: Sequence[Collection[int]]) -> list[int | None]:
    """Return the rank of the first right passage for each question, counted from 1; None: not found.

    Args:
        found: for each question the numbers of passages, best first.
        right: for each question the numbers of all passages that answer it.

    Raises:
        InputError: another number of questions, or none.

    Example:
        >>> ranks([[7, 3, 5], [1, 2, 4]], [{5, 3}, {9}])
        [2, None]
    """
    if len(found) != len(right) or not len(right):
        raise InputError(f"{len(found)} rankings for {len(right)} questions; expected as many, at least one")
    return [
        next((place for place, number in enumerate(row, start=1) if int(number) in wanted), None)
        for row, wanted in zip(found, right, strict=True)
    ]


def recall_at(k: int, places: Sequence[int | None]) -> float:
    """Return the share of questions whose first right passage is among the first ``k``.

    With one right passage a question this is recall; with several it is also called success or hit rate.
    """
    return sum(place is not None and place <= k for place in places) / len(places)


def mean_reciprocal_rank(places: Sequence[int | None]) -> float:
    """Return the mean of 1/rank, 0 where nothing was found (MRR; Voorhees 1999).

    Example:
        >>> mean_reciprocal_rank([1, 4, None])
        0.4166666666666667
    """
    return sum(0 if place is None else 1 / place for place in places) / len(places)


def fuse(rankings: Sequence[Sequence[int] | np.ndarray], *, k: int = K) -> list[tuple[int, float]]:
    """Join rankings of one question: each gives a passage 1 / (k + rank) (Cormack et al. 2009).

    Scores of words and of vectors cannot be added, their ranks can.

    Returns:
        (passage, score), best first; at a tie the one that was seen first.

    Example:
        >>> fuse([[5, 8], [8]], k=1)
        [(8, 0.8333333333333333), (5, 0.5)]
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for place, number in enumerate(ranking, start=1):
            scores[int(number)] = scores.get(int(number), 0.0) + 1 / (k + place)
    return sorted(scores.items(), key=lambda item: -item[1])


def blend(*scores: Sequence[float] | np.ndarray) -> np.ndarray:
    """Add scores of several kinds, (N,) each for the same N passages, none louder than another.

    Each kind is given mean 0 and spread 1 among these passages first. Unlike :func:`fuse`, it knows how far
    the best is ahead.

    Example:
        >>> blend([10, 30, 20], [0.1, 0.1, 0.4]).round(2)
        array([-1.93,  0.52,  1.41])
    """
    kinds = [np.asarray(kind, np.float64) for kind in scores]
    return np.sum([(kind - kind.mean()) / (kind.std() or 1) for kind in kinds], axis=0)
