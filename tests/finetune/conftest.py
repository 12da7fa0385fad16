"""A BERT so small that it learns in a second, and examples of each kind with a rule planted in them."""

from __future__ import annotations

import random

import pytest
import torch

from bertlib import BertConfig, BertForPreTraining, BertModel, WordPieceTokenizer
from bertlib.data.examples import (
    Answer,
    ChoiceExample,
    IntentExample,
    QuestionExample,
    TaggedExample,
    TextExample,
)
from bertlib.finetune.recipe import FineTuning
from bertlib.store import save_pretrained
from bertlib.tokenizer import SPECIAL_TOKENS

VOCAB = [*SPECIAL_TOKENS, *"abcdefghijklmnopqrstuvwxyz?", *(f"##{letter}" for letter in "abcdefgh")]


def size_of(vocabulary: int) -> BertConfig:
    return BertConfig(
        vocab_size=vocabulary, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=32, initializer_range=0.2,
    )  # fmt: skip


@pytest.fixture(scope="session")
def tokenizer():
    """One piece a letter; a word of several letters from a to h is cut into them."""
    return WordPieceTokenizer(VOCAB)


@pytest.fixture
def body():
    torch.manual_seed(0)
    return BertModel(size_of(len(VOCAB)))


@pytest.fixture(scope="session")
def pretrained(tokenizer, tmp_path_factory):
    """A folder with a model of two blocks, as ``bertlib pretrain`` writes it; to be read only."""
    torch.manual_seed(0)
    model = BertForPreTraining(size_of(len(VOCAB)))
    return save_pretrained(tmp_path_factory.mktemp("models") / "small", model, tokenizer)


@pytest.fixture
def quick():
    """A recipe that suits it."""
    return FineTuning(
        epochs=4, learning_rate=1e-2, batch_size=16, max_length=16, dropout=0.0, weight_decay=0.0
    )


def some_letters(dice: random.Random, alphabet: str = "abcdefgh") -> list[str]:
    return [dice.choice(alphabet) for _ in range(dice.randint(2, 6))]


def with_one(letter: str, letters: list[str], dice: random.Random) -> list[str]:
    place = dice.randint(0, len(letters))
    return [*letters[:place], letter, *letters[place:]]


def text(dice, number):
    late = number % 2
    letters = some_letters(dice, "stuvwxyz" if late else "abcdefgh")
    return TextExample(" ".join(letters), label="late" if late else "early", name=f"{number}")


def measured(dice, number):
    return TextExample(*text(dice, number)[:2], label=float(number % 2), name=f"{number}")


def tagged(dice, number):
    words = with_one("x", some_letters(dice), dice)
    return TaggedExample(tuple(words), tuple("B-X" if w == "x" else "O" for w in words), f"{number}")


def choice(dice, number):
    ends = [" ".join(some_letters(dice)), " ".join(with_one("x", some_letters(dice), dice))]
    return ChoiceExample("a b", tuple(ends[:: -1 if number % 2 else 1]), 1 - number % 2, f"{number}")


def intent(dice, number):
    words, slots, _ = tagged(dice, number)
    asks = number % 2
    return IntentExample(
        (*words, *"zzz" * asks), (*slots, *"OOO" * asks), "ask" if asks else "tell", f"{number}"
    )


def question(dice, number):
    there = number % 3 > 0
    context = " ".join(with_one("x", some_letters(dice), dice) if there else some_letters(dice))
    answers = (Answer("x", context.index("x")),) if there else ()
    return QuestionExample("q?", context, answers, impossible=not there, name=f"{number}")


MAKERS = {
    "classification": text, "regression": measured, "tagging": tagged, "choice": choice, "intents": intent,
    "question": question,
}  # fmt: skip


@pytest.fixture(scope="session")
def planted():
    """Make ``size`` examples of a kind; what is right hangs on single letters."""

    def make(kind: str, size: int, seed: int = 0) -> list:
        dice = random.Random(seed)
        return [MAKERS[kind](dice, number) for number in range(size)]

    return make
