"""The ancestors of BERT, small, with one interface and the same words to predict."""

from bertlib.history.bilstm import BiLSTMLanguageModel
from bertlib.history.causal import CausalTransformer
from bertlib.history.corpus import Corpus, read_texts
from bertlib.history.language_model import Ancestor, LanguageModel, Standing, compare, generate
from bertlib.history.lstm import LSTMLanguageModel
from bertlib.history.masked import MaskedTransformer
from bertlib.history.ngram import NGramModel
from bertlib.history.timeline import TIMELINE, Milestone
from bertlib.history.training import Training
from bertlib.history.visibility import both_sides, jacobian, visibility
from bertlib.history.word2vec import Word2Vec, Word2VecConfig, WordVectors

__all__ = [
    "TIMELINE",
    "Ancestor",
    "BiLSTMLanguageModel",
    "CausalTransformer",
    "Corpus",
    "LSTMLanguageModel",
    "LanguageModel",
    "MaskedTransformer",
    "Milestone",
    "NGramModel",
    "Standing",
    "Training",
    "Word2Vec",
    "Word2VecConfig",
    "WordVectors",
    "both_sides",
    "compare",
    "generate",
    "jacobian",
    "read_texts",
    "visibility",
]
