"""What holds for every ancestor that reads from left to right, and for the one that does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bertlib.errors import ConfigError, CorpusError, InputError, TrainingError
from bertlib.history import LSTMLanguageModel, NGramModel, Training, compare, generate
from bertlib.history.bilstm import reverse
from bertlib.history.masked import words_of
from bertlib.history.neural import pad

LEFT_TO_RIGHT = ["ngram", "lstm", "bilstm", "causal"]
V, BEGIN, END = 29, 2, 3


@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_chances_sum_to_one_and_give_the_perplexity(name, fitted, held_out):
    """The perplexity again, word by word from next_word alone: the same question for every model."""
    model, rows = fitted(name), held_out[:3]
    surprises = []
    for row in rows:
        for place in range(1, len(row)):
            chances = model.next_word(row[:place])
            assert chances.shape == (V,)
            assert chances.sum() == pytest.approx(1)
            surprises.append(-math.log(chances[row[place]]))
    assert len(surprises) == 3 * 13
    assert model.perplexity(rows) == pytest.approx(math.exp(np.mean(surprises)), rel=1e-4)


@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_it_learns_what_can_be_known_and_no_more(name, fitted, held_out):
    """Three of thirteen ids are one of six: perplexity 6^(3/13) = 1.51. Below it somebody has peeped."""
    least = 6 ** (3 / 13)
    assert 0.9 * least < fitted(name).perplexity(held_out) < 1.35 * least


def test_the_backward_half_reads_from_the_right(fitted, held_out):
    """From the right, the last word of a phrase is one of six: three of thirteen again."""
    model = fitted("bilstm")
    assert 0.9 * 6 ** (3 / 13) < model.backward_perplexity(held_out) < 1.35 * 6 ** (3 / 13)
    turned = [row[::-1].copy() for row in held_out]
    assert model.perplexity(turned) > 3 * model.perplexity(held_out)
    assert model.backward_perplexity(turned) > 3 * model.backward_perplexity(held_out)


def test_the_masked_model_learns_and_has_no_perplexity(fitted, held_out):
    """Whoever knows the 24 words and no more has 24; the rest of the phrase tells the word."""
    model = fitted("masked")
    assert not hasattr(model, "perplexity")
    assert not hasattr(model, "next_word")
    assert 1 <= model.pseudo_perplexity(held_out) < 12


def test_pseudo_perplexity_word_by_word(fitted, held_out):
    """The same number, one word at a time and without padding; row by row of other lengths."""
    model, rows = fitted("masked"), [held_out[0], held_out[1][:6], np.array([BEGIN, 7, END])]
    surprises = []
    for row in rows:
        for place in range(1, len(row) - 1):
            ids = torch.from_numpy(row)[None].clone()
            ids[0, place] = model.mask_id
            with torch.no_grad():
                logits = model.model(ids).prediction_logits[0, place]
            surprises.append(-logits.log_softmax(-1)[row[place]].item())
    assert len(surprises) == 12 + 4 + 1
    assert model.pseudo_perplexity(rows) == pytest.approx(math.exp(np.mean(surprises)), rel=1e-4)


@pytest.mark.parametrize("name", ["lstm", "bilstm", "causal", "masked"])
def test_a_seed_decides_all(name, make, corpus):
    first, again, other = (make(name, seed=seed, epochs=1).fit(corpus[:32]) for seed in (0, 0, 1))
    weights = [model.word_embeddings.weight for model in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_fitting_leaves_the_reader_s_dice_alone(make, corpus):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    make("lstm", epochs=1).fit(corpus[:8])
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("name", [*LEFT_TO_RIGHT, "masked"])
def test_bad_corpora(name, make):
    model = make(name)
    with pytest.raises(CorpusError, match="the corpus is empty; expected at least one row"):
        model.fit([])
    with pytest.raises(InputError, match="row 1 has the id 29; expected 0 to 28"):
        model.fit([np.array([2, 3]), np.array([2, 29, 3])])
    with pytest.raises(InputError, match="row 0 has the id -1"):
        model.fit([np.array([2, -1, 3])])
    with pytest.raises(InputError, match="at least 2 whole numbers in one row"):
        model.fit([np.array([2])])
    with pytest.raises(InputError, match="float64"):
        model.fit([np.array([2.0, 3.0])])


@pytest.mark.parametrize("name", [*LEFT_TO_RIGHT, "masked"])
def test_nothing_is_known_before_fit(name, make, held_out):
    model = make(name)
    questions = (
        [model.pseudo_perplexity]
        if name == "masked"
        else [model.perplexity, lambda rows: model.next_word(rows[0])]
    )
    for question in questions:
        with pytest.raises(TrainingError, match="has learned nothing yet; call fit first"):
            question(held_out)


def test_saved_weights_count_as_learned(make, fitted, held_out):
    other = make("lstm")
    other.load_state_dict(fitted("lstm").state_dict())
    assert other.perplexity(held_out) == fitted("lstm").perplexity(held_out)


@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_generation_goes_on_with_what_it_has_learned(name, fitted):
    """After the first word of a phrase come the three others; the mark of the end is not returned."""
    rng = np.random.default_rng(0)
    drawn = generate(fitted(name), [BEGIN, 9], end=END, length=5, rng=rng, temperature=0)
    assert drawn == [BEGIN, 9, 10, 11, 12]
    texts = [generate(fitted(name), [BEGIN], end=END, length=40, rng=rng, temperature=0.5) for _ in range(3)]
    assert all(END not in text and 4 < len(text) < 40 for text in texts)
    assert texts[0] != texts[1]


def test_generation_of_nonsense(fitted):
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="the prompt is an array"):
        generate(fitted("ngram"), [], end=END, length=5, rng=rng)
    with pytest.raises(InputError, match="the prompt has the id 99"):
        generate(fitted("ngram"), [99], end=END, length=5, rng=rng)
    with pytest.raises(InputError, match="temperature is -1"):
        generate(fitted("ngram"), [BEGIN], end=END, length=5, rng=rng, temperature=-1)


def test_a_context_that_is_none(fitted):
    for name in LEFT_TO_RIGHT:
        with pytest.raises(InputError, match="the context"):
            fitted(name).next_word([])


def test_the_table(corpus, held_out):
    table = compare({"nothing": NGramModel(V, 0), "one": NGramModel(V, 1)}, corpus, held_out)
    assert [line.name for line in table] == ["nothing", "one"]
    assert table[0].perplexity == pytest.approx(V)
    assert table[0].parameters == 0
    assert table[1].perplexity < V
    assert all(line.seconds > 0 for line in table)


def test_an_lstm_s_windows_hand_the_state_on(make, corpus):
    """The windows' losses add up to the loss of the whole row: the state is not forgotten in between."""
    model, whole = make("lstm"), make("lstm")
    whole.window = 99
    batch = *pad(corpus[:4], torch.device("cpu")), torch.Generator()
    parts = list(model.losses(*batch))
    assert len(parts) == 2  # 14 ids in windows of 8; the last id of a row has no next one
    expected = next(iter(whole.losses(*batch)))
    assert ((8 * parts[0] + 5 * parts[1]) / 13).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_gradient_ends_at_the_window(make, corpus):
    model = make("lstm")
    kept = []
    model.embedding.register_forward_hook(lambda _, __, out: kept.append(out))
    losses = list(model.losses(*pad(corpus[:1], torch.device("cpu")), torch.Generator()))
    own = torch.autograd.grad(losses[1], kept[1], retain_graph=True)[0]
    assert own.abs().sum() > 0
    assert torch.autograd.grad(losses[1], kept[0], allow_unused=True)[0] is None


