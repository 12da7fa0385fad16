"""Sentence-BERT: one vector for a whole text, so that alike texts have a small angle between them.

BERT as pre-trained has no such vector: C was only ever asked which sentence follows. Sentence-BERT (Reimers
and Gurevych 2019) averages the last vectors of all pieces and trains the body until the average serves. Two
texts are then read apart, each once, and comparing them is one product of two vectors: a million texts can
wait, encoded, for a question. (:mod:`bertlib.variants.sentence_training` has the training.)

Shapes: N texts, B of them a batch, T positions, H hidden size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.errors import CheckpointError, InputError
from bertlib.finetune.features import Features, gather
from bertlib.finetune.packing import pack_rows
from bertlib.model import BertModel
from bertlib.progress import progress_bar
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.variants.sentence_folder import read_facts, read_weights, write_folder

POOLINGS = ("mean", "cls", "max")
FACTS = "sentence.json"


def pool(hidden: Tensor, attention_mask: Tensor, how: str) -> Tensor:
    """Make one vector of the vectors of all pieces; padding takes no part (section 3).

    Args:
        hidden: (B, T, H).
        attention_mask: (B, T), 1 for pieces ([CLS] and [SEP] are two of them) and 0 for padding.
        how: ``"mean"`` (the paper's choice), ``"cls"`` (the first vector) or ``"max"`` (number by number).

    Returns:
        (B, H).

    Example:
        >>> hidden = torch.tensor([[[1.0], [3.0], [9.0]]])
        >>> pool(hidden, torch.tensor([[1, 1, 0]]), "mean")
        tensor([[2.]])
    """
    if how == "cls":
        return hidden[:, 0]
    real = attention_mask[..., None] != 0  # (B, T, 1)
    if how == "max":
        return hidden.masked_fill(~real, -torch.inf).amax(1)
    return hidden.where(real, 0).sum(1) / real.sum(1)


def features_of(texts: Sequence[str], tokenizer: WordPieceTokenizer, *, max_length: int) -> Features:
    """Pack each text as ``[CLS] text [SEP]``, cut to ``max_length`` pieces."""
    rows, firsts = pack_rows(texts, [None] * len(texts), tokenizer, max_length=max_length)
    return gather(rows, firsts, pad_id=tokenizer.pad_id)


class SentenceEncoder(nn.Module):
    """A body that gives one vector a text.

    Args:
        bert: the body; it is used, not copied, and training changes it.
        tokenizer: the one it was trained with.
        pooling: mean, cls or max, see :func:`pool`.
        normalise: give vectors of length 1, so that their dot product is the cosine.

    Raises:
        InputError: an unknown pooling.
        CheckpointError: a vocabulary of another size than the body's.
    """

    def __init__(
        self, bert: BertModel, tokenizer: WordPieceTokenizer, *, pooling: str = "mean", normalise: bool = True
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise InputError(f"pooling is {pooling!r}; expected {', '.join(POOLINGS)}")
        if len(tokenizer) != bert.config.vocab_size:
            raise CheckpointError(
                f"the vocabulary has {len(tokenizer):,} pieces, the body {bert.config.vocab_size:,}; "
                "expected the two that were trained together"
            )
        self.bert, self.tokenizer, self.pooling, self.normalise = bert, tokenizer, pooling, normalise
        self.train(bert.training)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.parameters()).device

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """(B, T) ids -> (B, H), not normalised: the losses decide that themselves."""
        hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state  # (B, T, H)
        return pool(hidden, attention_mask, self.pooling)

    def room(self, max_length: int | None) -> int:
        """Return the pieces a text may have; None: as many as the body has positions for.

        Raises:
            InputError: more than that.
        """
        positions = self.bert.config.max_position_embeddings
        if max_length is not None and max_length > positions:
            raise InputError(f"max_length is {max_length}; expected at most the body's {positions} positions")
        return max_length or positions

    @torch.no_grad()
    def encode(
        self,
        sentences: Sequence[str],
        *,
        batch_size: int = 64,
        max_length: int | None = None,
        progress: bool = False,
    ) -> np.ndarray:
        """Return a vector for each text, in their order, without dropout.

        Args:
            sentences: N texts; what is longer than ``max_length`` pieces loses its end.
            batch_size: texts read at once, those of like length together.
            max_length: pieces a text, [CLS] and [SEP] included; None: the body's positions.
            progress: show a bar.

        Returns:
            (N, H) float32.

        Raises:
            InputError: a single str, or ``max_length`` beyond the body's positions.
        """
        if isinstance(sentences, str):
            raise InputError("sentences is one str; expected several: put it into a list")
        vectors = np.zeros((len(sentences), self.bert.config.hidden_size), np.float32)
        if not len(sentences):
            return vectors
        features = features_of(sentences, self.tokenizer, max_length=self.room(max_length))
        was_training = self.training
        self.eval()
        with progress_bar(total=len(sentences), desc="encode", unit="text", disable=not progress) as bar:
            for rows in features.sorted(batch_size):
                pooled = self(**{name: x.to(self.device) for name, x in features.batch(rows).items()})
                if self.normalise:
                    pooled = F.normalize(pooled, dim=-1)
                vectors[rows] = pooled.float().cpu().numpy()
                bar.update(len(rows))
        self.train(was_training)
        return vectors

    def facts(self) -> dict[str, Any]:
        """Return what ``sentence.json`` holds beside configuration, weights and vocabulary."""
        return {"pooling": self.pooling, "normalise": self.normalise}

    def fingerprint(self) -> str:
        """Return a name for exactly these weights, this vocabulary and this pooling: 16 hex digits.

        Vectors of two encoders can be compared only if their fingerprints are equal.
        """
        digest = hashlib.sha256(repr((self.facts(), self.tokenizer.lowercase)).encode())
        digest.update("\n".join(self.tokenizer.vocab).encode())
        for name, value in sorted(self.bert.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().float().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def save(self, folder: Path | str) -> Path:
        """Write the body, the vocabulary and ``sentence.json`` into ``folder``, all or nothing.

        Raises:
            CheckpointError: the folder holds something else.
            BertlibError: the disk is full.
        """
        return write_folder(
            Path(folder), self.bert, self.bert.config, self.tokenizer, name=FACTS, facts=self.facts()
        )

    @classmethod
    def load(cls, folder: Path | str) -> SentenceEncoder:
        """Read what :meth:`save` wrote; on the CPU, in evaluation mode.

        Raises:
            CheckpointError: no sentence encoder there, or a damaged one.
        """
        config, tokenizer, facts = read_facts(Path(folder), FACTS, {"pooling": str, "normalise": bool})
        return cls(read_weights(lambda: BertModel(config), Path(folder)), tokenizer, **facts)
