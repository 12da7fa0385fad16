"""A BERT that judges sentences: the body, and a linear layer on what it makes of [CLS]."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from bertlib.bench.sst2_data import Sentences, padded
from bertlib.config import BertConfig
from bertlib.model import BertForPreTraining, BertModel


class SentenceClassifier(nn.Module):
    """A body, dropout, and a linear layer on the pooled output."""

    def __init__(self, body: BertModel, dropout: float) -> None:
        super().__init__()
        self.bert, self.dropout = body, nn.Dropout(dropout)
        self.head = nn.Linear(body.config.hidden_size, 2)
        nn.init.normal_(self.head.weight, std=body.config.initializer_range)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, T) ids -> (B, 2) logits."""
        return self.head(self.dropout(self.bert(ids, mask).pooler_output))


def new_classifier(
    config: BertConfig, start: BertForPreTraining | None, *, dropout: float
) -> SentenceClassifier:
    """Build a classifier whose body is a copy of ``start``'s, or random."""
    body = BertModel(config.replace(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout))
    if start is not None:
        body.load_state_dict(start.bert.state_dict())
    return SentenceClassifier(body, dropout)


@torch.no_grad()
def accuracy(model: SentenceClassifier, sentences: Sentences, *, pad_id: int, size: int = 128) -> float:
    """Return the share of sentences judged right."""
    model.eval()
    device, right = model.head.weight.device, 0
    for rows in np.array_split(
        np.argsort([len(ids) for ids in sentences.ids]), -(-len(sentences.ids) // size)
    ):
        ids, mask, labels = padded(sentences, rows, pad_id)
        right += int((model(ids.to(device), mask.to(device)).argmax(-1).cpu() == labels).sum())
    return right / len(sentences.ids)
