"""The masked language model's loss: how surprised we are by the words that were taken out."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.errors import InputError

IGNORED = -100  # the label of positions that were not selected; no token id is negative


class MaskedLMLoss(nn.Module):
    """Mean cross-entropy over the selected positions (Devlin et al. 2019, section 3.1, task 1).

    It has no weights: the output layer belongs to the model.
    """

    def forward(self, logits: Tensor, labels: Tensor, *, count: int | None = None) -> Tensor:
        """Compare ``logits`` (..., V) with ``labels`` (...), whole numbers.

        Args:
            logits: (N, V) at the selected positions, or (B, T, V) at all.
            labels: the original ids, (N) or (B, T); -100 where nothing is to be predicted.
            count: divide the sum by this instead of the number of labels. Someone who cuts a batch
                into pieces needs it: the mean of the pieces' means is not the mean.

        Returns:
            A scalar in nats; 0 (not NaN) when nothing is selected.

        Raises:
            InputError: logits and labels do not belong together.
        """
        if logits.shape[:-1] != labels.shape:
            raise InputError(
                f"logits {tuple(logits.shape)} and labels {tuple(labels.shape)} do not belong together; "
                "expected labels of the logits' shape without the last axis"
            )
        total = F.cross_entropy(
            logits.flatten(0, -2).float(), labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        if count is None:
            count = int((labels != IGNORED).sum())
        return total / max(count, 1)
