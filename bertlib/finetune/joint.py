"""What does somebody want, and which words say it? One model, one loss (Joint BERT, Chen et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from bertlib.data.examples import IntentExample
from bertlib.errors import InputError
from bertlib.finetune import metrics
from bertlib.finetune.classification import softmax
from bertlib.finetune.features import Features, gather
from bertlib.finetune.heads import JointIntentSlotHead
from bertlib.finetune.labels import distinct, named, number_of, one_a_word
from bertlib.finetune.metrics import Scores
from bertlib.finetune.task import Inputs, Outputs, Task
from bertlib.finetune.words import WordRow, piece_labels, word_rows, word_verdicts
from bertlib.model import BertModel
from bertlib.objectives import IGNORED


class Understood(NamedTuple):
    """What was understood of one sentence."""

    intent: str
    slots: tuple[str, ...]  # a tag a word


@dataclass(frozen=True, kw_only=True)
class IntentTask(Task[IntentExample, Understood]):
    """An intent for the sentence, from C, and a slot tag for each word, from the first piece of each."""

    intents: tuple[str, ...]
    slots: tuple[str, ...]

    kind: ClassVar[str] = "intents"
    best: ClassVar[str] = "exact"

    @classmethod
    def of(cls, train: Sequence[IntentExample]) -> IntentTask:
        """Make the task of the intents and slots of the training examples."""
        slots = (slot for one in train for slot in one.slots or ())
        return cls(
            intents=distinct((one.intent for one in train), what="intents"),
            slots=distinct(slots, what="slots"),
        )

    def head(self, bert: BertModel, *, dropout: float | None = None) -> JointIntentSlotHead:
        """Put both layers on a body."""
        return JointIntentSlotHead(bert, len(self.intents), len(self.slots), dropout=dropout)

    def features(self, inputs: Inputs[IntentExample], *, training: bool) -> Features:
        """Pack the sentences, a row each; words beyond ``max_length`` are lost."""
        rows = self._rows(inputs)
        labels = self._labels(inputs.examples, rows) if training else {}
        ids = [row.ids for row in rows]
        return gather(ids, [len(row) for row in ids], pad_id=inputs.tokenizer.pad_id, labels=labels)

    def _rows(self, inputs: Inputs[IntentExample]) -> list[WordRow]:
        words = [one.words for one in inputs.examples]
        return word_rows(words, inputs.tokenizer, max_length=inputs.max_length, only_first=True)

    def _labels(self, examples: Sequence[IntentExample], rows: Sequence[WordRow]) -> dict[str, np.ndarray]:
        intents, slots = [], []
        for name, one in named(examples):
            intents.append(number_of(one.intent, self.intents, example=name, what="intent"))
            tags = one_a_word(one.slots, one.words, name=name, what="slots")
            slots.append([number_of(tag, self.slots, example=name, what="slot") for tag in tags])
        return {"intents": np.array(intents), "slots": piece_labels(rows, slots, IGNORED)}

    def decide(self, outputs: Outputs, inputs: Inputs[IntentExample]) -> list[Understood]:
        """Return intent and slots of each sentence; words that were lost get O."""
        said = word_verdicts(self._rows(inputs), outputs["slot_logits"], len(inputs.examples))
        found = []
        for one, logits, numbers in zip(inputs.examples, outputs["intent_logits"], said, strict=True):
            tags = [self.slots[number] for number in numbers] + ["O"] * (len(one.words) - len(numbers))
            found.append(Understood(self.intents[int(logits.argmax())], tuple(tags)))
        return found

    def details(self, outputs: Outputs, inputs: Inputs[IntentExample]) -> list[dict[str, Any]]:
        """Return each intent's probability, and the words of the slots."""
        said = self.decide(outputs, inputs)
        return [
            {
                "probabilities": dict(zip(self.intents, map(float, softmax(logits)), strict=True)),
                "filled": {
                    kind: " ".join(one.words[first : last + 1])
                    for kind, first, last in metrics.entities(found.slots)
                },
            }
            for one, logits, found in zip(inputs.examples, outputs["intent_logits"], said, strict=True)
        ]

    def score(self, predictions: Sequence[Understood], examples: Sequence[IntentExample]) -> Scores:
        """Return the accuracy of intents, the F1 of slots, the share of sentences with all of it right.

        Raises:
            InputError: a sentence without an intent, or without a slot for each word.
        """
        metrics.same_length(predictions, examples)
        self.check(examples)
        truths = [one.slots or () for one in examples]
        slots = metrics.entity_f1([p.slots for p in predictions], truths)
        right = [p.intent == one.intent for p, one in zip(predictions, examples, strict=True)]
        whole = [hit and p.slots == tuple(t) for hit, p, t in zip(right, predictions, truths, strict=True)]
        return {
            "intent_accuracy": float(np.mean(right)),
            "slot_f1": slots["f1"],
            "exact": float(np.mean(whole)),
        }

    def check(self, examples: Sequence[IntentExample]) -> None:
        """See that every sentence has an intent, and every word a slot; unseen ones will count as errors.

        Raises:
            InputError: the first sentence where it is not so.
        """
        for name, one in named(examples):
            if one.intent is None:
                raise InputError(f"sentence {name} has no intent; expected one, such as {self.intents[0]}")
            one_a_word(one.slots, one.words, name=name, what="slots")
