"""TokenShards: one long row of ids that lies in several files.

A file system copies, checks and caches files of a few hundred megabytes gladly, and one of forty gigabytes
not at all. So the ids of a large corpus are cut into shards, ``tokens-00000.bin``, ``tokens-00001.bin``, ...,
all of the same length but the last. Whoever reads need not know: positions count through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

SHARD_MB = 256.0  # 10^6 bytes; 128 million ids of two bytes


def shard_name(number: int) -> str:
    """Return the file name of a shard, counted from 0."""
    return f"tokens-{number:05d}.bin"


class TokenShards:
    """Arrays that lie end to end, read like one; what is read is copied, what is sliced is not.

    A slice inside one shard is a view of that shard; a longer one is again a row of shards. An array of
    positions gives an array of ids, as numpy does (positions count from 0 only).

    Args:
        parts: arrays of one type, each (its length,).

    Example:
        >>> row = TokenShards([np.array([5, 6, 7]), np.array([8, 9])])
        >>> len(row), row[3], row[1:3].tolist(), row[1:4].tolist(), row[np.array([[4, 0]])].tolist()
        (5, 8, [6, 7], [6, 7, 8], [[9, 5]])
    """

    def __init__(self, parts: Sequence[np.ndarray]) -> None:
        self.parts = tuple(parts)
        self.dtype = self.parts[0].dtype
        self._ends = np.cumsum([len(part) for part in self.parts])
        self._starts = np.concatenate([[0], self._ends[:-1]])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __iter__(self) -> Iterator[Any]:
        for part in self.parts:
            yield from part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.concatenate(self.parts, dtype=dtype)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            return self._stretch(start, stop) if step == 1 else self._take(np.arange(start, stop, step))
        if isinstance(key, (int, np.integer)):
            return self._take(np.array([key + len(self) if key < 0 else key]))[0]
        return self._take(np.asarray(key))

    def astype(self, dtype: Any) -> np.ndarray:
        """Return all ids as one array of another type."""
        return np.concatenate(self.parts, dtype=dtype, casting="unsafe")

    def tolist(self) -> list[int]:
        """Return all ids as a list."""
        return np.asarray(self).tolist()

    def _stretch(self, start: int, stop: int) -> TokenArray:
        """Return positions ``start`` to ``stop`` - 1 without a copy."""
        first = int(np.searchsorted(self._ends, start, side="right"))
        last = int(np.searchsorted(self._starts, stop, side="left"))
        inside = zip(self.parts[first:last], self._starts[first:last].tolist(), strict=True)
        pieces = [part[max(start - at, 0) : stop - at] for part, at in inside]
        return join_shards(pieces or [self.parts[0][:0]])

    def _take(self, positions: np.ndarray) -> np.ndarray:
        """Return the ids at ``positions`` (any shape), shard by shard."""
        flat = positions.reshape(-1)
        if len(flat) and not 0 <= flat.min() <= flat.max() < len(self):
            raise IndexError(f"positions run from {flat.min()} to {flat.max()}; there are {len(self):,}")
        shard = np.searchsorted(self._ends, flat, side="right")
        order = np.argsort(shard, kind="stable")
        bounds = np.searchsorted(shard[order], np.arange(len(self.parts) + 1))
        ids = np.empty(len(flat), self.dtype)
        for number in np.flatnonzero(np.diff(bounds)).tolist():
            mine = order[bounds[number] : bounds[number + 1]]
            ids[mine] = self.parts[number][flat[mine] - self._starts[number]]
        return ids.reshape(positions.shape)


TokenArray = np.ndarray | TokenShards


def join_shards(parts: Sequence[np.ndarray]) -> TokenArray:
    """Return arrays as one row; a single one as it is, which is as fast as it ever was."""
    return parts[0] if len(parts) == 1 else TokenShards(parts)
