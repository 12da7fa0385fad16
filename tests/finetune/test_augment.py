"""More examples: what may change changes, what must not stays, and the dice decide."""

from __future__ import annotations

from random import Random

import pytest
import torch

from bertlib import BertConfig, BertModel, WordPieceTokenizer
from bertlib.cloze import Guess
from bertlib.data.examples import (
    ChoiceExample,
    IntentExample,
    QuestionExample,
    TaggedExample,
    TextExample,
)
from bertlib.errors import InputError
from bertlib.finetune.augment import (
    DropWords,
    ReplaceWords,
    SwapNeighbours,
    augment,
    change_text,
    chosen,
    draw,
)
from bertlib.model import BertForPreTraining
from bertlib.tokenizer import SPECIAL_TOKENS

WORDS = ["the", "old", "cat", "sat", "on", "a", "mat", "ann", "left", "paris", "in", "may", ",", ".", "##s"]


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])


@pytest.fixture(scope="module")
def model(tokenizer):
    """A model that always says "mat", and sometimes "may", whatever is asked."""
    config = BertConfig.from_preset("tiny", vocab_size=len(tokenizer), max_position_embeddings=8)
    model = BertForPreTraining(config, bert=BertModel(config)).eval()
    with torch.no_grad():
        model.mlm_head.bias[tokenizer.words_to_ids("mat")] = 50.0
        model.mlm_head.bias[tokenizer.words_to_ids("may")] = 49.0
    return model


@pytest.fixture
def replace(model, tokenizer):
    return ReplaceWords(model=model, tokenizer=tokenizer, share=0.4, top=2)


class First:
    """Dice that always fall the same: the first places, the first choice."""

    def sample(self, places, count):
        return places[:count]

    def choices(self, things, weights):
        return things[:1]


def test_the_number_of_places_by_hand():
    assert len(chosen(range(20), 0.1, Random(0))) == 2
    assert len(chosen(range(3), 0.1, Random(0))) == 1
    assert chosen([], 0.1, Random(0)) == []
    assert chosen([4, 2], 1.0, Random(0)) == [2, 4]


def test_dropping_and_swapping_by_hand():
    text = "The cat, the old cat, sat."
    assert change_text(text, DropWords(share=0.3), First()) == ", the old cat, sat."
    assert change_text(text, SwapNeighbours(share=0.2), First()) == "cat The, the old cat, sat."
    assert change_text("一只猫", SwapNeighbours(share=0.3), First()) == "只一猫"


def test_what_is_a_word():
    assert change_text("I don't, 猫狗!", upper, First()) == "I DON'T, 猫狗!"
    assert "".join(seen) == "I don't, 猫狗!"
    assert seen[1::2] == ["I", "don't", "猫", "狗"]


seen: list[str] = []


def upper(words, places, dice):
    seen[:] = words
    return [word.upper() if i in places else word for i, word in enumerate(words)]


def test_one_word_always_stays():
    assert change_text("cat sat", DropWords(share=1.0), Random(0)).split() != []
    assert change_text("cat", DropWords(), Random(0)) == "cat"
    assert change_text("cat", SwapNeighbours(), Random(0)) == "cat"
    assert change_text("... !", DropWords(), Random(0)) == "... !"


def test_swapping_keeps_the_words_and_dropping_keeps_their_order():
    words = [f"w{i}" for i in range(30)]
    swapped = SwapNeighbours(share=0.3)(words, range(30), Random(1))
    assert sorted(swapped) == sorted(words)
    assert swapped != words
    left = [word for word in DropWords(share=0.3)(words, range(30), Random(1)) if word]
    assert len(left) == 21
    assert left == sorted(left, key=lambda word: int(word[1:]))


def test_words_are_replaced_by_what_the_model_says(replace):
    assert change_text("The old cat sat.", replace, First()) == "mat mat cat sat."


def test_a_word_is_not_replaced_by_itself(replace):
    assert change_text("mat mat.", replace, First()) == "may mat."


def test_a_draw_by_hand():
    guesses = [Guess("cat", 0.6), Guess("##s", 0.2), Guess(".", 0.1), Guess("dog", 0.03), Guess("cow", 0.01)]
    drawn = [draw(guesses, "Cat", Random(i)) for i in range(400)]
    assert set(drawn) == {"dog", "cow"}
    assert drawn.count("dog") == pytest.approx(300, abs=40)
    assert draw(guesses[:3], "Cat", Random(0)) == "Cat"


def test_long_texts_are_read_in_stretches(replace):
    """The position table holds 8 pieces; the text has 30 words, and one that is longer than the table."""
    words = ["cat"] * 20 + ["catssssssssss"] + ["sat"] * 9
    replaced = replace(words, [0, 19, 29, 5], Random(0))
    assert len(replaced) == 30
    assert sum(new != old for new, old in zip(replaced, words, strict=True)) == 2
    assert {new for new, old in zip(replaced, words, strict=True) if new != old} <= {"mat", "may"}


def test_a_blank_that_somebody_wrote_is_left_alone(replace):
    words = ["the", "[MASK]", "sat"]
    assert replace(words, [0, 2], Random(0)) == words


def test_tags_stay_and_so_do_the_words_they_are_about(replace):
    example = TaggedExample(("Ann", "left", "Paris", "in", "May"), ("B-PER", "O", "B-LOC", "O", "O"), "7")
    for seed in range(10):
        new = augment([example], replace, dice=Random(seed))[1]
        assert new.tags == example.tags
        assert (new.words[0], new.words[2], len(new.words)) == ("Ann", "Paris", 5)
        assert new.words != example.words
    only = TaggedExample(("Ann",), ("B-PER",))
    assert augment([only], replace, dice=Random(0)) == [only, only]


def test_intents_keep_their_slots(replace):
    example = IntentExample(("left", "in", "may"), ("O", "O", "B-date"), "leave")
    new = augment([example], replace, dice=Random(0))[1]
    assert new.words[2] == "may"
    assert (new.slots, new.intent) == (example.slots, example.intent)


def test_originals_first_labels_kept_and_seeds_decide(replace):
    examples = [TextExample("the old cat sat", "a cat sat", "yes", "1"), TextExample("ann left", None, "no")]
    more = augment(examples, DropWords(share=0.4), dice=Random(3), copies=2)
    assert more[:2] == examples
    assert [(e.label, e.name) for e in more] == [("yes", "1"), ("no", "")] * 3
    assert [e.second is None for e in more] == [False, True] * 3
    assert more == augment(examples, DropWords(share=0.4), dice=Random(3), copies=2)
    assert more != augment(examples, DropWords(share=0.4), dice=Random(4), copies=2)


@pytest.mark.parametrize("way", [DropWords(), SwapNeighbours()])
def test_tagged_words_are_not_moved(way):
    with pytest.raises(InputError, match=f"{type(way).__name__} moves words away from their tags"):
        augment([TaggedExample(("a", "b"), ("O", "O"))], way, dice=Random(0))


@pytest.mark.parametrize("example", [QuestionExample("who?", "ann"), ChoiceExample("a", ("b", "c"))])
def test_answers_that_would_no_longer_fit(example):
    with pytest.raises(InputError, match=f"a {type(example).__name__} cannot be augmented"):
        augment([example], DropWords(), dice=Random(0))


def test_wrong_numbers():
    for share in (0.0, 1.5):
        with pytest.raises(InputError, match=f"share {share} of the words"):
            augment([TextExample("a b")], DropWords(share=share), dice=Random(0))
    with pytest.raises(InputError, match="0 copies"):
        augment([TextExample("a b")], DropWords(), dice=Random(0), copies=0)
