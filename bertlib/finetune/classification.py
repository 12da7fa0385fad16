"""One verdict on a whole text or pair: classes (most of GLUE, film reviews) or a number (STS-B)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from bertlib.data.examples import TextExample
from bertlib.errors import ConfigError, InputError
from bertlib.finetune import metrics
from bertlib.finetune.features import Features, gather
from bertlib.finetune.heads import SequenceClassifier
from bertlib.finetune.labels import distinct, named, number_of
from bertlib.finetune.metrics import Scores
from bertlib.finetune.packing import pack_rows
from bertlib.finetune.task import Inputs, Outputs, Task
from bertlib.model import BertModel

Metric = Literal["accuracy", "accuracy_and_f1", "matthews"]
METRICS: dict[str, tuple[Callable[[Sequence[int], Sequence[int]], Scores], str]] = {
    "accuracy": (metrics.accuracy, "accuracy"),
    "accuracy_and_f1": (metrics.accuracy_and_f1, "f1"),
    "matthews": (metrics.matthews, "matthews"),
}  # the function, and the score of it that decides


def text_features(inputs: Inputs[TextExample], labels: np.ndarray | None) -> Features:
    """Pack texts or pairs, a row each."""
    firsts, seconds = [one.first for one in inputs.examples], [one.second for one in inputs.examples]
    rows, lengths = pack_rows(firsts, seconds, inputs.tokenizer, max_length=inputs.max_length)
    known = {} if labels is None else {"labels": labels}
    return gather(rows, lengths, pad_id=inputs.tokenizer.pad_id, labels=known)


@dataclass(frozen=True, kw_only=True)
class ClassificationTask(Task[TextExample, str]):
    """Which of K classes does a text, or a pair of texts, belong to?

    Raises:
        ConfigError: fewer than two classes, an unknown metric, or an F1 of other than two classes.
    """

    labels: tuple[str, ...]
    metric: Metric = "accuracy"

    kind: ClassVar[str] = "classification"

    def __post_init__(self) -> None:
        if len(self.labels) < 2:
            raise ConfigError(f"{len(self.labels)} labels; expected at least 2 to choose from")
        if self.metric not in METRICS:
            raise ConfigError(f"metric is {self.metric!r}; expected {', '.join(METRICS)}")
        if self.metric == "accuracy_and_f1" and len(self.labels) != 2:
            raise ConfigError(f"an F1 of {len(self.labels)} classes; expected two, or metric='accuracy'")

    @classmethod
    def of(cls, train: Sequence[TextExample], *, metric: Metric = "accuracy") -> ClassificationTask:
        """Make the task whose classes are the labels of the training examples."""
        return cls(labels=distinct(None if e.label is None else str(e.label) for e in train), metric=metric)

    @property
    def best(self) -> str:
        """The score that decides."""
        return METRICS[self.metric][1]

    def head(self, bert: BertModel, *, dropout: float | None = None) -> SequenceClassifier:
        """Put a classifier on C."""
        return SequenceClassifier(bert, len(self.labels), dropout=dropout)

    def features(self, inputs: Inputs[TextExample], *, training: bool) -> Features:
        """Pack the examples, a row each, with their classes' numbers if ``training``."""
        return text_features(inputs, np.array(self._numbers(inputs.examples)) if training else None)

    def decide(self, outputs: Outputs, inputs: Inputs[TextExample]) -> list[str]:
        """Return the likeliest class of each example."""
        return [self.labels[int(logits.argmax())] for logits in outputs["logits"]]

    def details(self, outputs: Outputs, inputs: Inputs[TextExample]) -> list[dict[str, Any]]:
        """Return each class's probability."""
        return [
            {"probabilities": dict(zip(self.labels, map(float, softmax(logits)), strict=True))}
            for logits in outputs["logits"]
        ]

    def score(self, predictions: Sequence[str], examples: Sequence[TextExample]) -> Scores:
        """Mark predictions by the task's metric."""
        said = [number_of(p, self.labels, example=f"{i + 1}") for i, p in enumerate(predictions)]
        return METRICS[self.metric][0](said, self._numbers(examples))

    def _numbers(self, examples: Sequence[TextExample]) -> list[int]:
        return [number_of(one.label, self.labels, example=name) for name, one in named(examples)]

    def check(self, examples: Sequence[TextExample]) -> None:
        """See that every label is known.

        Raises:
            InputError: the first that is not.
        """
        self._numbers(examples)


@dataclass(frozen=True, kw_only=True)
class RegressionTask(Task[TextExample, float]):
    """What number does a text, or a pair of texts, get? Marked by correlation, as STS-B is."""

    kind: ClassVar[str] = "regression"
    best: ClassVar[str] = "spearman"

    def head(self, bert: BertModel, *, dropout: float | None = None) -> SequenceClassifier:
        """Put a layer with one output on C; its loss is the mean squared error."""
        return SequenceClassifier(bert, 1, dropout=dropout)

    def features(self, inputs: Inputs[TextExample], *, training: bool) -> Features:
        """Pack the examples, a row each, with their numbers if ``training``."""
        labels = np.array(self._numbers(inputs.examples), np.float32) if training else None
        return text_features(inputs, labels)

    def decide(self, outputs: Outputs, inputs: Inputs[TextExample]) -> list[float]:
        """Return each example's number."""
        return [float(logits[0]) for logits in outputs["logits"]]

    def score(self, predictions: Sequence[float], examples: Sequence[TextExample]) -> Scores:
        """Return Pearson's and Spearman's correlation."""
        return metrics.correlations(predictions, self._numbers(examples))

    def _numbers(self, examples: Sequence[TextExample]) -> list[float]:
        return [as_number(one.label, name) for name, one in named(examples)]

    def check(self, examples: Sequence[TextExample]) -> None:
        """See that every label is a number.

        Raises:
            InputError: the first that is not.
        """
        self._numbers(examples)


def as_number(label: str | float | None, example: str) -> float:
    """Read a label as a number.

    Raises:
        InputError: it is none.
    """
    try:
        value = float(label)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = float("nan")
    if not np.isfinite(value):
        raise InputError(f"example {example}: the label is {label!r}; expected a number")
    return value


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities along the last axis."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
