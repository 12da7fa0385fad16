"""How good is it? Loss, perplexity and accuracy on text it was not trained on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import torch
from torch import nn

from bertlib.data.batches import Batch
from bertlib.model.bert import PreTrainingOutput


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Means over all masked words and all pairs of the held-out batches."""

    mlm_loss: float  # nats a masked word
    masked_accuracy: float  # share of masked words that are the likeliest of all V
    nsp_accuracy: float  # share of pairs judged right; NaN without pairs
    masked_words: int
    pairs: int

    @property
    def perplexity(self) -> float:
        """exp(loss): as uncertain as a fair choice among this many words."""
        return math.exp(min(self.mlm_loss, 700.0))

    def to_dict(self) -> dict[str, float]:
        """Return the numbers as JSON can hold them."""
        numbers = asdict(self) | {"perplexity": self.perplexity}
        return {key: value for key, value in numbers.items() if value == value}  # NaN is not JSON


@torch.no_grad()
def evaluate(model: nn.Module, batches: Iterable[Batch]) -> Evaluation:
    """Run ``model`` (a BertForPreTraining) over ``batches`` without dropout and without learning."""
    was_training = model.training
    model.eval()
    loss = right = words = nsp_right = pairs = 0.0
    for batch in batches:
        output: PreTrainingOutput = model(
            batch.input_ids, batch.attention_mask, batch.token_type_ids, selected=batch.selected
        )
        logits, labels = output.prediction_logits.float(), batch.labels
        loss += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
        right += (logits.argmax(-1) == labels).sum().item()
        words += len(labels)
        asked = batch.next_sentence_label >= 0
        answers = output.seq_relationship_logits.argmax(-1)
        nsp_right += (answers == batch.next_sentence_label)[asked].sum().item()
        pairs += asked.sum().item()
    model.train(was_training)
    return Evaluation(
        mlm_loss=loss / max(words, 1),
        masked_accuracy=right / max(words, 1),
        nsp_accuracy=nsp_right / pairs if pairs else math.nan,
        masked_words=int(words),
        pairs=int(pairs),
    )
