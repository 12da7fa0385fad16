import numpy as np
import pytest

from bertlib.data.pairs import (
    cut_chunks,
    locate_sentences,
    make_nsp_pairs,
    make_single_texts,
    make_sop_pairs,
    truncate_pair,
)
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


@pytest.mark.parametrize("overfill", [True, False])
def test_runs_cover_every_sentence_once(overfill):
    sentences = locate_sentences(*corpus())
    begin, end = cut_chunks(
        sentences, max_tokens=40, generator=np.random.default_rng(0), short_share=0.1, overfill=overfill
    )
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


def sop(max_tokens=40, **changes):
    sentence_ends, document_ends = corpus(**changes)
    made = make_sop_pairs(
        sentence_ends, document_ends, max_tokens=max_tokens, generator=np.random.default_rng(1)
    )
    return made, made.rows(np.flatnonzero(made.label >= 0)), sentence_ends, document_ends


def test_two_sentences_in_order_or_swapped_by_hand():
    """Sentences of 2 and 3 tokens fill the room; the coin decides which stands first."""
    seen = set()
    for seed in range(40):
        made = make_sop_pairs(
            np.array([2, 5]),
            np.array([2]),
            max_tokens=5,
            generator=np.random.default_rng(seed),
            short_share=0,
        )
        seen.add(tuple(int(column[0]) for column in made))
    assert seen == {(0, 2, 2, 3, 0), (2, 3, 0, 2, 1)}


def test_both_halves_are_neighbours_in_one_document_so_topics_tell_nothing():
    _, asked, sentence_ends, document_ends = sop()
    a_end, b_end = asked.a_start + asked.a_length, asked.b_start + asked.b_length
    in_order = asked.label == 0
    assert (a_end[in_order] == asked.b_start[in_order]).all()
    assert (b_end[~in_order] == asked.a_start[~in_order]).all()
    places = (asked.a_start, a_end - 1, asked.b_start, b_end - 1)
    documents = [document_of(place, sentence_ends, document_ends) for place in places]
    assert all((documents[0] == other).all() for other in documents[1:])


def test_both_halves_are_whole_sentences_so_loose_ends_tell_nothing():
    _, asked, sentence_ends, _ = sop(max_tokens=61)
    edges = np.append(sentence_ends, 0)
    for place in (
        asked.a_start,
        asked.a_start + asked.a_length,
        asked.b_start,
        asked.b_start + asked.b_length,
    ):
        assert np.isin(place, edges).all()


def test_lengths_tell_next_to_nothing_about_the_order():
    """The best guess from the difference of the two lengths; cut from the front only it is right to 60 %."""
    sizes = np.random.default_rng(0).integers(2, 40, 3000)
    sentence_ends = np.cumsum(np.random.default_rng(1).geometric(0.06, sizes.sum()))
    made = make_sop_pairs(
        sentence_ends, np.cumsum(sizes), max_tokens=61, generator=np.random.default_rng(2), short_share=0.1
    )
    made = made.rows(np.flatnonzero(made.label >= 0))
    difference = made.a_length - made.b_length
    right = [((difference > bound) == made.label).mean() for bound in range(-60, 60)]
    assert max(max(right), 1 - min(right)) < 0.52


@pytest.mark.parametrize("max_tokens", [5, 40, 61])
def test_every_sentence_comes_once_and_everything_fits(max_tokens):
    made, _, sentence_ends, _ = sop(max_tokens=max_tokens)
    assert (made.a_length + made.b_length <= max_tokens).all()
    assert (made.a_length >= 1).all()
    assert ((made.b_length > 0) == (made.label >= 0)).all()
    covered = [np.arange(s, s + n) for s, n in zip(made.a_start, made.a_length, strict=True)]
    covered += [np.arange(s, s + n) for s, n in zip(made.b_start, made.b_length, strict=True)]
    tokens = np.sort(np.concatenate(covered))
    assert (np.diff(tokens) > 0).all()
    if max_tokens > 20:  # the longest sentence
        assert len(tokens) == sentence_ends[-1]


def test_one_document_is_enough_to_ask_for_the_order_but_not_one_sentence():
    made = make_sop_pairs(
        np.array([4, 9, 12]), np.array([3]), max_tokens=12, generator=np.random.default_rng(0), short_share=0
    )
    assert made.label.tolist() in ([0], [1])
    with pytest.raises(CorpusError, match="nowhere do two sentences"):
        make_sop_pairs(np.array([4, 9]), np.array([1, 2]), max_tokens=12, generator=np.random.default_rng(0))
