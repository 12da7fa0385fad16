"""Which of several ends fits a beginning? (section 4.4: SWAG)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bertlib.data.examples import ChoiceExample
from bertlib.errors import ConfigError, InputError
from bertlib.finetune import metrics
from bertlib.finetune.classification import softmax
from bertlib.finetune.features import Features, gather
from bertlib.finetune.heads import MultipleChoiceHead
from bertlib.finetune.labels import named
from bertlib.finetune.metrics import Scores
from bertlib.finetune.packing import pack_rows
from bertlib.finetune.task import Inputs, Outputs, Task
from bertlib.model import BertModel


@dataclass(frozen=True, kw_only=True)
class ChoiceTask(Task[ChoiceExample, int]):
    """Each beginning is packed with each of its ends; the pair with the highest score wins.

    Raises:
        ConfigError: fewer than two choices.
    """

    choices: int

    kind: ClassVar[str] = "choice"
    best: ClassVar[str] = "accuracy"

    def __post_init__(self) -> None:
        if self.choices < 2:
            raise ConfigError(f"{self.choices} choices; expected at least 2 to choose from")

    @classmethod
    def of(cls, train: Sequence[ChoiceExample]) -> ChoiceTask:
        """Make the task with as many choices as the first example has.

        Raises:
            InputError: no examples.
        """
        if not train:
            raise InputError("no examples; expected at least one (is the file empty?)")
        return cls(choices=len(train[0].choices))

    def head(self, bert: BertModel, *, dropout: float | None = None) -> MultipleChoiceHead:
        """Put a layer with one output on C."""
        return MultipleChoiceHead(bert, dropout=dropout)

    def features(self, inputs: Inputs[ChoiceExample], *, training: bool) -> Features:
        """Pack the examples, a row a choice.

        Raises:
            InputError: an example with another number of choices, or (``training``) without a right one.
        """
        examples, tokenizer = inputs.examples, inputs.tokenizer
        self._check_choices(examples)
        labels = {"labels": np.array(self._numbers(examples))} if training else {}
        prompts = [one.prompt for one in examples for _ in one.choices]
        ends = [end for one in examples for end in one.choices]
        rows, firsts = pack_rows(prompts, ends, tokenizer, max_length=inputs.max_length)
        return gather(rows, firsts, pad_id=tokenizer.pad_id, labels=labels, choices=self.choices)

    def decide(self, outputs: Outputs, inputs: Inputs[ChoiceExample]) -> list[int]:
        """Return the place of the best choice, from 0."""
        return [int(logits.argmax()) for logits in outputs["logits"]]

    def details(self, outputs: Outputs, inputs: Inputs[ChoiceExample]) -> list[dict[str, Any]]:
        """Return each choice's probability."""
        return [
            {"probabilities": [float(share) for share in softmax(logits)]} for logits in outputs["logits"]
        ]

    def score(self, predictions: Sequence[int], examples: Sequence[ChoiceExample]) -> Scores:
        """Return the share of right choices."""
        return metrics.accuracy(predictions, self._numbers(examples))

    def _check_choices(self, examples: Sequence[ChoiceExample]) -> None:
        for name, one in named(examples):
            if len(one.choices) != self.choices:
                raise InputError(
                    f"example {name} has {len(one.choices)} choices; expected {self.choices}, as the others "
                    "have"
                )

    def _numbers(self, examples: Sequence[ChoiceExample]) -> list[int]:
        for name, one in named(examples):
            if one.label is None or not 0 <= one.label < self.choices:
                raise InputError(
                    f"example {name}: the right choice is {one.label}; expected 0 to {self.choices - 1}"
                )
        return [one.label for one in examples if one.label is not None]

    def check(self, examples: Sequence[ChoiceExample]) -> None:
        """See that there are as many choices everywhere, and that the right one is known.

        Raises:
            InputError: the first example where it is not so.
        """
        self._check_choices(examples)
        self._numbers(examples)
