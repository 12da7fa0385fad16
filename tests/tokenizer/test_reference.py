"""Ids and offsets against the `tokenizers` library, on random Unicode and on whole corpora."""

from itertools import accumulate, pairwise

import pytest
from reference_bert import corpus_lines, random_texts, reference, vocabulary_of

from bertlib.tokenizer import WordPieceTokenizer, count_words, learn_vocabulary

BOTH = pytest.mark.parametrize("lowercase", [True, False], ids=["uncased", "cased"])


def differences(texts, vocab, *, lowercase, allow_special=True):
    """The texts whose ids, tokens or offsets differ from the library's."""
    ours = WordPieceTokenizer(vocab, lowercase=lowercase)
    theirs = reference(vocab, lowercase=lowercase, special=allow_special).encode_batch(texts)
    wrong = []
    for text, expected in zip(texts, theirs, strict=True):
        got = ours.encode(text, allow_special=allow_special)
        if (got.ids, got.offsets) != (expected.ids, expected.offsets):
            wrong.append(text)
    return wrong


def line_differences(lines, vocab, *, lowercase, block=100):
    """The lines of which encode_lines gives other ids than the library."""
    ours = WordPieceTokenizer(vocab, lowercase=lowercase)
    theirs = reference(vocab, lowercase=lowercase, special=False)
    wrong = []
    for first in range(0, len(lines), block):
        some = lines[first : first + block]
        ids, counts = ours.encode_lines("\n".join(some))
        assert len(counts) == len(some)
        assert counts.sum() == len(ids)
        expected = theirs.encode_batch_fast(some, add_special_tokens=False)
        bounds = pairwise(accumulate(counts.tolist(), initial=0))
        for line, (start, end), one in zip(some, bounds, expected, strict=True):
            if ids[start:end].tolist() != one.ids:
                wrong.append(line)
    return wrong


def check_random_texts(texts, lowercase):
    """Ids and offsets of every text; the fast path on 10,000 of them."""
    vocab = vocabulary_of(texts, lowercase=lowercase)
    assert differences(texts, vocab, lowercase=lowercase) == []
    lines = "\n".join(texts[:10_000]).split("\n")
    assert line_differences(lines, vocab, lowercase=lowercase) == []


@BOTH
def test_random_texts(lowercase):
    check_random_texts(random_texts(1_500, seed=1), lowercase)


@BOTH
def test_special_tokens_as_plain_words(lowercase):
    texts = random_texts(1_000, seed=2)
    vocab = vocabulary_of(texts, lowercase=lowercase)
    assert differences(texts, vocab, lowercase=lowercase, allow_special=False) == []


@pytest.mark.slow
@BOTH
def test_a_hundred_thousand_random_texts(lowercase):
    """Half of them with each kind of tokenizer."""
    check_random_texts(random_texts(50_000, seed=3 + lowercase), lowercase)


@pytest.mark.slow
@pytest.mark.data
@BOTH
def test_a_whole_english_corpus(lowercase):
    """The ids of every line; the offsets, which take five times as long, of every twentieth."""
    check_corpus(corpus_lines("pretrain_small_en"), lowercase, offsets_every=20)


@pytest.mark.slow
@pytest.mark.data
@BOTH
def test_a_whole_chinese_corpus(lowercase):
    """Capitals are rare in it, so each line is compared once, with one of the two kinds of tokenizer."""
    check_corpus(corpus_lines("pretrain_zh")[lowercase::2], lowercase, offsets_every=40)


def check_corpus(lines, lowercase, *, offsets_every):
    words = count_words(lines[::20], lowercase=lowercase, progress=False)
    vocab = learn_vocabulary(words, 8_192, engine="library", progress=False)
    assert line_differences(lines, vocab, lowercase=lowercase) == []
    assert differences(lines[::offsets_every], vocab, lowercase=lowercase) == []
