"""Next sentence prediction: does B follow A? Label 0 is IsNext, as in the released code.

Sentence-order prediction (Lan et al. 2020) takes the same head and loss: label 0 in order, 1 swapped.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.errors import InputError

IS_NEXT, NOT_NEXT = 0, 1


class NSPLoss(nn.Module):
    """Two-way cross-entropy on the pooled [CLS] (Devlin et al. 2019, section 3.1, task 2)."""

    def forward(self, logits: Tensor, labels: Tensor, *, count: int | None = None) -> Tensor:
        """Compare ``logits`` (B, 2) with ``labels`` (B): 0 IsNext, 1 NotNext, -100 no question asked.

        Args:
            logits: (B, 2).
            labels: (B).
            count: divide the sum by this instead of the number of labels (see MaskedLMLoss).

        Returns:
            A scalar in nats; 0 when no label counts.

        Raises:
            InputError: the shapes do not fit.
        """
        if logits.dim() != 2 or logits.shape[1] != 2 or labels.shape != logits.shape[:1]:
            raise InputError(
                f"logits {tuple(logits.shape)} and labels {tuple(labels.shape)}; "
                "expected (batch, 2) and (batch,)"
            )
        total = F.cross_entropy(logits.float(), labels, ignore_index=-100, reduction="sum")
        if count is None:
            count = int((labels != -100).sum())
        return total / max(count, 1)
