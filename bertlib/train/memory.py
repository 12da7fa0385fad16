"""Too little memory: the same batch in smaller pieces, which gives the same gradient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from bertlib.data.batches import Batch
from bertlib.errors import TrainingError

_SMALLER = "A smaller --preset or --vocab-size can, or --fsdp with several processes"
ADVICE = {
    "for the model itself": f": a smaller batch cannot help. {_SMALLER}",
    "in the optimiser's step": ", which keeps two averages of each weight: smaller pieces of a batch cannot "
    f"help. {_SMALLER}; earlier checkpoints are good",
    "between two steps": ", in making, examining or saving. A smaller --batch-size can help, and in "
    "examining a larger --accumulation; earlier checkpoints are good",
}
_WORDS = ("can't allocate memory", "DefaultCPUAllocator", "CUBLAS_STATUS_ALLOC_FAILED", "out of memory")


def cut(batch: Batch, pieces: int) -> list[Batch]:
    """Cut a batch into pieces of about the same number of texts, none of them empty."""
    texts = len(batch.input_ids)
    pieces = max(min(pieces, texts), 1)
    return [batch.rows(number * texts // pieces, (number + 1) * texts // pieces) for number in range(pieces)]


def cut_each(batches: Iterable[Batch], pieces: int) -> Iterator[Batch]:
    """Yield the pieces of one batch after the other."""
    for batch in batches:
        yield from cut(batch, pieces)


def out_of_memory(error: BaseException) -> bool:
    """Tell whether memory has run out: of the GPU, or of the machine as PyTorch or NumPy words it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


@contextmanager
def enough_for(what: str) -> Iterator[None]:
    """Turn a lack of memory inside the block, where smaller pieces of a batch cannot help, into one line.

    Args:
        what: of :data:`ADVICE`.

    Raises:
        TrainingError: memory ran out; with what to do.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise TrainingError(f"out of memory {what}{ADVICE[what]}") from error


def not_twice() -> AbstractContextManager[None]:
    """Keep an optimiser's step that ran out of memory half-way from being taken again.

    Raises:
        TrainingError: it did; with what to do.
    """
    return enough_for("in the optimiser's step")


def smaller_pieces(pieces: int, texts: int, *, processes: int = 1) -> int:
    """Return twice as many pieces, at most one for each text.

    Args:
        pieces: into how many the batch was cut when memory ran out.
        texts: the batch, on this process.
        processes: with several of them, the others wait for this one's gradient; it cannot take its step
            again alone.

    Raises:
        TrainingError: one text at a time is too much, or there are several processes; with what to do.
    """
    at_once, more = -(-texts // pieces), min(2 * pieces, texts)
    if pieces >= texts:
        raise TrainingError(
            "out of memory even with one text at a time: no batch fits. Shorter texts (--max-length), a "
            "smaller --preset or --precision bf16 take less"
        )
    if processes > 1:
        raise TrainingError(
            f"out of memory with {at_once} texts at a time. Several processes cannot change that on the way; "
            f"start again with --accumulation {more}: {-(-texts // more)} at a time, and the same batch"
        )
    return more


def describe(pieces: int, texts: int, before: int) -> str:
    """Say in one line what is done about it."""
    return (
        f"out of memory with {-(-texts // before)} texts at a time: going on with {-(-texts // pieces)}, in "
        f"{pieces} pieces a batch (the same gradient; --accumulation {pieces} does so from the start)"
    )
