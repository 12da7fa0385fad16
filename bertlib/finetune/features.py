"""Examples as numbers: all rows in a few flat arrays, so that a hundred thousand of them are no burden.

A *row* is one packed sequence, ``[CLS] A [SEP]`` or ``[CLS] A [SEP] B [SEP]``. An example has one row, or
several: a row a choice, or a row a window of a long text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from bertlib.errors import InputError
from bertlib.objectives import IGNORED

BUCKET = 50  # batches whose rows are sorted by length together: little padding, yet another mix each epoch


@dataclass(frozen=True, kw_only=True)
class Features:
    """N rows of P pieces in all.

    Attributes:
        ids: (P,) int32, the rows one after another, special tokens included.
        starts: (N + 1,) int64; row i is ``ids[starts[i]:starts[i + 1]]``.
        firsts: (N,) int32, pieces of ``[CLS] A [SEP]``; the rest of the row is B.
        labels: by the name of the head's argument: (N,) or (N, k) for rows, (P,) for pieces; with choices
            (N / choices,). Empty where nobody knows.
        choices: rows that belong together, one after another, and are judged as one; 1: each for itself.
        pad_id: what fills up a batch.
    """

    ids: np.ndarray
    starts: np.ndarray
    firsts: np.ndarray
    pad_id: int
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    choices: int = 1

    def __len__(self) -> int:
        """Return how many things are judged: rows, or groups of choices."""
        return (len(self.starts) - 1) // self.choices

    @property
    def lengths(self) -> np.ndarray:
        """(N,) pieces of each row; of the longest row, where rows are choices."""
        return np.diff(self.starts).reshape(-1, self.choices).max(1)

    def row(self, number: int) -> np.ndarray:
        """Return the ids of one row."""
        return self.ids[self.starts[number] : self.starts[number + 1]]

    def batch(self, chosen: np.ndarray) -> dict[str, Tensor]:
        """Pack so many of them into tensors named as the head's arguments.

        Args:
            chosen: (B,) numbers below ``len(self)``.

        Returns:
            ``input_ids``, ``attention_mask`` and ``token_type_ids`` (B, T), with choices (B, C, T), T being
            the longest row; and the labels, those of pieces filled up with -100.
        """
        rows = (np.asarray(chosen)[:, None] * self.choices + np.arange(self.choices)).ravel()
        starts, lengths = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        place = np.arange(lengths.max())
        real = place < lengths[:, None]  # (rows, T)
        where = np.where(real, starts[:, None] + place, 0)
        ids = np.where(real, self.ids[where], self.pad_id)
        second = real & (place >= self.firsts[rows][:, None])
        shape = (-1, len(place)) if self.choices == 1 else (len(chosen), self.choices, len(place))
        batch = {
            "input_ids": torch.from_numpy(ids.astype(np.int64)).view(shape),
            "attention_mask": torch.from_numpy(real.astype(np.int64)).view(shape),
            "token_type_ids": torch.from_numpy(second.astype(np.int64)).view(shape),
        }
        for name, values in self.labels.items():
            picked = np.where(real, values[where], IGNORED) if self.of_pieces(name) else values[chosen]
            batch[name] = torch.from_numpy(
                picked.astype(np.float32 if values.dtype.kind == "f" else np.int64)
            )
        return batch

    def of_pieces(self, name: str) -> bool:
        """Is this label one for each piece?"""
        values = self.labels[name]
        return values.ndim == 1 and len(values) == len(self.ids) != len(self)

    def shuffled(self, size: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield one epoch as batches of numbers: shuffled, then sorted by length within each bucket."""
        order, lengths = generator.permutation(len(self)), self.lengths
        batches: list[np.ndarray] = []
        for first in range(0, len(order), size * BUCKET):
            bucket = order[first : first + size * BUCKET]
            bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
            batches += [bucket[start : start + size] for start in range(0, len(bucket), size)]
        yield from (batches[i] for i in generator.permutation(len(batches)))

    def sorted(self, size: int) -> Iterator[np.ndarray]:
        """Yield everything once, long rows first, so that too little memory shows at once."""
        order = np.argsort(-self.lengths, kind="stable")
        yield from (order[start : start + size] for start in range(0, len(order), size))


def gather(
    rows: Sequence[np.ndarray],
    firsts: Sequence[int],
    *,
    pad_id: int,
    labels: Mapping[str, np.ndarray] | None = None,
    choices: int = 1,
) -> Features:
    """Join rows of ids into features.

    Raises:
        InputError: there are none.
    """
    if not len(rows):
        raise InputError("no examples; expected at least one (is the file empty?)")
    starts = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=starts[1:])
    return Features(
        ids=np.concatenate(rows).astype(np.int32),
        starts=starts,
        firsts=np.asarray(firsts, np.int32),
        pad_id=pad_id,
        labels=labels or {},
        choices=choices,
    )
