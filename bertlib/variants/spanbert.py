"""SpanBERT: guess a hidden span from the two words at its borders (Joshi et al. 2020).

What differs from BERT:

1. Spans of words are masked, not single words (section 3.1): ``masking="spans"`` of the recipe.
2. A second loss, the *span boundary objective* (section 3.2): each hidden word is also predicted from the
   vectors just outside its span and its place in the span, nothing else. Borders so learn what lies between.
3. Single texts, no NSP (section 3.3): ``pairs="none"``.

Shapes: B texts, T positions, N selected positions in the whole batch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.data.batches import Batch
from bertlib.errors import InputError
from bertlib.model import BertForPreTraining
from bertlib.model.bert import initialise
from bertlib.objectives import MaskedLMLoss


class SpanLosses(NamedTuple):
    """Losses of one step in nats, each a mean over the selected words; the total is their sum."""

    total: Tensor
    mlm: Tensor
    boundary: Tensor


def span_boundaries(selected: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each selected position the last place before its span and the first one after it.

    Spans must not touch, or they are one; :func:`bertlib.data.spans.select_spans` sees to that.

    Args:
        selected: (B, T) booleans.

    Returns:
        (B, T) each; of no meaning where nothing is selected.

    Raises:
        InputError: a span at the very edge of a text, where [CLS] and [SEP] should stand.

    Example:
        >>> left, right = span_boundaries(torch.tensor([[False, True, True, False]]))
        >>> left[0, 1:3].tolist(), right[0, 1:3].tolist()
        ([0, 0], [3, 3])
    """
    if bool((selected[:, 0] | selected[:, -1]).any()):
        raise InputError("a selected span touches the edge of a text; expected [CLS] before and [SEP] behind")
    length = selected.shape[1]
    place = torch.arange(length, device=selected.device).expand_as(selected)
    left = place.masked_fill(selected, 0).cummax(1).values
    right = place.masked_fill(selected, length - 1).flip(1).cummin(1).values.flip(1)
    return left, right


class SpanBoundaryHead(nn.Module):
    """Two layers with GELU and norm over [left border; right border; place in the span] (section 3.2).

    Args:
        config: sizes of the model.
        longest: rows of the table of places; words further in share the last row. The paper's spans have up
            to ten words, so a few more pieces.
        place_size: width of that table, the paper's 200 (section 4.2).
    """

    def __init__(self, config: BertConfig, *, longest: int = 20, place_size: int = 200) -> None:
        super().__init__()
        width, eps = config.hidden_size, config.layer_norm_eps
        self.places = nn.Embedding(longest, place_size)
        self.layers = nn.ModuleList([nn.Linear(2 * width + place_size, width), nn.Linear(width, width)])
        self.norms = nn.ModuleList([nn.LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)])
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        initialise(self, config)

    def forward(self, hidden: Tensor, selected: Tensor, word_embeddings: Tensor) -> Tensor:
        """Score the selected words: (B, T, H), (B, T) and the table (V, H) give (N, V)."""
        left, right = span_boundaries(selected)
        text, position = selected.nonzero(as_tuple=True)  # (N,) each
        before, after = left[selected], right[selected]
        place = (position - before - 1).clamp(max=self.places.num_embeddings - 1)
        x = torch.cat([hidden[text, before], hidden[text, after], self.places(place)], dim=-1)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(F.gelu(layer(x)))  # (N, H)
        return F.linear(x, word_embeddings, self.bias)


def spanbert_losses(model: BertForPreTraining, head: SpanBoundaryHead, batch: Batch) -> SpanLosses:
    """Return both losses of a batch with masked spans (section 3.2).

    The body computes every position: the borders are not among the selected ones.
    """
    body = model.bert(batch.input_ids, batch.attention_mask, batch.token_type_ids)
    hidden, table = body.last_hidden_state, model.bert.word_embeddings
    mlm = MaskedLMLoss()(model.mlm_head(hidden[batch.selected], table), batch.labels)
    boundary = MaskedLMLoss()(head(hidden, batch.selected, table), batch.labels)
    return SpanLosses(mlm + boundary, mlm, boundary)
