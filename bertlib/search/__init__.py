"""Search a folder of texts by words, by vectors and with a second look at the best; sort them into groups."""

from bertlib.search.bm25 import BM25
from bertlib.search.clusters import Groups, agreement, group_texts
from bertlib.search.engine import Hit, Searcher
from bertlib.search.index import VectorIndex, build_index
from bertlib.search.matching import MatchingHead
from bertlib.search.measures import blend, fuse, mean_reciprocal_rank, ranks, recall_at
from bertlib.search.passages import Passage, read_passages
from bertlib.search.rerank import CrossEncoder, Judged, hard_negatives, train_reranker

__all__ = [
    "BM25",
    "CrossEncoder",
    "Groups",
    "Hit",
    "Judged",
    "MatchingHead",
    "Passage",
    "Searcher",
    "VectorIndex",
    "agreement",
    "blend",
    "build_index",
    "fuse",
    "group_texts",
    "hard_negatives",
    "mean_reciprocal_rank",
    "ranks",
    "read_passages",
    "recall_at",
    "train_reranker",
]
