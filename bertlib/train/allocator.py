"""Memory that is kept rather than given back: fresh pages cost more than the sums done in them.

The C library returns every large block to the system as soon as it is free, and gets it anew, page by page
and zeroed, for the next tensor of the same size. A training step asks for the same tensors again and again.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

# Names and numbers of <malloc.h> of the GNU C library.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4
KEEP = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1}  # no blocks of their own, nothing given back
# Where its own moving thresholds end up after large tensors; once set by hand they no longer move.
USUAL = {M_MMAP_MAX: 65_536, M_TRIM_THRESHOLD: 64 << 20, M_MMAP_THRESHOLD: 32 << 20}


@contextmanager
def kept_memory(wanted: bool = True) -> Iterator[bool]:
    """Let free memory stay with this process for the length of a ``with`` block.

    What it saves, ``bertlib bench pretrain --ablate`` measures. It is a setting of the process, so this is
    a context; without the GNU C library nothing happens.

    Args:
        wanted: False does nothing, for comparisons.

    Yields:
        Whether the setting was made.
    """
    made = wanted and _set(KEEP)
    try:
        yield made
    finally:
        if made:
            _set(USUAL)


def _set(values: dict[int, int]) -> bool:
    mallopt = _mallopt()
    return mallopt is not None and all(mallopt(key, value) == 1 for key, value in values.items())


@cache
def _mallopt() -> ctypes._NamedFuncPointer | None:
    """Return the library's function, or None where there is none (macOS, Windows, musl)."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "mallopt", None)
