"""What a task has to know: its head, its features, its verdicts and its metric. The training is the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from torch import nn

from bertlib.finetune.features import Features
from bertlib.finetune.metrics import Scores
from bertlib.model import BertModel
from bertlib.tokenizer import WordPieceTokenizer

E = TypeVar("E", contravariant=True)  # a kind of example
X = TypeVar("X", covariant=True)  # the same, where it is given and not taken
P = TypeVar("P")  # what is said about one: a label, a number, tags, an answer

# What the head said about every row, by the name of its output: a list of arrays, the rows in their order.
# Padding is cut off: logits of pieces are (T, K) with the row's own T.
Outputs = Mapping[str, Sequence[np.ndarray]]


@dataclass(frozen=True)
class Inputs(Generic[X]):
    """Examples, and how they are read: the same on the way into the model and on the way back to words.

    Attributes:
        examples: any number of them, at least one.
        tokenizer: the body's.
        max_length: pieces a row, special ones included.
    """

    examples: Sequence[X]
    tokenizer: WordPieceTokenizer
    max_length: int


class Task(Protocol[E, P]):
    """A kind of task with its labels; frozen, and made of what JSON can hold."""

    @property
    def kind(self) -> str:
        """The name under which a folder remembers this kind of task."""
        ...

    @property
    def best(self) -> str:
        """The score that decides which epoch is kept; more is better."""
        ...

    def head(self, bert: BertModel, *, dropout: float | None = None) -> nn.Module:
        """Put the task's head on a body; its arguments are named as the features' labels."""
        ...

    def features(self, inputs: Inputs[E], *, training: bool) -> Features:
        """Turn examples into numbers.

        Args:
            inputs: examples, and how they are read.
            training: with labels, which must all be known; False: without any.

        Raises:
            InputError: no examples; a label that the task does not know, or none, named with its example.
        """
        ...

    def decide(self, outputs: Outputs, inputs: Inputs[E]) -> list[P]:
        """Turn what the head said into one verdict an example, in the words of the data.

        ``outputs`` are about the features that the same inputs make without labels.
        """
        ...

    def details(self, outputs: Outputs, inputs: Inputs[E]) -> list[dict[str, Any]]:
        """Return what else there is to say of each example, for JSON: probabilities, other answers."""
        return [{} for _ in inputs.examples]

    def score(self, predictions: Sequence[P], examples: Sequence[E]) -> Scores:
        """Mark verdicts against examples whose labels are known."""
        ...

    def check(self, examples: Sequence[E]) -> None:
        """See before a long training that :meth:`score` will be able to mark these examples.

        Raises:
            InputError: a label is missing or unknown; its example is named.
        """
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, for ``task.json``."""
        return asdict(self)  # type: ignore[call-overload]
