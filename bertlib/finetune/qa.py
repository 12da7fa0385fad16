"""Where in a context does the answer to a question stand? (sections 4.2 and 4.3: SQuAD 1.1 and 2.0)."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from bertlib.data.examples import QuestionExample
from bertlib.errors import ConfigError, InputError
from bertlib.finetune import metrics, metrics_zh
from bertlib.finetune.answers import Candidate, best_text, candidates, check_logits
from bertlib.finetune.features import Features
from bertlib.finetune.heads import QASpanHead
from bertlib.finetune.labels import named
from bertlib.finetune.metrics import Scores
from bertlib.finetune.offsets import PieceOffsets
from bertlib.finetune.questions import Block, WindowCounts, read_blocks, with_answers
from bertlib.finetune.spans import Reading, read_windows, tune_threshold
from bertlib.finetune.task import Inputs, Outputs, Task
from bertlib.finetune.windows import Rows, Windows, pack_windows, window_labels
from bertlib.model import BertModel

Language = Literal["en", "zh"]
Marks = tuple[
    Callable[[Mapping[str, str], Mapping[str, Sequence[str]]], Scores],
    Callable[[str, Sequence[str]], tuple[float, float]],
]
METRICS: dict[str, Marks] = {
    "en": (metrics.squad_scores, metrics.best_marks),
    "zh": (metrics_zh.cmrc_scores, metrics_zh.best_marks),
}  # of all questions, and exact match and F1 of one


@dataclass(frozen=True, kw_only=True)
class QuestionTask(Task[QuestionExample, str]):
    """Point at the first and the last piece of the answer; long contexts are read through windows.

    Args:
        no_answer: whether "there is no answer" may be said (SQuAD 2.0).
        null_threshold: by how much "no answer" must beat the best answer; :meth:`tuned` finds it.
        max_answer: most pieces of an answer; 30 is the released code's. Chinese answers, a piece a character,
            want more.
        stride: pieces from the beginning of a window to that of the next; None: a third of ``max_length``,
            which is the released code's 128 at 384.
        n_best: candidates that are kept.
        max_question: pieces of a question that are read.
        language: "en" marks words as SQuAD does, "zh" characters as CMRC 2018 does.

    Raises:
        ConfigError: a number below 1, another language.
    """

    no_answer: bool = False
    null_threshold: float = 0.0
    max_answer: int = 30
    stride: int | None = None
    n_best: int = 20
    max_question: int = 64
    language: Language = "en"

    kind: ClassVar[str] = "question"
    best: ClassVar[str] = "f1"

    def __post_init__(self) -> None:
        for name in ("max_answer", "stride", "n_best", "max_question"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} is {value}; expected at least 1")
        if self.language not in METRICS:
            raise ConfigError(f"language is {self.language!r}; expected {' or '.join(METRICS)}")

    @classmethod
    def of(cls, train: Sequence[QuestionExample], *, language: Language = "en") -> QuestionTask:
        """Make the task of the training examples: "no answer" may be said if any of them has none."""
        return cls(no_answer=any(one.impossible for one in train), language=language)

    def head(self, bert: BertModel, *, dropout: float | None = None) -> QASpanHead:
        """Put the vectors S and E on every T_i; there is no dropout before them, whatever is asked for."""
        return QASpanHead(bert)

    def features(self, inputs: Inputs[QuestionExample], *, training: bool) -> Features:
        """Pack the examples, a row a window; ``training``: without questions whose answer cannot be found.

        Raises:
            InputError: no examples, or (``training``) a question without an answer that is not marked so.
        """
        return self.counted(inputs, training=training)[0]

    def counted(
        self, inputs: Inputs[QuestionExample], *, training: bool = True
    ) -> tuple[Features, WindowCounts]:
        """Return the features, and what became of the questions; only ``training`` looks for answers."""
        if training:
            self._check_training(inputs.examples)
        counts, ids, lengths, firsts, labels = WindowCounts(), array("i"), [], [], []
        for rows, places, found in self._packed(inputs, training):
            ids.frombytes(rows.ids.tobytes())  # grows in place: no second copy of everything at the end
            lengths.append(rows.lengths)
            firsts.append(rows.firsts)
            labels.append(places)
            counts = counts.plus(found)
        if not counts.windows:
            raise InputError(
                f"{counts.skipped} questions, and none of their answers stands where its offset says; see "
                "that answer_start counts the context's characters, from 0"
                if counts.skipped
                else "no examples; expected at least one (is the file empty?)"
            )
        features = Features(
            ids=np.frombuffer(ids, dtype=np.int32),
            starts=np.concatenate([[0], np.cumsum(np.concatenate(lengths))]),
            firsts=np.concatenate(firsts).astype(np.int32),
            pad_id=inputs.tokenizer.pad_id,
            labels={"labels": np.concatenate(labels).astype(np.int32)} if training else {},
        )
        return features, counts

    def _packed(
        self, inputs: Inputs[QuestionExample], training: bool
    ) -> Iterator[tuple[Rows, np.ndarray, WindowCounts]]:
        """Yield the rows of a block, (R, 2) labels (0 if not ``training``), and counts of what is in it."""
        places = PieceOffsets(inputs.tokenizer)
        for block in read_blocks(inputs, max_question=self.max_question):
            answers, counts = np.full((len(block.examples), 2), -1), WindowCounts(len(block.examples))
            if training:
                block, answers, counts = with_answers(block, places)
            windows, rows = self._windows(block, inputs)
            labels = window_labels(windows, rows.firsts, answers)
            there, holds = answers[:, 0] >= 0, labels[:, 0] > 0  # by question; by window
            held = np.bincount(windows.question, weights=holds, minlength=len(answers)) > 0
            empty, lost = ~holds & there[windows.question], there & ~held
            yield (
                rows,
                labels,
                counts._replace(windows=len(labels), without_answer=int(empty.sum()), lost=int(lost.sum())),
            )

    def _windows(self, block: Block, inputs: Inputs[QuestionExample]) -> tuple[Windows, Rows]:
        windows = block.windows(inputs.max_length, self.stride or max(inputs.max_length // 3, 1))
        return windows, pack_windows(windows, block.questions, block.contexts, inputs.tokenizer)

    def _check_training(self, examples: Sequence[QuestionExample]) -> None:
        self.check(examples)
        for name, one in named(examples):
            if one.impossible and not self.no_answer:
                raise InputError(
                    f"question {name} has no answer in its context; make the task with no_answer=True (SQuAD "
                    "2.0), or leave such questions out"
                )

    def decide(self, outputs: Outputs, inputs: Inputs[QuestionExample]) -> list[str]:
        """Return the best answer to each question, "" where no answer is better by the threshold."""
        return [
            "" if self.no_answer and read[0].difference > self.null_threshold else best_text(*read)
            for read in self._readings(outputs, inputs)
        ]

    def n_best_answers(self, outputs: Outputs, inputs: Inputs[QuestionExample]) -> list[list[Candidate]]:
        """Return for each question its candidates, the best first; a text that occurs twice once.

        With ``no_answer`` the empty answer is among them, at the place of its score, whatever the threshold.
        """
        return [candidates(*read, null=self.no_answer) for read in self._readings(outputs, inputs)]

    def details(self, outputs: Outputs, inputs: Inputs[QuestionExample]) -> list[dict[str, Any]]:
        """Return the candidates of each question."""
        listed = self.n_best_answers(outputs, inputs)
        return [{"answers": [candidate._asdict() for candidate in some]} for some in listed]

    def tuned(self, outputs: Outputs, inputs: Inputs[QuestionExample]) -> QuestionTask:
        """Return the task with the threshold that gives these examples, a development set, the best F1.

        Raises:
            InputError: a question whose answers nobody knows, or a task that always answers.
        """
        if not self.no_answer:
            raise InputError("a task that always answers has no threshold; make it with no_answer=True")
        self.check(inputs.examples)
        marks = METRICS[self.language][1]
        rows = []
        for one, read in zip(inputs.examples, self._readings(outputs, inputs), strict=True):
            right = [answer.text for answer in one.answers]
            rows.append((read[0].difference, marks(best_text(*read), right)[1], marks("", right)[1]))
        differences, answered, silent = np.array(rows).T
        return replace(self, null_threshold=tune_threshold(differences, answered, silent).value)

    def _readings(
        self, outputs: Outputs, inputs: Inputs[QuestionExample]
    ) -> Iterator[tuple[Reading, str, np.ndarray]]:
        """Yield what the windows on each context say, the context, and the offsets of its pieces."""
        logits, row, places = outputs["logits"], 0, PieceOffsets(inputs.tokenizer)
        for block in read_blocks(inputs, max_question=self.max_question):
            windows, rows = self._windows(block, inputs)
            said = logits[row : row + len(rows.lengths)]
            check_logits(said, rows.lengths)
            for number, offsets in enumerate(block.offsets(places)):
                mine = windows.of(number)
                reading = read_windows(
                    said[mine], rows.firsts[mine.start], windows.first[mine], windows.size[mine],
                    longest=self.max_answer, count=self.n_best,
                )  # fmt: skip
                yield reading, block.examples[number].context, offsets
            row += len(said)

    def score(self, predictions: Sequence[str], examples: Sequence[QuestionExample]) -> Scores:
        """Return exact match and F1 by the language's metric.

        Raises:
            InputError: a question whose answers nobody knows, or another number of predictions.
        """
        metrics.same_length(predictions, examples)
        self.check(examples)
        said = {str(place): text for place, text in enumerate(predictions)}
        truths = {str(place): [a.text for a in one.answers] for place, one in enumerate(examples)}
        return METRICS[self.language][0](said, truths)

    def check(self, examples: Sequence[QuestionExample]) -> None:
        """See that every question has an answer or is known to have none.

        Raises:
            InputError: the first of which nobody knows.
        """
        for name, one in named(examples):
            if not one.answers and not one.impossible:
                raise InputError(
                    f"question {name} has no answer and is not marked as impossible; expected one or the "
                    "other"
                )
