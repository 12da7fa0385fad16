"""A tag for each word: named entities (section 5.3), parts of speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from bertlib.data.examples import TaggedExample
from bertlib.errors import ConfigError, InputError
from bertlib.finetune import metrics
from bertlib.finetune.features import Features, gather
from bertlib.finetune.heads import TokenClassifier
from bertlib.finetune.labels import distinct, named, number_of
from bertlib.finetune.metrics import Scores
from bertlib.finetune.task import Outputs
from bertlib.finetune.words import piece_labels, word_rows, word_verdicts
from bertlib.model import BertModel
from bertlib.objectives import IGNORED
from bertlib.tokenizer import WordPieceTokenizer

BEST = {"entities": "f1", "words": "accuracy"}


@dataclass(frozen=True, kw_only=True)
class TaggingTask:
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

    def features(
        self,
        examples: Sequence[TaggedExample],
        tokenizer: WordPieceTokenizer,
        *,
        max_length: int,
        training: bool,
    ) -> Features:
        """Pack the sentences; one that is too long goes on in another row."""
        rows = word_rows([one.words for one in examples], tokenizer, max_length=max_length)
        labels = {}
        if training:
            labels["labels"] = piece_labels(rows, self._numbers(examples), IGNORED)
        ids = [row.ids for row in rows]
        return gather(ids, [len(row) for row in ids], pad_id=tokenizer.pad_id, labels=labels)

    def decide(
        self,
        outputs: Outputs,
        features: Features,
        examples: Sequence[TaggedExample],
        tokenizer: WordPieceTokenizer,
        *,
        max_length: int,
    ) -> list[list[str]]:
        """Return a tag for each word of each sentence."""
        rows = word_rows([one.words for one in examples], tokenizer, max_length=max_length)
        said = word_verdicts(rows, outputs["logits"], len(examples))
        return [[self.tags[number] for number in numbers] for numbers in said]

    def details(
        self,
        outputs: Outputs,
        features: Features,
        examples: Sequence[TaggedExample],
        tokenizer: WordPieceTokenizer,
        *,
        max_length: int,
    ) -> list[dict[str, Any]]:
        """Return the entities among each sentence's tags, with their words."""
        said = self.decide(outputs, features, examples, tokenizer, max_length=max_length)
        return [
            {
                "entities": [
                    {"type": kind, "words": " ".join(one.words[first : last + 1]), "first_word": first}
                    for kind, first, last in metrics.entities(tags)
                ]
            }
            for one, tags in zip(examples, said, strict=True)
        ]

    def score(self, predictions: Sequence[Sequence[str]], examples: Sequence[TaggedExample]) -> Scores:
        """Mark tags by the task's metric.

        Raises:
            InputError: a sentence without tags, or with another number of them.
        """
        truths = [tags_of(one, place) for place, one in enumerate(examples)]
        if self.metric == "entities":
            return metrics.entity_f1(predictions, truths)
        return metrics.word_accuracy(predictions, truths)

    def _numbers(self, examples: Sequence[TaggedExample]) -> list[list[int]]:
        return [
            [
                number_of(tag, self.tags, example=named(one.name, place), what="tag")
                for tag in tags_of(one, place)
            ]
            for place, one in enumerate(examples)
        ]

    def check(self, examples: Sequence[TaggedExample]) -> None:
        """See that every word has a tag; one that training does not have will count as an error.

        Raises:
            InputError: the first sentence where it is not so.
        """
        for place, one in enumerate(examples):
            tags_of(one, place)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def tags_of(example: TaggedExample, place: int) -> tuple[str, ...]:
    """Return the tags of a sentence, one a word.

    Raises:
        InputError: there are none, or another number.
    """
    if example.tags is None or len(example.tags) != len(example.words):
        raise InputError(
            f"sentence {named(example.name, place)} has {len(example.tags or ())} tags for "
            f"{len(example.words)} words; expected a tag for each"
        )
    return example.tags
