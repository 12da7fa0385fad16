"""A cross-encoder: it reads question and passage together and gives the pair one score.

Every piece of the one can look at every piece of the other, which two vectors made apart cannot replace. The
price: nothing can be read beforehand. So it sorts the few passages that a cheaper search has found (Nogueira
and Cho 2019).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bertlib.errors import InputError
from bertlib.finetune.features import Features, gather
from bertlib.finetune.heads import SequenceClassifier, mean_cross_entropy
from bertlib.finetune.packing import pack_rows
from bertlib.model import BertModel
from bertlib.progress import progress_bar
from bertlib.search.matching import MatchingHead
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.variants.sentence_folder import read_facts, read_weights, write_folder
from bertlib.variants.sentence_training import SentenceTraining, descend

FACTS = "reranker.json"


class Judged(NamedTuple):
    """A question, a passage that answers it, and some that do not: best, hard ones, found by a search."""

    question: str
    right: str
    wrong: tuple[str, ...]


class CrossEncoder:
    """Scores pairs ``[CLS] question [SEP] passage [SEP]``.

    Args:
        head: with its body. A classifier with one label, as in the paper, needs a large body or many
            examples; a :class:`bertlib.search.matching.MatchingHead` does with little of both.
        tokenizer: its body's.
        max_length: pieces a pair, the three special ones included; the longer text loses its end. None: as
            many as the body has positions for.

    Raises:
        InputError: more than one label, or more pieces than positions.
    """

    def __init__(
        self,
        head: SequenceClassifier | MatchingHead,
        tokenizer: WordPieceTokenizer,
        *,
        max_length: int | None = None,
    ) -> None:
        labels = 1 if isinstance(head, MatchingHead) else head.classifier.out_features
        positions = head.bert.config.max_position_embeddings
        if labels != 1 or (max_length or 0) > positions:
            raise InputError(
                f"{labels} labels and max_length {max_length}; expected one label, the score, and at "
                f"most the body's {positions} positions"
            )
        self.head, self.tokenizer = head, tokenizer
        self.max_length = max_length or positions

    @torch.no_grad()
    def scores(
        self, pairs: Sequence[tuple[str, str]], *, batch_size: int = 64, progress: bool = False
    ) -> np.ndarray:
        """Return a score for each (question, passage), (N,) float32; more is better, by no fixed scale."""
        scores = np.zeros(len(pairs), np.float32)
        if not len(pairs):
            return scores
        features = self.features(pairs)
        self.head.eval()
        with progress_bar(total=len(pairs), desc="rerank", unit="pair", disable=not progress) as bar:
            for rows in features.sorted(batch_size):
                scores[rows] = self.logits(features, rows).float().cpu().numpy()
                bar.update(len(rows))
        return scores

    def features(self, pairs: Sequence[tuple[str, str]]) -> Features:
        """Pack pairs into rows."""
        firsts, seconds = zip(*pairs, strict=True)
        rows, lengths = pack_rows(firsts, seconds, self.tokenizer, max_length=self.max_length)
        return gather(rows, lengths, pad_id=self.tokenizer.pad_id)

    def logits(self, features: Features, rows: np.ndarray) -> Tensor:
        """Score some rows: (B,)."""
        device = next(self.head.parameters()).device
        return self.head(**{n: x.to(device) for n, x in features.batch(rows).items()}).logits[:, 0]

    def save(self, folder: Path | str) -> Path:
        """Write head and body, vocabulary and ``reranker.json`` into ``folder``, all or nothing.

        Raises:
            CheckpointError: the folder holds something else.
        """
        kind = "match" if isinstance(self.head, MatchingHead) else "classify"
        facts = {"head": kind, "max_length": self.max_length}
        return write_folder(
            Path(folder), self.head, self.head.bert.config, self.tokenizer, name=FACTS, facts=facts
        )

    @classmethod
    def load(cls, folder: Path | str) -> CrossEncoder:
        """Read what :meth:`save` wrote.

        Raises:
            CheckpointError: no reranker there, or a damaged one.
        """
        config, tokenizer, facts = read_facts(Path(folder), FACTS, {"head": str, "max_length": int})

        def make() -> SequenceClassifier | MatchingHead:
            body = BertModel(config)
            return MatchingHead(body) if facts["head"] == "match" else SequenceClassifier(body, 1)

        return cls(read_weights(make, Path(folder)), tokenizer, max_length=facts["max_length"])


def train_reranker(
    encoder: CrossEncoder, examples: Sequence[Judged], *, recipe: SentenceTraining, progress: bool = True
) -> list[float]:
    """Train in place: cross-entropy over the right passage and the wrong ones (Gao et al. 2021).

    Args:
        encoder: its head lies on the device to train on.
        examples: all with the same number of wrong passages, at least one.
        recipe: ``batch_size`` counts questions; ``max_length`` is the encoder's own.
        progress: show a bar.

    Returns:
        The loss of every step; ln(1 + wrong passages) is what guessing gives.

    Raises:
        InputError: examples with different numbers of wrong passages, or without any.
        TrainingError: the loss is no number any more.
    """
    counts = {len(example.wrong) for example in examples}
    if len(counts) != 1 or counts == {0}:
        raise InputError(
            f"examples have {sorted(counts)} wrong passages; expected as many for all, at least 1"
        )
    choices = 1 + counts.pop()
    features = encoder.features([(e.question, text) for e in examples for text in (e.right, *e.wrong)])

    questions = replace(features, choices=choices)  # batches of questions whose rows are of like length

    def epoch(number: int) -> Iterator[np.ndarray]:
        return questions.shuffled(recipe.batch_size, np.random.default_rng([recipe.seed, number]))

    def loss_of(chosen: np.ndarray) -> Tensor:
        rows = (chosen[:, None] * choices + np.arange(choices)).ravel()
        scores = encoder.logits(features, rows).view(-1, choices)  # (B, C), the right one first
        return mean_cross_entropy(scores, torch.zeros(len(chosen), dtype=torch.long, device=scores.device))

    return descend(encoder.head, epoch, loss_of, recipe, len(examples), progress=progress)


def hard_negatives(
    found: np.ndarray, right: Sequence[Collection[int]], passages: Sequence[str], *, count: int
) -> list[tuple[str, ...]]:
    """Return the best wrong passages for each question: what a search took for right.

    Args:
        found: (Q, K) numbers of passages, best first.
        right: (Q) the numbers of all that are not wrong.
        passages: all texts.
        count: wrong ones a question.

    Raises:
        InputError: fewer than ``count`` wrong ones were found.
    """
    wrong = [[n for n in row if n not in wanted] for row, wanted in zip(found.tolist(), right, strict=True)]
    least = min(map(len, wrong), default=count)
    if least < count:
        raise InputError(f"only {least} wrong passages found for a question; expected at least {count}")
    return [tuple(passages[n] for n in row[:count]) for row in wrong]
