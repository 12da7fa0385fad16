import numpy as np
import pytest

from bertlib.data.arrays import TokenCorpus
from bertlib.data.holdout import hold_out
from bertlib.errors import CorpusError


def corpus(documents, sentences=5, seed=0):
    rng = np.random.default_rng(seed)
    return TokenCorpus.from_documents(
        [
            [rng.integers(5, 50, rng.integers(1, 9)).tolist() for _ in range(sentences)]
            for _ in range(documents)
        ],
        vocab_size=50,
    )


@pytest.mark.parametrize("documents", [1, 3, 200])
def test_the_two_parts_are_the_whole_in_order(documents):
    whole = corpus(documents)
    train, valid = hold_out(whole, share=0.1)
    assert np.concatenate([train.tokens, valid.tokens]).tolist() == whole.tokens.tolist()
    assert train.num_sentences + valid.num_sentences == whole.num_sentences
    assert valid.sentence(0).tolist() == whole.sentence(train.num_sentences).tolist()
    assert train.document_ends[-1] == train.num_sentences
    assert valid.document_ends[-1] == valid.num_sentences
    assert valid.sentence_ends[-1] == valid.num_tokens


def test_with_many_documents_none_is_cut_in_two():
    train, valid = hold_out(corpus(200), share=0.1)
    assert train.num_documents + valid.num_documents == 200
    assert valid.num_tokens / (train.num_tokens + valid.num_tokens) == pytest.approx(0.1, abs=0.02)


def test_two_documents_at_least_are_set_aside():
    assert hold_out(corpus(20), share=0.001)[1].num_documents == 2


def test_one_sentence_cannot_be_split():
    with pytest.raises(CorpusError, match="at least two"):
        hold_out(corpus(1, sentences=1))
