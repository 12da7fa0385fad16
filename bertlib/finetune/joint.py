"""What does somebody want, and which words say it? One model, one loss (Joint BERT, Chen et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from bertlib.data.examples import IntentExample
from bertlib.errors import InputError
from bertlib.finetune import metrics
from bertlib.finetune.classification import softmax
from bertlib.finetune.features import Features, gather
from bertlib.finetune.heads import JointIntentSlotHead
from bertlib.finetune.labels import distinct, named, number_of
from bertlib.finetune.metrics import Scores
from bertlib.finetune.task import Outputs
from bertlib.finetune.words import WordRow, piece_labels, word_rows, word_verdicts
from bertlib.model import BertModel
from bertlib.objectives import IGNORED
from bertlib.tokenizer import WordPieceTokenizer


class Understood(NamedTuple):
    """What was understood of one sentence."""

    intent: str
    slots: tuple[str, ...]  # a tag a word


@dataclass(frozen=True, kw_only=True)
class IntentTask:
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

    def features(
        self,
        examples: Sequence[IntentExample],
        tokenizer: WordPieceTokenizer,
        *,
        max_length: int,
        training: bool,
    ) -> Features:
        """Pack the sentences, a row each; words beyond ``max_length`` are lost."""
        rows = self._rows(examples, tokenizer, max_length)
        labels = self._labels(examples, rows) if training else {}
        ids = [row.ids for row in rows]
        return gather(ids, [len(row) for row in ids], pad_id=tokenizer.pad_id, labels=labels)

    def _rows(
        self, examples: Sequence[IntentExample], tokenizer: WordPieceTokenizer, length: int
    ) -> list[WordRow]:
        return word_rows([one.words for one in examples], tokenizer, max_length=length, only_first=True)

    def _labels(self, examples: Sequence[IntentExample], rows: Sequence[WordRow]) -> dict[str, np.ndarray]:
        intents, slots = [], []
        for place, one in enumerate(examples):
            name = named(one.name, place)
            intents.append(number_of(one.intent, self.intents, example=name, what="intent"))
            slots.append([number_of(s, self.slots, example=name, what="slot") for s in slots_of(one, name)])
        return {"intents": np.array(intents), "slots": piece_labels(rows, slots, IGNORED)}

    def decide(
        self,
        outputs: Outputs,
        features: Features,
        examples: Sequence[IntentExample],
        tokenizer: WordPieceTokenizer,
        *,
        max_length: int,
    ) -> list[Understood]:
        """Return intent and slots of each sentence; words that were lost get O."""
        rows = self._rows(examples, tokenizer, max_length)
        said = word_verdicts(rows, outputs["slot_logits"], len(examples))
        found = []
        for one, logits, numbers in zip(examples, outputs["intent_logits"], said, strict=True):
            tags = [self.slots[number] for number in numbers] + ["O"] * (len(one.words) - len(numbers))
            found.append(Understood(self.intents[int(logits.argmax())], tuple(tags)))
        return found

    def details(
        self,
        outputs: Outputs,
        features: Features,
        examples: Sequence[IntentExample],
        tokenizer: WordPieceTokenizer,
        *,
        max_length: int,
    ) -> list[dict[str, Any]]:
        """Return each intent's probability, and the words of the slots."""
        said = self.decide(outputs, features, examples, tokenizer, max_length=max_length)
        return [
            {
                "probabilities": dict(zip(self.intents, map(float, softmax(logits)), strict=True)),
                "filled": {
                    kind: " ".join(one.words[first : last + 1])
                    for kind, first, last in metrics.entities(found.slots)
                },
            }
            for one, logits, found in zip(examples, outputs["intent_logits"], said, strict=True)
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
        for place, one in enumerate(examples):
            name = named(one.name, place)
            if one.intent is None:
                raise InputError(f"sentence {name} has no intent; expected one, such as {self.intents[0]}")
            slots_of(one, name)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def slots_of(example: IntentExample, name: str) -> tuple[str, ...]:
    """Return the slots of a sentence, one a word.

    Raises:
        InputError: there are none, or another number.
    """
    if example.slots is None or len(example.slots) != len(example.words):
        raise InputError(
            f"sentence {name} has {len(example.slots or ())} slots for {len(example.words)} words; expected "
            "one for each"
        )
    return example.slots