def test_turning_around_leaves_padding_alone():
    ids, mask = pad([np.array([2, 7, 8, 3]), np.array([2, 3])], torch.device("cpu"))
    assert reverse(ids, mask).tolist() == [[3, 8, 7, 2], [3, 2, 0, 0]]
    assert torch.equal(reverse(reverse(ids, mask), mask), ids)
    assert words_of(mask).int().tolist() == [[0, 1, 1, 0], [0, 0, 0, 0]]


def test_parameters_are_those_that_learn():
    """LSTM: V·H in, 4·(H·H + H·H + 2·H) inside, H·V + V out."""
    model = LSTMLanguageModel(10, size=4)
    assert model.num_parameters == 10 * 4 + 4 * (4 * 4 + 4 * 4 + 2 * 4) + 4 * 10 + 10


@pytest.mark.parametrize("name", ["causal", "masked"])
def test_every_parameter_that_is_counted_gets_a_gradient(name, make, corpus):
    model = make(name)
    loss = next(iter(model.losses(*pad(corpus[:2], torch.device("cpu")), torch.Generator().manual_seed(0))))
    loss.backward()
    assert all((p.grad is not None) == p.requires_grad for p in model.parameters())


def test_recipes_that_are_none():
    for wrong in ({"epochs": 0}, {"batch_size": 0}, {"learning_rate": 0}, {"clip": 0}, {"warmup_share": 1}):
        with pytest.raises(ConfigError, match=f"{next(iter(wrong))}.*expected"):
            Training(**wrong)


def test_a_loss_that_explodes(make, corpus):
    model = make("lstm")
    with torch.no_grad():
        model.embedding.weight[2] = float("nan")
    with pytest.raises(
        TrainingError, match="step 1: the loss is no finite number; try a lower learning rate"
    ):
        model.fit(corpus[:4])


def test_a_row_without_words_has_no_pseudo_perplexity(fitted):
    with pytest.raises(InputError, match="no row has a word between its two marks"):
        fitted("masked").pseudo_perplexity([np.array([BEGIN, END])])
