"""A head for pairs that compares: what in the passage is most like each piece of the question?

A classifier on [CLS] knows nothing of likeness at first: from the examples the blocks have to learn how each
piece of the question finds its match, and how the matches get to [CLS]. That takes more blocks and examples
than a small body has. A cosine knows from the start that a word is like itself, and training has only to bend
the vectors.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.finetune.heads import HeadOutput
from bertlib.model import BertModel


def best_matches(hidden: Tensor, question: Tensor, passage: Tensor) -> Tensor:
    """Return the mean over the question's pieces of the largest cosine with a piece of the passage.

    Khattab and Zaharia (2020, section 3.3) call it MaxSim, and take the sum.

    Args:
        hidden: (B, T, H).
        question: (B, T) bool, the pieces that look for a match.
        passage: (B, T) bool, those that may be one.

    Returns:
        (B), within [-1, 1].

    Example:
        >>> hidden = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]]])
        >>> first, last = torch.tensor([[True, True, False]]), torch.tensor([[False, False, True]])
        >>> best_matches(hidden, first, last)  # the mean of 3/5 and 4/5
        tensor([0.7000])
    """
    unit = F.normalize(hidden, dim=-1)
    cosines = (unit @ unit.transpose(1, 2)).masked_fill(~passage[:, None], -1)  # (B, T, T)
    return cosines.amax(-1).where(question, 0).sum(1) / question.sum(1)


class MatchingHead(nn.Module):
    """Scores ``[CLS] question [SEP] passage [SEP]`` by :func:`best_matches`; no weight of its own.

    ColBERT reads the two texts apart, so that passages can be read beforehand. Here they are read together:
    each piece has seen the other text before it is compared.

    Args:
        bert: the body; it is used, not copied.
        scale: cosines lie too close together for a softmax; as in
            :class:`bertlib.variants.sentence_losses.InBatchNegatives`.
    """

    def __init__(self, bert: BertModel, *, scale: float = 20.0) -> None:
        super().__init__()
        self.bert, self.scale = bert, scale

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> HeadOutput:
        """Score pairs (B, T): logits (B, 1). The question's [CLS] and [SEP] look for a match too."""
        hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state  # (B, T, H)
        passage, question = token_type_ids == 1, (token_type_ids == 0) & (attention_mask != 0)
        return HeadOutput(self.scale * best_matches(hidden, question, passage)[:, None])
