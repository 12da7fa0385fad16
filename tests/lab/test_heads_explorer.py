"""Every head of a model, one at a time."""

import re

import pytest
import torch

import bertlib
from bertlib.errors import InputError
from bertlib.lab import toy
from bertlib.lab.heads_explorer import explore_heads, look, strongest
from bertlib.model import BertModel


@pytest.fixture(scope="module")
def shipped():
    return bertlib.load_pretrained("mini-books")


@pytest.fixture
def shown(monkeypatch):
    """Call explore_heads and return what it displays."""
    displayed = []
    monkeypatch.setattr("IPython.display.display", displayed.append)

    def call(*arguments, **options):
        explore_heads(*arguments, **options)
        return displayed.pop()

    return call


def test_the_shipped_model_fits_into_a_page(shipped, shown):
    model, _ = shipped
    text = shown(*shipped, "my dog is cute", "it likes playing").data
    count = model.config.num_hidden_layers * model.config.num_attention_heads
    words = re.findall(r"<figcaption>(.*?)</figcaption>", text)
    assert len(words) == text.count("<img ") == count
    assert words[0] == "layer 0, head 0"
    assert len(text.encode()) < 300_000
    assert text == shown(*shipped, "my dog is cute", "it likes playing").data


def test_the_maps_are_those_of_the_model(shipped):
    model, tokenizer = shipped
    tokens, maps = look(model, tokenizer, "my dog is cute", "it likes playing")
    pair = tokenizer.encode_pair("my dog is cute", "it likes playing")
    with torch.no_grad():
        output = model(
            torch.tensor([pair.ids]),
            token_type_ids=torch.tensor([pair.token_type_ids]),
            output_attentions=True,
        )
    assert tokens == pair.tokens
    for mine, theirs in zip(maps, output.body.attentions, strict=True):
        assert torch.equal(mine, theirs[0])


def test_the_body_alone_and_a_single_text_will_do(shown):
    model = BertModel(toy.config()).eval()
    text = shown(model, toy.tokenizer(), "my dog is cute", name="toy").data
    assert text.count("<img ") == 2
    assert "explore-toy-0" in text


def test_the_words_name_the_heaviest_pairs():
    weights = torch.tensor([[0.1, 0.9], [0.75, 0.25]])
    assert strongest(weights, ["dog", "it"], count=2) == (
        "The largest weights: dog looks at it with 0.90; it looks at dog with 0.75. "
        "On average most weight lies on it, column 1."
    )


def test_too_many_heads_are_refused_in_a_page_and_shown_in_a_live_kernel(shown):
    model = BertModel(toy.config().replace(num_hidden_layers=13)).eval()
    with pytest.raises(InputError, match="13 x 2 options make 26 states"):
        shown(model, toy.tokenizer(), "my dog")
    *sliders, _ = shown(model, toy.tokenizer(), "my dog", widgets=True).children
    assert [len(slider.options) for slider in sliders] == [13, 2]
