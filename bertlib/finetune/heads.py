"""The four heads of the paper's tasks, and one for two tasks at once (Joint BERT).

Each owns the body it stands on, so that all of it is fine-tuned.

Shapes: B texts, T positions, H hidden size, K labels, C choices. The label -100 asks nothing anywhere.
The names of the four's layers are those of the ``transformers`` library, so that weights move both ways.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.errors import InputError
from bertlib.model import BertModel
from bertlib.model.bert import initialise
from bertlib.model.dropout import Dropout
from bertlib.objectives import IGNORED


class HeadOutput(NamedTuple):
    """What a head says, and how wrong it was; the loss is None if nobody told it the answer."""

    logits: Tensor
    loss: Tensor | None = None


class Head(nn.Module):
    """A body, dropout and one linear layer of its own, first drawn as BERT draws its weights.

    Args:
        bert: the body; it is used, not copied.
        size: numbers that the layer gives for each vector.
        layer: the name of the layer.
        dropout: before the layer; None: the body's.
    """

    def __init__(self, bert: BertModel, size: int, *, layer: str, dropout: float | None = None) -> None:
        super().__init__()
        if size < 1:
            raise InputError(f"{type(self).__name__} with {size} labels; expected at least 1")
        self.bert = bert
        self.dropout = Dropout(bert.config.hidden_dropout_prob if dropout is None else dropout)
        linear = nn.Linear(bert.config.hidden_size, size)
        initialise(linear, bert.config)
        self.add_module(layer, linear)


class SequenceClassifier(Head):
    """One verdict on a whole text or pair, read off C (section 3.2; GLUE, section 4.1).

    With ``num_labels`` 1 it is a regression, as for STS-B: the loss is the mean squared error.
    """

    classifier: nn.Linear

    def __init__(self, bert: BertModel, num_labels: int, *, dropout: float | None = None) -> None:
        super().__init__(bert, num_labels, layer="classifier", dropout=dropout)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
    ) -> HeadOutput:
        """Judge ``input_ids`` (B, T): logits (B, K); ``labels`` (B), numbers for a regression."""
        pooled = self.bert(input_ids, attention_mask, token_type_ids).pooler_output  # (B, H)
        logits = self.classifier(self.dropout(pooled))
        if labels is None:
            return HeadOutput(logits)
        expect_shape("labels", labels, logits.shape[:1])
        if logits.shape[1] == 1:
            return HeadOutput(logits, F.mse_loss(logits[:, 0].float(), labels.float()))
        return HeadOutput(logits, mean_cross_entropy(logits, labels))


class TokenClassifier(Head):
    """One label for each piece, read off T_i (section 5.3: named entities)."""

    classifier: nn.Linear

    def __init__(self, bert: BertModel, num_labels: int, *, dropout: float | None = None) -> None:
        super().__init__(bert, num_labels, layer="classifier", dropout=dropout)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
    ) -> HeadOutput:
        """Label ``input_ids`` (B, T): logits (B, T, K); ``labels`` (B, T), -100 where no word begins."""
        hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
        logits = self.classifier(self.dropout(hidden))
        if labels is None:
            return HeadOutput(logits)
        expect_shape("labels", labels, logits.shape[:2])
        return HeadOutput(logits, mean_cross_entropy(logits.flatten(0, 1), labels.flatten()))


class QASpanHead(Head):
    """Where an answer begins and ends: the vectors S and E (section 4.2); no dropout, as released."""

    qa_outputs: nn.Linear

    def __init__(self, bert: BertModel) -> None:
        super().__init__(bert, 2, layer="qa_outputs", dropout=0.0)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
    ) -> HeadOutput:
        """Score each position of ``input_ids`` (B, T) as start and as end: logits (B, T, 2).

        ``labels`` (B, 2) are the positions of the first and the last piece of the answer; 0, which is
        [CLS], says that this text holds none (section 4.3). The loss is the mean over starts and ends.
        """
        hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
        logits = self.qa_outputs(hidden)
        if labels is None:
            return HeadOutput(logits)
        expect_shape("labels", labels, torch.Size([len(logits), 2]))
        if bool((labels >= logits.shape[1]).any()):
            raise InputError(
                f"an answer at position {int(labels.max())} of a text of {logits.shape[1]} pieces; label "
                "answers outside the window with 0, no answer here, or with -100"
            )
        start, end = (mean_cross_entropy(logits[..., i], labels[:, i]) for i in (0, 1))
        return HeadOutput(logits, (start + end) / 2)


class MultipleChoiceHead(Head):
    """Which of C continuations fits: each pair gets one score, softmax over the pairs (section 4.4: SWAG)."""

    classifier: nn.Linear

    def __init__(self, bert: BertModel, *, dropout: float | None = None) -> None:
        super().__init__(bert, 1, layer="classifier", dropout=dropout)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
    ) -> HeadOutput:
        """Score ``input_ids`` (B, C, T): logits (B, C); ``labels`` (B) are the right choices."""
        if input_ids.dim() != 3:
            raise InputError(
                f"input_ids have shape {tuple(input_ids.shape)}; expected (batch, choices, length)"
            )
        flat = (None if x is None else x.flatten(0, 1) for x in (input_ids, attention_mask, token_type_ids))
        ids, mask, kinds = flat
        assert ids is not None
        pooled = self.bert(ids, mask, kinds).pooler_output  # (B * C, H)
        logits = self.classifier(self.dropout(pooled)).view(input_ids.shape[:2])
        if labels is None:
            return HeadOutput(logits)
        expect_shape("labels", labels, logits.shape[:1])
        return HeadOutput(logits, mean_cross_entropy(logits, labels))


class JointOutput(NamedTuple):
    """Both answers of a joint head, and the sum of both losses."""

    intent_logits: Tensor
    slot_logits: Tensor
    loss: Tensor | None = None


class JointIntentSlotHead(Head):
    """What somebody wants, from C, and in which words, from T_i; one loss (Joint BERT, Chen et al. 2019)."""

    intent: nn.Linear

    def __init__(
        self, bert: BertModel, num_intents: int, num_slots: int, *, dropout: float | None = None
    ) -> None:
        super().__init__(bert, num_intents, layer="intent", dropout=dropout)
        if num_slots < 1:
            raise InputError(f"JointIntentSlotHead with {num_slots} slot labels; expected at least 1")
        self.slots = nn.Linear(bert.config.hidden_size, num_slots)
        initialise(self.slots, bert.config)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        intents: Tensor | None = None,
        slots: Tensor | None = None,
    ) -> JointOutput:
        """Read ``input_ids`` (B, T): intents (B, K), slots (B, T, K').

        ``intents`` (B) and ``slots`` (B, T), -100 where no word begins, come together or not at all.
        """
        body = self.bert(input_ids, attention_mask, token_type_ids)
        wanted = self.intent(self.dropout(body.pooler_output))
        words = self.slots(self.dropout(body.last_hidden_state))
        if intents is None or slots is None:
            return JointOutput(wanted, words)
        expect_shape("intents", intents, wanted.shape[:1])
        expect_shape("slots", slots, words.shape[:2])
        loss = mean_cross_entropy(wanted, intents)
        return JointOutput(wanted, words, loss + mean_cross_entropy(words.flatten(0, 1), slots.flatten()))


def mean_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over labels that are not -100, in nats; 0 (not NaN) when none is left.

    Args:
        logits: (N, K).
        labels: (N), whole numbers.
    """
    total = F.cross_entropy(logits.float(), labels, ignore_index=IGNORED, reduction="sum")
    return total / (labels != IGNORED).sum().clamp(min=1)


def expect_shape(name: str, given: Tensor, expected: torch.Size) -> None:
    """Refuse labels that belong to another batch.

    Raises:
        InputError: another shape.
    """
    if given.shape != expected:
        raise InputError(f"{name} have shape {tuple(given.shape)}; expected {tuple(expected)}")
