import numpy as np
import pytest

from bertlib.blanks import choose_blanks, fill_blanks
from bertlib.cloze import fill_mask
from bertlib.data.arrays import TokenCorpus
from bertlib.errors import InputError
from bertlib.reports import report_guesses
from bertlib.store import load_pretrained


@pytest.fixture
def model_and_tokenizer(finished_run):
    return load_pretrained(finished_run.out / "model")


def test_guesses_are_probabilities_best_first(model_and_tokenizer):
    first, second = fill_mask(*model_and_tokenizer, "the [MASK] met a [MASK].", top=400)
    for guesses in (first, second):
        probabilities = [guess.probability for guess in guesses]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1.0, abs=1e-4)
        assert len({guess.token for guess in guesses}) == 400


def test_the_guess_is_the_models_own(model_and_tokenizer):
    model, tokenizer = model_and_tokenizer
    model.mlm_head.bias.data[tokenizer.vocab.index("the")] += 100
    (guesses,) = fill_mask(model, tokenizer, "a [MASK] came", top=1)
    assert guesses[0].token == "the"
    assert guesses[0].probability > 0.99


def test_a_text_without_a_blank(model_and_tokenizer):
    with pytest.raises(InputError, match=r"no \[MASK\] in 'the dog'"):
        fill_mask(*model_and_tokenizer, "the dog")


def test_a_text_longer_than_the_position_table(model_and_tokenizer):
    with pytest.raises(InputError, match=r"table"):
        fill_mask(*model_and_tokenizer, "[MASK] " + "the dog and " * 200)


def test_blanks_are_whole_words_of_real_sentences(finished_run, model_and_tokenizer):
    model, tokenizer = model_and_tokenizer
    corpus = TokenCorpus.load(finished_run.out / "corpus")
    blanks = choose_blanks(corpus, tokenizer, count=20, generator=np.random.default_rng(0))
    assert len(blanks) == 20
    sentences = {tokenizer.decode(corpus.sentence(i).tolist()) for i in range(corpus.num_sentences)}
    for blank in blanks:
        assert blank.text.count("[MASK]") == 1
        assert blank.text.replace("[MASK]", blank.answer) in sentences
        assert len(blank.answer) >= 3
    filled = fill_blanks(model, tokenizer, blanks[:2], top=3)
    assert [len(blank.guesses) for blank in filled] == [3, 3]
    assert blanks[0].answer in str(filled[0])


def test_guesses_are_drawn_as_bars(model_and_tokenizer):
    blanks = fill_mask(*model_and_tokenizer, "[MASK] and [MASK]", top=2)
    lines = report_guesses(blanks)
    assert [line for line in lines if line.startswith("blank")] == ["blank 1", "blank 2"]
    assert len(lines) == 6
