"""Search in one object: by words, by vectors or by both, and a second look at the best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bertlib.errors import InputError
from bertlib.search.bm25 import BM25, WORD, Found, words_of
from bertlib.search.index import VectorIndex
from bertlib.search.measures import blend, fuse
from bertlib.search.passages import Passage
from bertlib.search.rerank import CrossEncoder
from bertlib.variants.sentence import SentenceEncoder

METHODS = ("vectors", "words", "both")
DEPTH = 50  # passages that each search hands on, to be fused
AGAIN = 10  # of them that a reranker looks at, if no more are asked for: as in bertlib.bench.retrieval


class Hit(NamedTuple):
    """A passage, and how well it fits; scores of different methods cannot be compared."""

    passage: Passage
    score: float


@dataclass(frozen=True, kw_only=True)
class Searcher:
    """What a search needs.

    Attributes:
        passages: to be searched.
        words: their words.
        encoder: reads questions; None: search by words only.
        index: the vectors of the same passages.
        reranker: looks at the best again.
        blended: add the words' score to the reranker's, see :func:`bertlib.search.measures.blend`; both count
            the same, no weight was chosen. With either kind of head the first passage was the right one more
            often than by the reranker alone (:mod:`bertlib.bench.retrieval`).
    """

    passages: list[Passage]
    words: BM25
    encoder: SentenceEncoder | None = None
    index: VectorIndex | None = None
    reranker: CrossEncoder | None = None
    blended: bool = True

    def search(self, question: str, *, top: int = 5, method: str = "both") -> list[Hit]:
        """Return the best passages, best first; by words, only those that share one.

        Raises:
            InputError: an empty question, an unknown method, ``top`` below 1, or vectors without encoder
                and index.
        """
        check_search(question, method, top)
        best = self.candidates(question, max(top, DEPTH), method)
        if self.reranker is not None and best:
            numbers = [number for number, _ in best[: max(top, AGAIN)]]
            scores = self.reranker.scores([(question, self.passages[number].text) for number in numbers])
            if self.blended:
                scores = blend(scores, self.words.scores(question)[numbers])
            best = sorted(zip(numbers, scores.tolist(), strict=True), key=lambda item: -item[1])
        return [Hit(self.passages[number], score) for number, score in best[:top]]

    def candidates(self, question: str, depth: int, method: str) -> list[tuple[int, float]]:
        """Return number and score of the passages that the first search finds, best first."""
        found = self.words.search([question], top=depth)
        by_words = [item for item in pairs_of(found) if item[1] > 0]
        if method == "words":
            return by_words
        if self.encoder is None or self.index is None:
            raise InputError(
                f"the method {method!r} needs an encoder and its index; give both, or take method='words'"
            )
        near = pairs_of(self.index.search(self.encoder.encode([question]), top=depth))
        if method == "vectors":
            return near
        return fuse([[number for number, _ in ranking] for ranking in (near, by_words)])

    def mark(self, text: str, question: str, style: Callable[[str], str]) -> str:
        """Return a text with the question's words in another style, unless half of all passages hold them."""
        telling = {w for w in words_of(question) if self.words.frequency(w) * 2 < self.words.size}
        return WORD.sub(lambda m: style(m[0]) if m[0].lower() in telling else m[0], text)


def check_search(question: str, method: str, top: int) -> None:
    """Refuse what cannot be searched, before anything is read.

    Raises:
        InputError: a question without a word, an unknown method, or ``top`` below 1.
    """
    if not words_of(question):
        raise InputError(f"the question {question!r} has no word; expected something to look for")
    if method not in METHODS:
        raise InputError(f"the method is {method!r}; expected {', '.join(METHODS)}")
    if top < 1:
        raise InputError(f"top is {top}; expected at least 1 passage")


def pairs_of(found: Found) -> list[tuple[int, float]]:
    """Return (number, score) of what was found for the only question."""
    return list(zip(found.numbers[0].tolist(), found.scores[0].tolist(), strict=True))
