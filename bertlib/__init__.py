"""bertlib: BERT in the open, small enough to read and fast enough to pre-train.

>>> import bertlib
>>> model, tokenizer = bertlib.load_pretrained("runs/story-tiny/model")  # doctest: +SKIP
>>> bertlib.fill_mask(model, tokenizer, "The [MASK] sang.")  # doctest: +SKIP
"""

from bertlib.config import BertConfig
from bertlib.data.masking import mask_tokens
from bertlib.data.pairs import make_nsp_pairs
from bertlib.data.prepare import prepare_corpus
from bertlib.fill_mask import fill_mask
from bertlib.model import (
    BertEmbedding,
    BertEncoder,
    BertForPreTraining,
    BertModel,
    MultiHeadSelfAttention,
    TransformerBlock,
)
from bertlib.objectives import MaskedLMLoss, NSPLoss
from bertlib.store import load_pretrained, save_pretrained
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.train import BertTrainer, TrainingConfig

__version__ = "0.1.0"

__all__ = [
    "BertConfig",
    "BertEmbedding",
    "BertEncoder",
    "BertForPreTraining",
    "BertModel",
    "BertTrainer",
    "MaskedLMLoss",
    "MultiHeadSelfAttention",
    "NSPLoss",
    "TrainingConfig",
    "TransformerBlock",
    "WordPieceTokenizer",
    "fill_mask",
    "load_pretrained",
    "make_nsp_pairs",
    "mask_tokens",
    "prepare_corpus",
    "save_pretrained",
]
