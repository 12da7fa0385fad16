import numpy as np
import pytest

from bertlib.data.pairs import cut_chunks, locate_sentences, make_nsp_pairs, make_single_texts, truncate_pair
from bertlib.errors import CorpusError


def corpus(documents=300, seed=0, longest=20):
    """Ends of sentences of 1 to `longest` tokens in documents of 1 to 12 sentences."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 13, documents)
    lengths = rng.integers(1, longest + 1, sizes.sum())
    return np.cumsum(lengths), np.cumsum(sizes)


def pairs(max_tokens=40, **changes):
    sentence_ends, document_ends = corpus(**changes)
    made = make_nsp_pairs(
        sentence_ends, document_ends, max_tokens=max_tokens, generator=np.random.default_rng(1)
    )
    return made, sentence_ends, document_ends


def document_of(token, sentence_ends, document_ends):
    sentence = np.searchsorted(sentence_ends, token, side="right")
    return np.searchsorted(document_ends, sentence, side="right")


def test_half_of_the_pairs_follow():
    made, *_ = pairs(documents=5000)
    share = (made.label == 0).mean()
    assert share == pytest.approx(0.5, abs=4 * 0.5 / len(made.label) ** 0.5)


def test_is_next_pairs_meet_and_not_next_pairs_come_from_another_document():
    made, sentence_ends, document_ends = pairs()
    follows = made.label == 0
    a_end = made.a_start + made.a_length
    assert (a_end[follows] == made.b_start[follows]).all()
    a_document = document_of(made.a_start, sentence_ends, document_ends)
    b_document = document_of(made.b_start, sentence_ends, document_ends)
    assert (a_document[follows] == b_document[follows]).all()
    assert (a_document[~follows] != b_document[~follows]).all()


@pytest.mark.parametrize("max_tokens", [5, 40, 61])
def test_everything_fits_and_nothing_is_empty(max_tokens):
    made, sentence_ends, _ = pairs(max_tokens=max_tokens)
    assert (made.a_length + made.b_length <= max_tokens).all()
    assert (made.a_length >= 1).all()
    assert (made.b_length >= 1).all()
    assert (made.b_start + made.b_length <= sentence_ends[-1]).all()


def test_no_pair_crosses_the_end_of_a_document():
    made, sentence_ends, document_ends = pairs()
    for start, length in ((made.a_start, made.a_length), (made.b_start, made.b_length)):
        first = document_of(start, sentence_ends, document_ends)
        last = document_of(start + length - 1, sentence_ends, document_ends)
        assert (first == last).all()


def test_runs_cover_every_sentence_once():
    sentences = locate_sentences(*corpus())
    begin, end = cut_chunks(sentences, max_tokens=40, generator=np.random.default_rng(0), short_share=0.1)
    covered = np.concatenate([np.arange(b, e) for b, e in zip(begin, end, strict=True)])
    assert covered.tolist() == list(range(len(sentences.end)))


def test_truncation_is_the_released_loop():
    def loop(a, b, room):
        while a + b > room:
            if a > b:
                a -= 1
            else:
                b -= 1
        return a, b

    rng = np.random.default_rng(3)
    a, b = rng.integers(1, 40, 500), rng.integers(1, 40, 500)
    for room in (2, 7, 30):
        expected = [loop(x, y, room) for x, y in zip(a, b, strict=True)]
        assert list(zip(*(column.tolist() for column in truncate_pair(a, b, room)), strict=True)) == expected


def test_documents_of_one_sentence_give_only_not_next():
    ends = np.arange(1, 21) * 4
    made = make_nsp_pairs(ends, np.arange(1, 21), max_tokens=20, generator=np.random.default_rng(0))
    assert (made.label == 1).all()


def test_one_document_is_not_enough_for_pairs_but_for_single_texts():
    sentence_ends, document_ends = np.array([4, 9, 12]), np.array([3])
    with pytest.raises(CorpusError, match="1 document"):
        make_nsp_pairs(sentence_ends, document_ends, max_tokens=8, generator=np.random.default_rng(0))
    made = make_single_texts(sentence_ends, document_ends, max_tokens=8, generator=np.random.default_rng(0))
    assert (made.b_length == 0).all()
    assert (made.label == -100).all()


def test_the_generator_decides_everything():
    first, second = pairs()[0], pairs()[0]
    assert all((x == y).all() for x, y in zip(first, second, strict=True))
