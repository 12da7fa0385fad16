"""From what the windows on a context say to texts, cut out of the context as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bertlib.errors import InputError
from bertlib.finetune.classification import softmax
from bertlib.finetune.spans import Reading, Span


class Candidate(NamedTuple):
    """A possible answer."""

    text: str  # "" says that there is none
    start: int  # its first character in the context; -1 if there is none
    score: float
    probability: float  # among the candidates listed


def text_of(span: Span, context: str, offsets: np.ndarray) -> tuple[str, int]:
    """Return the characters that a span of pieces covers, and where they begin."""
    start, end = int(offsets[span.first, 0]), int(offsets[span.last, 1])
    return context[start:end], start


def best_text(reading: Reading, context: str, offsets: np.ndarray) -> str:
    """Return the best answer; "" only if there is nothing in the context."""
    return text_of(reading.spans[0], context, offsets)[0] if reading.spans else ""


def candidates(reading: Reading, context: str, offsets: np.ndarray, *, null: bool) -> list[Candidate]:
    """List the possible answers, the best first; a text that stands in several places once.

    Args:
        reading: of the context's windows.
        context: as it was written.
        offsets: (n, 2) characters of its pieces.
        null: whether "" is one of them.
    """
    found: dict[str, tuple[int, float]] = {}
    for span in reading.spans:
        text, start = text_of(span, context, offsets)
        found.setdefault(text, (start, span.score))
    if null or not found:
        found[""] = (-1, reading.null)
    ordered = sorted(found.items(), key=lambda item: -item[1][1])
    shares = softmax(np.array([score for _, (_, score) in ordered]))
    return [
        Candidate(text, start, score, float(share))
        for (text, (start, score)), share in zip(ordered, shares, strict=True)
    ]


def check_logits(logits: Sequence[np.ndarray], lengths: np.ndarray) -> None:
    """Refuse what a model said about other rows.

    Args:
        logits: (T, 2) of each row.
        lengths: (R,) pieces that each row should have.

    Raises:
        InputError: another number of rows, or a row of another length.
    """
    said = [len(row) for row in logits]
    if said != lengths.tolist():
        wrong = sum(a != b for a, b in zip(said, lengths.tolist(), strict=False))
        raise InputError(
            f"outputs for {len(said)} rows, the examples have {len(lengths)}, and {wrong} rows of another "
            "length; expected those of the same examples, tokenizer and max_length, made with training=False"
        )
