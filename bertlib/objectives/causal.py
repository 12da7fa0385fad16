"""Left to right: the same model, made to predict each word from those before it.

This is how GPT learns, and the "LTR & No NSP" of the ablation in Devlin et al. 2019, table 5. Two things
change, and neither is in the model: nobody may look to the right, and the word asked for is the next one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bertlib.errors import InputError
from bertlib.objectives.mlm import IGNORED, MaskedLMLoss


def causal_mask(attention_mask: Tensor) -> Tensor:
    """Say who may look at whom when nobody looks to the right (Vaswani et al. 2017, section 3.2.3).

    Args:
        attention_mask: (B, T), 1 for text and 0 for padding.

    Returns:
        (B, T, T) booleans: row i of a text says what position i may see. Give it to the model in place of
        ``attention_mask``.

    Example:
        >>> causal_mask(torch.tensor([[1, 1, 0]])).int().tolist()
        [[[1, 0, 0], [1, 1, 0], [1, 1, 0]]]
    """
    if attention_mask.dim() != 2:
        raise InputError(f"attention_mask has shape {tuple(attention_mask.shape)}; expected (batch, length)")
    length = attention_mask.shape[1]
    earlier = torch.ones(length, length, dtype=torch.bool, device=attention_mask.device).tril()
    return earlier & (attention_mask != 0)[:, None, :]


def shift_labels(input_ids: Tensor, asked: Tensor) -> Tensor:
    """Return the label of each position: the word after it.

    Args:
        input_ids: (B, T).
        asked: (B, T), not 0 where a word may be asked for: the attention mask, or words only.

    Returns:
        (B, T), -100 where the next position is none, or not asked for.

    Example:
        >>> shift_labels(torch.tensor([[2, 8, 9, 3, 0]]), torch.tensor([[1, 1, 1, 1, 0]])).tolist()
        [[8, 9, 3, -100, -100]]
    """
    labels = torch.full_like(input_ids, IGNORED)
    labels[:, :-1] = input_ids[:, 1:].where(asked[:, 1:] != 0, IGNORED)
    return labels


class CausalLMLoss(nn.Module):
    """Mean cross-entropy of every word given those before it.

    The model must have been given :func:`causal_mask`; one that looks both ways reads the answer.
    """

    def forward(
        self, logits: Tensor, input_ids: Tensor, asked: Tensor | None = None, *, count: int | None = None
    ) -> Tensor:
        """Compare ``logits`` (B, T, V), made at every position, with the words that follow.

        Args:
            logits: (B, T, V).
            input_ids: (B, T), the text that was read.
            asked: (B, T), 0 at words that are not to be predicted, such as padding; None: all are.
            count: divide the sum by this instead of the number of labels (see MaskedLMLoss).

        Returns:
            A scalar in nats; 0 when there is nothing to predict.

        Raises:
            InputError: the shapes do not fit.
        """
        labels = shift_labels(input_ids, torch.ones_like(input_ids) if asked is None else asked)
        return MaskedLMLoss()(logits, labels, count=count)
