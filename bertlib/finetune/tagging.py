"""A tag for each word: named entities (section 5.3), parts of speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bertlib.data.examples import TaggedExample
from bertlib.errors import ConfigError
from bertlib.finetune import metrics
from bertlib.finetune.features import Features, gather
from bertlib.finetune.heads import TokenClassifier
from bertlib.finetune.labels import distinct, named, number_of, one_a_word
from bertlib.finetune.metrics import Scores
from bertlib.finetune.task import Inputs, Outputs, Task
from bertlib.finetune.words import WordRow, piece_labels, word_rows, word_verdicts
from bertlib.model import BertModel
from bertlib.objectives import IGNORED

BEST = {"entities": "f1", "words": "accuracy"}


@dataclass(frozen=True, kw_only=True)
class TaggingTask(Task[TaggedExample, list[str]]):
    """Which tag does each word get? The first piece of a word speaks for it; the others are asked nothing.

    Args:
        tags: BIO tags (``B-PER``, ``I-PER``, ``O``) or any others, such as parts of speech.
        metric: "entities", the F1 of whole entities, or "words", the share of right tags.

    Raises:
        ConfigError: another metric.
    """

    tags: tuple[str, ...]
    metric: Literal["entities", "words"] = "entities"

    kind: ClassVar[str] = "tagging"

    def __post_init__(self) -> None:
        if self.metric not in BEST:
            raise ConfigError(f"metric is {self.metric!r}; expected {' or '.join(BEST)}")

    @classmethod
    def of(cls, train: Sequence[TaggedExample]) -> TaggingTask:
        """Make the task of the training examples: entities if any tag begins with B-, else words."""
        tags = distinct((tag for one in train for tag in one.tags or ()), what="tags")
        return cls(tags=tags, metric="entities" if any(tag.startswith("B-") for tag in tags) else "words")

    @property
    def best(self) -> str:
        """The score that decides."""
        return BEST[self.metric]

    def head(self, bert: BertModel, *, dropout: float | None = None) -> TokenClassifier:
        """Put a classifier on every T_i."""
        return TokenClassifier(bert, len(self.tags), dropout=dropout)

    def features(self, inputs: Inputs[TaggedExample], *, training: bool) -> Features:
        """Pack the sentences; one that is too long goes on in another row."""
        rows = self._rows(inputs)
        labels = {}
        if training:
            labels["labels"] = piece_labels(rows, self._numbers(inputs.examples), IGNORED)
        ids = [row.ids for row in rows]
        return gather(ids, [len(row) for row in ids], pad_id=inputs.tokenizer.pad_id, labels=labels)

    def _rows(self, inputs: Inputs[TaggedExample]) -> list[WordRow]:
        words = [one.words for one in inputs.examples]
        return word_rows(words, inputs.tokenizer, max_length=inputs.max_length)

    def decide(self, outputs: Outputs, inputs: Inputs[TaggedExample]) -> list[list[str]]:
        """Return a tag for each word of each sentence."""
        said = word_verdicts(self._rows(inputs), outputs["logits"], len(inputs.examples))
        return [[self.tags[number] for number in numbers] for numbers in said]

    def details(self, outputs: Outputs, inputs: Inputs[TaggedExample]) -> list[dict[str, Any]]:
        """Return the entities among each sentence's tags, with their words."""
        return [
            {
                "entities": [
                    {"type": kind, "words": " ".join(one.words[first : last + 1]), "first_word": first}
                    for kind, first, last in metrics.entities(tags)
                ]
            }
            for one, tags in zip(inputs.examples, self.decide(outputs, inputs), strict=True)
        ]

    def score(self, predictions: Sequence[Sequence[str]], examples: Sequence[TaggedExample]) -> Scores:
        """Mark tags by the task's metric.

        Raises:
            InputError: a sentence without tags, or with another number of them.
        """
        truths = tags_of(examples)
        if self.metric == "entities":
            return metrics.entity_f1(predictions, truths)
        return metrics.word_accuracy(predictions, truths)

    def _numbers(self, examples: Sequence[TaggedExample]) -> list[list[int]]:
        return [
            [number_of(tag, self.tags, example=name, what="tag") for tag in tags]
            for (name, _), tags in zip(named(examples), tags_of(examples), strict=True)
        ]

    def check(self, examples: Sequence[TaggedExample]) -> None:
        """See that every word has a tag; one that training does not have will count as an error.

        Raises:
            InputError: the first sentence where it is not so.
        """
        tags_of(examples)


def tags_of(examples: Sequence[TaggedExample]) -> list[Sequence[str]]:
    """Return the tags of each sentence, one a word.

    Raises:
        InputError: a sentence has none, or another number.
    """
    return [one_a_word(one.tags, one.words, name=name, what="tags") for name, one in named(examples)]
