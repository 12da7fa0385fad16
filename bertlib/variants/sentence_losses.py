"""Four ways to tell a sentence encoder what alike means. All of them see pairs, read apart by one encoder.

Shapes: B pairs, H hidden size, K classes. The vectors come as pooled, of any length.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.errors import InputError
from bertlib.finetune.heads import mean_cross_entropy


class PairVectors(NamedTuple):
    """A batch of pairs as vectors.

    Attributes:
        first: (B, H).
        second: (B, H).
        negative: (B, H) texts that are known not to fit the first; None: there are none.
        labels: (B) what the file says about each pair: a class, or a likeness from 0 to 1.
        same: (B) or (2B) the number of each second text, then of each negative; equal texts, equal numbers.
    """

    first: Tensor
    second: Tensor
    negative: Tensor | None = None
    labels: Tensor | None = None
    same: Tensor | None = None


class SiameseClassification(nn.Module):
    """Cross-entropy of ``W (u, v, |u - v|)``: entailment data (Reimers and Gurevych 2019, section 3).

    W is needed for training only; what stays is the encoder.

    Args:
        hidden_size: H.
        num_labels: K.
    """

    def __init__(self, hidden_size: int, num_labels: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(3 * hidden_size, num_labels)

    def forward(self, pairs: PairVectors) -> Tensor:
        """Return the mean loss in nats; labels are classes from 0."""
        u, v = pairs.first, pairs.second
        logits = self.classifier(torch.cat([u, v, (u - v).abs()], dim=-1))  # (B, K)
        return mean_cross_entropy(logits, labels_of(pairs).long())


class CosineRegression(nn.Module):
    """Mean squared error of the cosine: data with a likeness for each pair, such as STS (section 3)."""

    def forward(self, pairs: PairVectors) -> Tensor:
        """Return the mean over the pairs; labels are numbers, 1 for the same and 0 for nothing in common."""
        return F.mse_loss(F.cosine_similarity(pairs.first, pairs.second), labels_of(pairs).float())


class InBatchNegatives(nn.Module):
    """Which of all second texts of the batch is mine (Henderson et al. 2017, section 4.4)?

    Only pairs that belong together are needed: the others' answers are the wrong ones, B - 1 of them for
    nothing. Cross-entropy over ``scale`` times the cosines; known wrong answers join in. An equal text from
    another pair is no wrong answer and is left out.

    Args:
        scale: cosines lie within [-1, 1], too close together for a softmax; 20 is the default of the
            ``sentence-transformers`` library.
        symmetric: also ask each second text for its first one.
    """

    def __init__(self, *, scale: float = 20.0, symmetric: bool = False) -> None:
        super().__init__()
        self.scale, self.symmetric = scale, symmetric

    def forward(self, pairs: PairVectors) -> Tensor:
        """Return the mean loss in nats; labels are not looked at."""
        targets = pairs.second if pairs.negative is None else torch.cat([pairs.second, pairs.negative])
        scores = self.scale * F.normalize(pairs.first, dim=-1) @ F.normalize(targets, dim=-1).T  # (B, B | 2B)
        size = len(pairs.first)
        right = torch.arange(size, device=scores.device)
        if pairs.same is not None:
            twins = pairs.same[None] == pairs.same[:size, None]
            twins[right, right] = False
            scores = scores.masked_fill(twins, -torch.inf)
        loss = F.cross_entropy(scores, right)
        if self.symmetric:
            loss = (loss + F.cross_entropy(scores[:, :size].T, right)) / 2
        return loss


class TripletMargin(nn.Module):
    """The right text must be closer than the wrong one by a margin: max(|a - p| - |a - n| + margin, 0).

    Section 3 of the paper, with its Euclidean distance and its margin of 1.
    """

    def __init__(self, *, margin: float = 1.0) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, pairs: PairVectors) -> Tensor:
        """Return the mean over the triples; labels are not looked at."""
        if pairs.negative is None:
            raise InputError("these pairs have no negative; expected one for each: a, its like, and another")
        near = F.pairwise_distance(pairs.first, pairs.second)
        far = F.pairwise_distance(pairs.first, pairs.negative)
        return F.relu(near - far + self.margin).mean()


def labels_of(pairs: PairVectors) -> Tensor:
    """Return the labels.

    Raises:
        InputError: there are none.
    """
    if pairs.labels is None:
        raise InputError("these pairs have no labels; expected a class or a likeness for each")
    return pairs.labels
