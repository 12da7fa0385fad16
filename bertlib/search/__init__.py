"""Search a folder of texts: by words, by vectors, and with a second look at the best passages."""

from bertlib.search.bm25 import BM25
from bertlib.search.engine import Hit, Searcher
from bertlib.search.index import VectorIndex, build_index
from bertlib.search.measures import fuse, mean_reciprocal_rank, ranks, recall_at
from bertlib.search.passages import Passage, read_passages
from bertlib.search.rerank import CrossEncoder, Judged, hard_negatives, train_reranker

__all__ = [
    "BM25",
    "CrossEncoder",
    "Hit",
    "Judged",
    "Passage",
    "Searcher",
    "VectorIndex",
    "build_index",
    "fuse",
    "hard_negatives",
    "mean_reciprocal_rank",
    "ranks",
    "read_passages",
    "recall_at",
    "train_reranker",
]
