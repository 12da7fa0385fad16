"""The toy numbers that travel through the book, in one place so that they cannot drift.

Ten columns, four numbers each, and a trick to make sums readable: token vectors are whole numbers,
segment vectors are tenths, position vectors are hundredths. In ``2.11`` the 2 comes from the token,
the first 1 from the segment, the last 1 from the position.

Nobody trained these numbers: they were chosen to be added by hand. ``it`` was put near ``dog``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bertlib.config import BertConfig
from bertlib.model.embeddings import BertEmbedding
from bertlib.tokenizer import WordPieceTokenizer

FIRST = ("my", "dog", "is", "cute")
SECOND = ("it", "likes", "playing")
PIECES = ("[CLS]", *FIRST, "[SEP]", *SECOND, "[SEP]")
SEGMENTS = (0,) * 6 + (1,) * 4

# piece: its vector, H = 4. The order is the order of the ids.
TOKEN_VECTORS: dict[str, tuple[int, int, int, int]] = {
    "[PAD]": (0, 0, 0, 0),
    "[UNK]": (1, 1, 1, 1),
    "[CLS]": (1, 1, 0, 3),
    "[SEP]": (0, 0, 0, 3),
    "[MASK]": (0, 3, 3, 0),
    "my": (2, 0, 1, 3),
    "dog": (3, 0, 1, 0),
    "is": (0, 1, 0, 2),
    "cute": (1, 0, 3, 0),
    "it": (3, 0, 0, 1),
    "likes": (0, 2, 2, 0),
    "playing": (1, 3, 1, 0),
    "play": (1, 3, 0, 0),
    "##ing": (0, 1, 0, 1),
    "cat": (3, 1, 0, 0),
}
SEGMENT_VECTORS = ((0.1, 0.2, 0.3, 0.4), (0.4, 0.3, 0.2, 0.1))
VOCAB = tuple(TOKEN_VECTORS)
HIDDEN_SIZE = 4
MAX_LENGTH = 10
SIZES = (len(VOCAB), len(SEGMENT_VECTORS), MAX_LENGTH)  # rows of the three tables


def tokenizer() -> WordPieceTokenizer:
    """Return the library's tokeniser with the toy vocabulary."""
    return WordPieceTokenizer(VOCAB)


def ids(pieces: tuple[str, ...] | list[str] = PIECES) -> Tensor:
    """Return the ids of the pieces (T,); an unknown piece becomes [UNK]."""
    return torch.tensor([VOCAB.index(p) if p in VOCAB else VOCAB.index("[UNK]") for p in pieces])


def segments() -> Tensor:
    """Return the segment ids of the ten columns (T,)."""
    return torch.tensor(SEGMENTS)


def token_table() -> Tensor:
    """Return a fresh copy of the token vectors (V, H)."""
    return torch.tensor(list(TOKEN_VECTORS.values()), dtype=torch.float32)


def segment_table() -> Tensor:
    """Return a fresh copy of the two segment vectors (2, H)."""
    return torch.tensor(SEGMENT_VECTORS)


def position_table() -> Tensor:
    """Return the ten position vectors (10, H): hundredths that rise, fall, rise, fall."""
    up = torch.arange(MAX_LENGTH) / 100  # (P,)
    return torch.stack([up, up.flip(0), up, up.flip(0)], dim=1)  # (P, H)


def summed() -> Tensor:
    """Return token + segment + position for the ten columns (T, H)."""
    return token_table()[ids()] + segment_table()[segments()] + position_table()


def config() -> BertConfig:
    """Return the configuration of the toy: H = 4, two heads, ten positions, no dropout."""
    return BertConfig(
        vocab_size=len(VOCAB),
        hidden_size=HIDDEN_SIZE,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=4 * HIDDEN_SIZE,
        max_position_embeddings=MAX_LENGTH,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def embedding() -> BertEmbedding:
    """Return the library's embedding module with the toy numbers in its three tables."""
    module = BertEmbedding(config())
    with torch.no_grad():
        module.word_embeddings.weight.copy_(token_table())
        module.token_type_embeddings.weight.copy_(segment_table())
        module.position_embeddings.weight.copy_(position_table())
    return module.eval()
