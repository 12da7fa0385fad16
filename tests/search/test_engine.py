"""The parts together: which method finds what, and who has the last word."""

from __future__ import annotations

import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.search import BM25, Hit, Passage, Searcher, VectorIndex, fuse

TEXTS = ["the cat sat", "the dog ran", "the cat ran", "the sun"]
PASSAGES = [Passage(text, "a.txt", line, line) for line, text in enumerate(TEXTS, start=1)]
COSINES = np.array([0.1, 0.2, 0.3, 0.9], np.float32)


class KnowsAll:
    """Stands in for an encoder: each passage has its own direction, and the question these cosines."""

    def encode(self, texts):
        return COSINES[None]


class LikesShort:
    """Stands in for a reranker."""

    def scores(self, pairs):
        return np.array([-len(text) for _, text in pairs])


@pytest.fixture
def searcher():
    index = VectorIndex(vectors=np.eye(4, dtype=np.float32), passages=PASSAGES, model="m")
    return Searcher(passages=PASSAGES, words=BM25(TEXTS), encoder=KnowsAll(), index=index)


def numbers(hits):
    return [hit.passage.line for hit in hits]


def test_words_find_only_what_shares_one(searcher):
    assert numbers(searcher.search("Cat sat?", method="words")) == [1, 3]
    assert searcher.search("moon", method="words") == []


def test_vectors_find_the_nearest(searcher):
    assert searcher.search("cat", top=2, method="vectors") == [
        Hit(PASSAGES[3], pytest.approx(0.9)),
        Hit(PASSAGES[2], pytest.approx(0.3)),
    ]


def test_both_are_fused(searcher):
    hits = searcher.search("cat sat", top=4)
    expected = fuse([[3, 2, 1, 0], [0, 2]])
    assert [(hit.passage.line - 1, hit.score) for hit in hits] == expected
    assert numbers(hits)[0] == 3


def test_the_reranker_has_the_last_word(searcher):
    judged = Searcher(**vars(searcher) | {"reranker": LikesShort(), "blended": False})
    assert numbers(judged.search("cat", top=2, method="vectors")) == [4, 3]
    assert judged.search("cat", top=1)[0].score == -len("the sun")
    assert judged.search("moon", method="words") == []


def test_words_have_their_say_beside_the_reranker(searcher):
    """All but "the sun" have 11 characters, and "cat" is in two of four: by hand, in spreads from the mean."""
    judged = Searcher(**vars(searcher) | {"reranker": LikesShort()})
    hits = judged.search("cat", top=4, method="vectors")
    short = {line: 3**0.5 if line == 4 else -(3**-0.5) for line in (1, 2, 3, 4)}
    assert {hit.passage.line: hit.score for hit in hits} == pytest.approx(
        {line: short[line] + (1 if line in (1, 3) else -1) for line in short}
    )
    assert numbers(hits) == [4, 3, 1, 2]
    assert judged.search("moon", method="words") == []


def test_a_reranker_looks_at_the_first_ten_alone():
    """The shortest text is the eleventh by words: only who asks for eleven sees it judged."""
    texts = ["cat " * 12 + "x" * n for n in range(10)] + ["cat"]
    passages = [Passage(text, "a.txt", line, line) for line, text in enumerate(texts)]
    searcher = Searcher(passages=passages, words=BM25(texts, b=0), reranker=LikesShort(), blended=False)
    assert len(searcher.search("cat", top=3, method="words")) == 3
    assert 10 not in numbers(searcher.search("cat", top=10, method="words"))
    assert numbers(searcher.search("cat", top=11, method="words"))[0] == 10


def test_words_need_no_model():
    searcher = Searcher(passages=PASSAGES, words=BM25(TEXTS))
    assert numbers(searcher.search("sun", method="words")) == [4]
    with pytest.raises(InputError, match="'both' needs an encoder and its index"):
        searcher.search("sun")


@pytest.mark.parametrize("question", ["", "  ", "?!"])
def test_a_question_without_words(searcher, question):
    with pytest.raises(InputError, match="has no word; expected something to look for"):
        searcher.search(question)


def test_an_unknown_method(searcher):
    with pytest.raises(InputError, match="the method is 'magic'; expected vectors, words, both"):
        searcher.search("cat", method="magic")


def test_telling_words_are_marked(searcher):
    """ "the" is in all four passages and "cat" in half of them: these tell nothing."""
    assert searcher.mark("The dog ran; the Sun.", "the cat, the DOG, the sun", "<{}>".format) == (
        "The <dog> ran; the <Sun>."
    )


def test_chinese_words_are_marked_one_by_one():
    texts = ["猫在睡觉", "狗在跑", "天黑了"]
    passages = [Passage(text, "a.txt", 1, 1) for text in texts]
    searcher = Searcher(passages=passages, words=BM25(texts))
    assert searcher.mark("猫在睡觉", "猫在哪里", "<{}>".format) == "<猫>在睡觉"
