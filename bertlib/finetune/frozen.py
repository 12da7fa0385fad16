"""BERT as a source of vectors: the body stays as it is, something small learns on top.

Devlin et al. 2019, section 5.3: six ways to take vectors from the layers, and a two-layer BiLSTM that reads
them (table 7). Shapes: B texts, T positions, H hidden size, L blocks, W width of what is taken, K labels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bertlib.errors import InputError
from bertlib.finetune.features import Features
from bertlib.finetune.heads import HeadOutput, expect_shape, mean_cross_entropy
from bertlib.finetune.layers import freeze
from bertlib.finetune.predicting import read_all
from bertlib.model import BertModel
from bertlib.model.bert import initialise
from bertlib.model.dropout import Dropout

# name: (which of the L + 1 states, the first being the embeddings; what is done with them; blocks needed)
LAYERS: dict[str, tuple[slice, str, int]] = {
    "embeddings": (slice(0, 1), "sum", 1),
    "last": (slice(-1, None), "sum", 1),
    "second-to-last": (slice(-2, -1), "sum", 2),
    "sum-last-4": (slice(-4, None), "sum", 4),
    "concat-last-4": (slice(-4, None), "concat", 4),
    "weighted-last-4": (slice(-4, None), "weighted", 4),
    "sum-all": (slice(1, None), "sum", 1),
    "weighted-all": (slice(1, None), "weighted", 1),
}


class LayerMix(nn.Module):
    """One vector a position, made of the vectors of several layers.

    A weighted sum learns its weights: gamma * sum of softmax(s)_j h_j, which begins as the mean (ELMo, Peters
    et al. 2018, equation 1). All other ways have nothing to learn.

    Args:
        bert: the body whose layers are mixed; only its sizes are read.
        layers: a key of ``LAYERS``.

    Raises:
        InputError: another name, or a body of too few blocks.
    """

    def __init__(self, bert: BertModel, layers: str) -> None:
        super().__init__()
        if layers not in LAYERS:
            raise InputError(f"layers {layers!r}; expected one of {', '.join(LAYERS)}")
        self.layers = layers
        self.chosen, self.how, needed = LAYERS[layers]
        blocks = len(bert.encoder.blocks)
        if blocks < needed:
            raise InputError(
                f"layers {layers!r} of a body of {blocks} blocks; expected at least {needed} blocks, or take "
                "'last' or 'sum-all'"
            )
        count = len(range(blocks + 1)[self.chosen])
        self.width = bert.config.hidden_size * (count if self.how == "concat" else 1)
        if self.how == "weighted":
            self.scores = nn.Parameter(torch.zeros(count))
            self.gamma = nn.Parameter(torch.ones(1))

    def forward(self, states: tuple[Tensor, ...]) -> Tensor:
        """Mix L + 1 times (B, T, H) into (B, T, W)."""
        taken = states[self.chosen]
        if self.how == "concat":
            return torch.cat(taken, dim=-1)
        if self.how == "sum":
            return torch.stack(taken).sum(0)
        return self.gamma * torch.einsum("l,lbth->bth", self.scores.softmax(0), torch.stack(taken))


@torch.no_grad()
def extract(
    bert: BertModel,
    features: Features,
    *,
    layers: str | LayerMix = "last",
    batch_size: int = 64,
    progress: bool = False,
) -> np.ndarray:
    """Read every row once, without dropout, and keep its vectors.

    Args:
        bert: on any device; its mode is given back as it was.
        features: rows; none of them choices.
        layers: a key of ``LAYERS``, or the trained mix of a :class:`FrozenTagger`.
        batch_size: rows at a time.
        progress: show a bar.

    Returns:
        (P, W) float32, laid out as ``features.ids``: row i is ``[starts[i]:starts[i + 1]]``.

    Raises:
        InputError: an unknown name, a sum whose weights nobody has learned, or rows of choices.
    """
    mix = layers if isinstance(layers, LayerMix) else LayerMix(bert, layers)
    if mix.how == "weighted" and not isinstance(layers, LayerMix):
        raise InputError(
            f"the weights of {layers!r} are learned; give the mix of a trained FrozenTagger, or take a sum"
        )
    if features.choices != 1:
        raise InputError(f"rows of {features.choices} choices; expected rows that stand for themselves")
    mix = mix.to(next(bert.parameters()).device)
    vectors = np.empty((len(features.ids), mix.width), np.float32)
    batches = read_all(bert, features, batch_size, progress=progress, output_hidden_states=True)
    for chosen, _, output in batches:
        mixed = mix(output.hidden_states).float().cpu().numpy()
        for row, found in zip(chosen, mixed, strict=True):
            first, last = features.starts[row], features.starts[row + 1]
            vectors[first:last] = found[: last - first]
    return vectors


class FrozenTagger(nn.Module):
    """A BiLSTM of two layers that labels pieces by the vectors of a frozen body (section 5.3, table 7).

    Args:
        bert: the body; it is used, not copied, and its parameters are marked as not to be trained.
        num_labels: K.
        layers: which vectors, a key of ``LAYERS``; the paper's best is "concat-last-4".
        hidden: width of the BiLSTM in each direction; None: that of the body (768 for Base; the paper says
            "768-dimensional", and not whether that is one direction or both).
        dropout: before, between and after the two layers; None: the body's.

    Raises:
        InputError: no labels, no width, an unknown name of layers.
    """

    def __init__(
        self,
        bert: BertModel,
        num_labels: int,
        *,
        layers: str = "concat-last-4",
        hidden: int | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        hidden = bert.config.hidden_size if hidden is None else hidden
        if num_labels < 1 or hidden < 1:
            raise InputError(f"{num_labels} labels and width {hidden}; expected at least 1 of each")
        rate = bert.config.hidden_dropout_prob if dropout is None else dropout
        self.bert = bert
        self.mix = LayerMix(bert, layers)
        self.dropout = Dropout(rate)
        self.lstm = nn.LSTM(
            self.mix.width, hidden, num_layers=2, batch_first=True, bidirectional=True, dropout=rate
        )
        self.classifier = nn.Linear(2 * hidden, num_labels)
        initialise(self.classifier, bert.config)
        freeze(self, "body")
        bert.eval()

    def train(self, mode: bool = True) -> FrozenTagger:
        """Switch dropout of the BiLSTM on or off; the body never has any."""
        super().train(mode)
        self.bert.eval()
        return self

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
    ) -> HeadOutput:
        """Label ``input_ids`` (B, T): logits (B, T, K); ``labels`` (B, T), -100 where no word begins."""
        with torch.no_grad():
            states = self.bert(
                input_ids, attention_mask, token_type_ids, output_hidden_states=True
            ).hidden_states
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        logits = self.label(self.mix(states), mask)
        if labels is None:
            return HeadOutput(logits)
        expect_shape("labels", labels, logits.shape[:2])
        return HeadOutput(logits, mean_cross_entropy(logits.flatten(0, 1), labels.flatten()))

    def label(self, vectors: Tensor, attention_mask: Tensor) -> Tensor:
        """Label vectors (B, T, W), fresh or from :func:`extract`: logits (B, T, K).

        The rows are packed, so that the direction from right to left begins at the text's end and not in
        the padding; ``attention_mask`` (B, T) has its ones in front.
        """
        lengths = attention_mask.sum(1).cpu()
        packed = pack_padded_sequence(self.dropout(vectors), lengths, batch_first=True, enforce_sorted=False)
        read, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=vectors.shape[1])
        return self.classifier(self.dropout(read))
