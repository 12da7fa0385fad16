"""SQuAD as a search task, each question asking for its paragraph, and STS-B as pairs with a likeness."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from bertlib.finetune.reading.glue import read_glue
from bertlib.finetune.reading.squad import read_squad
from bertlib.search.passages import cut
from bertlib.variants.sentence_training import SentencePair

WORDS = 40  # a passage at most: with its question a short row, and most of it about the answer


class Retrieval(NamedTuple):
    """Paragraphs, cut into passages that a small model can read whole, and Q questions about them."""

    paragraphs: list[str]
    passages: list[str]
    owners: list[int]  # of each passage: the number of its paragraph
    questions: list[str]
    right: list[int]  # (Q) the number of the paragraph
    answers: list[int]  # (Q) the number of the passage that holds the answer

    def some(self, step: int) -> Retrieval:
        """Return every ``step``-th question, all paragraphs."""
        return self._replace(
            questions=self.questions[::step], right=self.right[::step], answers=self.answers[::step]
        )


def read_retrieval(file: Path) -> Retrieval:
    """Read SQuAD's JSON; equal paragraphs are one, passages those of :func:`bertlib.search.passages.cut`."""
    task = Retrieval([], [], [], [], [], [])
    known: dict[str, tuple[int, int, np.ndarray]] = {}  # paragraph: its number, first passage, their ends
    for example in read_squad(file):
        if example.context not in known:
            texts = [passage.text for passage in cut(example.context, file.name, 1, words=WORDS)]
            ends = np.cumsum([len(text) + 1 for text in texts])
            known[example.context] = len(task.paragraphs), len(task.passages), ends
            task.owners.extend([len(task.paragraphs)] * len(texts))
            task.paragraphs.append(example.context)
            task.passages.extend(texts)
        number, first, ends = known[example.context]
        place = int(np.searchsorted(ends, example.answers[0].start, side="right"))
        task.questions.append(example.question)
        task.right.append(number)
        task.answers.append(first + min(place, len(ends) - 1))
    return task


def read_pairs(folder: Path, split: str) -> list[SentencePair]:
    """Read STS-B; scores from 0 to 5 become likenesses from 0 to 1."""
    rows = read_glue("STS-B", folder, split)
    return [SentencePair(row.first, row.second or "", float(row.label or 0) / 5) for row in rows]
