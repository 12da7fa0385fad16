"""Groups of alike texts, found by their vectors alone: nobody says how a group is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bertlib.errors import InputError
from bertlib.finetune.metrics import library, same_length


class Groups(NamedTuple):
    """N texts in K groups."""

    numbers: np.ndarray  # (N,) the group of each text, counted from 0
    centres: np.ndarray  # (K, H) the mean vector of each group

    def typical(self, vectors: np.ndarray, group: int, *, top: int = 3) -> list[int]:
        """Return the numbers of the texts nearest to the centre of a group, nearest first."""
        members = np.flatnonzero(self.numbers == group)
        far = np.linalg.norm(vectors[members] - self.centres[group], axis=1)
        return members[np.argsort(far, kind="stable")[:top]].tolist()


def group_texts(vectors: np.ndarray, count: int, *, seed: int = 0) -> Groups:
    """Sort texts into ``count`` groups so that each is near the mean of its group (k-means).

    Args:
        vectors: (N, H), of length 1: then near means a large cosine, |a - b|^2 = 2 - 2 cos(a, b).
        count: K.
        seed: of the first centres; the best of ten beginnings is kept.

    Raises:
        InputError: more groups than texts, or none.
        MissingExtraError: scikit-learn is not installed.
    """
    if not 1 <= count <= len(vectors):
        raise InputError(f"{count} groups for {len(vectors)} texts; expected 1 to {len(vectors)}")
    found = library("sklearn.cluster").KMeans(count, n_init=10, random_state=seed).fit(vectors)
    return Groups(found.labels_, found.cluster_centers_)


def agreement(found: Sequence[int] | np.ndarray, wanted: Sequence[object]) -> float:
    """Return how well groups fit known classes: the adjusted Rand index.

    Of all pairs of texts, how many are together in both, or apart in both? 1: the same division, whatever the
    groups are called; about 0: chance.

    Raises:
        InputError: not as many groups as classes.
        MissingExtraError: scikit-learn is not installed.

    Example:
        >>> agreement([1, 1, 0, 0], ["sea", "sea", "farm", "farm"])
        1.0
    """
    same_length(list(found), wanted)
    names = np.unique([str(one) for one in wanted], return_inverse=True)[1]
    return float(library("sklearn.metrics").adjusted_rand_score(names, found))
