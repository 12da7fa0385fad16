"""WordPiece from scratch: normalise, split, match pieces, train a vocabulary.

Read in this order: ``normalize`` (text to words), ``greedy`` (words to pieces), ``merges`` and ``train``
(where the pieces come from), ``fast`` (the same result from caches), ``wordpiece`` (all of it in one class).
"""

from bertlib.tokenizer.encoding import Encoding, EncodingBatch
from bertlib.tokenizer.greedy import greedy_pieces
from bertlib.tokenizer.merges import pair_score
from bertlib.tokenizer.normalize import split_words
from bertlib.tokenizer.pieces import SPECIAL_TOKENS
from bertlib.tokenizer.train import count_words, learn_vocabulary
from bertlib.tokenizer.wordpiece import WordPieceTokenizer

__all__ = [
    "SPECIAL_TOKENS",
    "Encoding",
    "EncodingBatch",
    "WordPieceTokenizer",
    "count_words",
    "greedy_pieces",
    "learn_vocabulary",
    "pair_score",
    "split_words",
]
