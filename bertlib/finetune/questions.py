"""Questions and their contexts as pieces, a block at a time, so that memory does not grow with the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bertlib.data.examples import QuestionExample
from bertlib.errors import InputError
from bertlib.finetune.offsets import PieceOffsets, covering
from bertlib.finetune.packing import encode_texts
from bertlib.finetune.task import Inputs
from bertlib.finetune.windows import Windows, cut_windows

BLOCK = 1_000  # questions that are worked on together
SPECIAL = 3  # [CLS] question [SEP] window [SEP]


class WindowCounts(NamedTuple):
    """What became of the questions of a training set.

    A window that does not hold the answer teaches the model to point at [CLS], "not here": so a model may
    answer nothing although no question it learned from was without an answer. This counts such windows.
    """

    questions: int = 0  # that have at least a window
    impossible: int = 0  # of these, known to have no answer (SQuAD 2.0)
    windows: int = 0  # of all questions
    without_answer: int = 0  # of questions that have an answer, but not, or not all of it, in this window
    skipped: int = 0  # questions left out: the answer is not at its offset, or covers no piece
    widened: int = 0  # answers that begin or end inside a piece, and got all of it
    lost: int = 0  # answers that no window holds

    def plus(self, other: WindowCounts) -> WindowCounts:
        """Add up."""
        return WindowCounts(*(a + b for a, b in zip(self, other, strict=True)))


class Block(NamedTuple):
    """N questions, each with its context."""

    examples: Sequence[QuestionExample]
    questions: list[np.ndarray]  # ids of each question, cut if it was too long
    contexts: list[np.ndarray]  # ids of each question's context; the same array for the same context

    def windows(self, max_length: int, stride: int) -> Windows:
        """Lay windows over the contexts: what is left of a row beside the question."""
        rooms = max_length - SPECIAL - np.array([len(ids) for ids in self.questions], dtype=np.int64)
        return cut_windows(np.array([len(ids) for ids in self.contexts], dtype=np.int64), rooms, stride)

    def offsets(self, places: PieceOffsets) -> list[np.ndarray]:
        """Return the offsets of each question's context, (n, 2) each; worked out once a context."""
        known: dict[str, np.ndarray] = {}
        for one, ids in zip(self.examples, self.contexts, strict=True):
            if one.context not in known:
                known[one.context] = places.of(one.context, ids)
        return [known[one.context] for one in self.examples]


def read_blocks(inputs: Inputs[QuestionExample], *, max_question: int) -> Iterator[Block]:
    """Tokenise questions and contexts, each context once for all neighbouring questions about it.

    A question keeps its first ``max_question`` pieces, and never takes more than half of a row.

    Raises:
        InputError: no room for a piece of each.
    """
    examples, tokenizer, max_length = inputs.examples, inputs.tokenizer, inputs.max_length
    if max_length < SPECIAL + 2:
        raise InputError(
            f"max_length is {max_length}; expected at least {SPECIAL + 2}, for a piece of the question, one "
            "of the context and three special tokens (384 is usual)"
        )
    room = min(max_question, (max_length - SPECIAL) // 2)
    for first in range(0, len(examples), BLOCK):
        some = examples[first : first + BLOCK]
        texts = list(dict.fromkeys(one.context for one in some))
        ids = dict(zip(texts, encode_texts(tokenizer, texts), strict=True))
        questions = encode_texts(tokenizer, [one.question for one in some])
        yield Block(some, [row[:room] for row in questions], [ids[one.context] for one in some])


class Found(NamedTuple):
    """Where an answer stands in its context."""

    first: int  # piece
    last: int  # piece
    widened: bool  # the pieces hold more characters than the answer


NOWHERE = Found(-1, -1, False)  # there is no answer


def find_answer(example: QuestionExample, offsets: np.ndarray) -> Found | None:
    """Return the pieces of the first answer that stands where its offset says; None: none does.

    They are the fewest that hold it. google-research/bert (``_improve_answer_span``) finds the same if some
    pieces spell the answer; for one that begins or ends inside a piece, it takes all that stands between
    blanks: of "(1895-1943)." the whole for "8", where "1895" will do.

    Args:
        example: with one answer or several.
        offsets: (n, 2) of its context.
    """
    if example.impossible:
        return NOWHERE
    for text, start in example.answers:
        end = start + len(text)
        if start < 0 or example.context[start:end] != text:
            continue
        first, last = covering(offsets, start, end)
        if first <= last:
            return Found(first, last, bool(offsets[first, 0] < start or offsets[last, 1] > end))
    return None


def with_answers(block: Block, places: PieceOffsets) -> tuple[Block, np.ndarray, WindowCounts]:
    """Leave out questions whose answer cannot be found, and say where the others' answers are.

    Returns:
        The rest of the block, (n, 2) first and last piece of each answer (-1 where there is none), and counts
        of what this tells.
    """
    found = [find_answer(*pair) for pair in zip(block.examples, block.offsets(places), strict=True)]
    kept = [number for number, answer in enumerate(found) if answer is not None]
    answers = [answer for answer in found if answer is not None]
    counts = WindowCounts(
        questions=len(kept),
        impossible=sum(answer is NOWHERE for answer in answers),
        skipped=len(found) - len(kept),
        widened=sum(answer.widened for answer in answers),
    )
    pieces = np.array([answer[:2] for answer in answers], dtype=np.int64).reshape(-1, 2)
    rest = Block(*([column[number] for number in kept] for column in block))  # type: ignore[arg-type]
    return rest, pieces, counts
