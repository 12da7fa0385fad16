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


def line_differences(lines, vocab, *, lowercase):
    """The lines of which encode_lines gives other ids than the library."""
    ids, counts = WordPieceTokenizer(vocab, lowercase=lowercase).encode_lines("\n".join(lines))
    assert len(counts) == len(lines)
    assert counts.sum() == len(ids)
    theirs = reference(vocab, lowercase=lowercase, special=False).encode_batch_fast(
        lines, add_special_tokens=False
    )
    bounds = pairwise(accumulate(counts.tolist(), initial=0))
    return [
        line
        for line, (start, end), expected in zip(lines, bounds, theirs, strict=True)
        if ids[start:end].tolist() != expected.ids
    ]


def check_random_texts(count, seed, lowercase):
    texts = random_texts(count, seed=seed)
    vocab = vocabulary_of(texts, lowercase=lowercase)
    assert differences(texts, vocab, lowercase=lowercase) == []
    lines = "\n".join(texts).split("\n")
    assert line_differences(lines, vocab, lowercase=lowercase) == []


@BOTH
def test_random_texts(lowercase):
    check_random_texts(8_000, 1, lowercase)


@BOTH
def test_special_tokens_as_plain_words(lowercase):
    texts = random_texts(2_000, seed=2)
    vocab = vocabulary_of(texts, lowercase=lowercase)
    assert differences(texts, vocab, lowercase=lowercase, allow_special=False) == []


@pytest.mark.slow
@BOTH
def test_a_hundred_thousand_random_texts(lowercase):
    texts = random_texts(100_000, seed=3)
    assert differences(texts, vocabulary_of(texts, lowercase=lowercase), lowercase=lowercase) == []


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", ["pretrain_small_en", "pretrain_zh"])
@BOTH
def test_whole_corpora(name, lowercase):
    """The ids of every line; the offsets, which take five times as long, of every twentieth."""
    lines = corpus_lines(name)
    words = count_words(lines[::20], lowercase=lowercase, progress=False)
    vocab = learn_vocabulary(words, 8_192, engine="library", progress=False)
    assert line_differences(lines, vocab, lowercase=lowercase) == []
    assert differences(lines[::20], vocab, lowercase=lowercase) == []
