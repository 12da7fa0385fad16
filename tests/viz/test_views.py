import json
import re
from unittest.mock import patch

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from bertlib import BertConfig, BertModel
from bertlib.errors import InputError
from bertlib.viz import views

TOKENS = ["[CLS]", "my", "dog", "is", "cute", "[SEP]", "it", "likes", "playing", "[SEP]"]
MAKERS = ("head", "model", "neuron")
each = pytest.mark.parametrize("kind", MAKERS)


def numbers(seed=0, layers=2, heads=2, width=None):
    generator = torch.Generator().manual_seed(seed)
    last = width or len(TOKENS)
    values = [torch.randn(1, heads, len(TOKENS), last, generator=generator) for _ in range(layers)]
    return values if width else [value.softmax(-1) for value in values]


def page(kind, seed=0, alt="who looks where", second=None, **sizes):
    values = [numbers(seed, **sizes)]
    if kind == "neuron":
        values += [numbers(seed + 1, width=8, **sizes), numbers(seed + 2, width=8, **sizes)]
    with patch.object(views, "show_html") as display:
        getattr(views, f"{kind}_view")(*values, TOKENS, alt=alt, **({"second": second} if second else {}))
    return display.call_args.args[0]


@each
def test_a_view_is_small_and_the_same_every_time(kind):
    assert page(kind) == page(kind)
    assert page(kind) != page(kind, seed=7)
    assert len(page(kind)) < views.LARGEST_VIEW / 2


@each
def test_the_data_stands_there_once_with_three_places(kind):
    text = page(kind)
    assert text.count('"left_text":') == 1
    assert "PYTHON_PARAMS" not in text
    assert "bertviz_params" not in text
    assert not re.search(r"\d\.\d{4,}(?=[,\]])", text)
    if kind == "head":
        weight = f"{numbers()[1][0, 1, 2, 3].double().item():.3f}".rstrip("0")
        assert weight in text


@each
def test_ids_belong_to_one_view(kind):
    ids = set(re.findall(r"bertviz-[0-9a-f]{32}", page(kind)))
    assert len(ids) == 1
    assert ids != set(re.findall(r"bertviz-[0-9a-f]{32}", page(kind, seed=7)))
    for shared in ("layer", "filter", "vis", "att_head"):
        assert not re.search(rf"id=[\"']{shared}[\"']|#{shared}\b", page(kind))


@each
def test_it_has_words_and_its_lists_have_names(kind):
    text = page(kind, alt='a "map" < 5')
    assert 'aria-label="a &quot;map&quot; &lt; 5"' in text
    assert "<figcaption" in text
    assert all("aria-label=" in chosen for chosen in re.findall(r"<select[^>]*>", text))
    assert "console.log" not in text
    with pytest.raises(InputError, match="say in alt="):
        page(kind, alt=" ")


def test_scripts_come_from_the_addresses_that_the_site_replaces():
    for kind in MAKERS:
        for address in re.findall(r"https://cdnjs[^\"']+", page(kind)):
            assert re.search(r"/(require\.js|d3|jquery)/[\d.]+/", address)


def test_a_pair_can_be_taken_apart():
    text = page("head", alt="x", second=6)
    assert text.count('"left_text":') == 5
    assert "Sentence A -> Sentence B" in text


def test_few_heads_do_not_fill_a_page():
    assert '"total_heads": 4' in page("model")
    assert '"total_heads": 6' in page("model", heads=6)


def test_the_neuron_view_gets_our_numbers():
    text = page("neuron")
    params = json.JSONDecoder().raw_decode(text[text.index('{"attention"') :])[0]
    query = numbers(1, width=8)[1][0, 1, 3]
    assert torch.allclose(torch.tensor(params["attention"]["all"]["queries"][1][1][3]), query, atol=6e-4)
    assert params["display_mode"] == "light"


@pytest.mark.parametrize("shape", [(1, 2, 9, 9), (2, 2, 10, 10), (10, 10)])
def test_weights_must_fit_the_pieces(shape):
    with pytest.raises(InputError, match="10 pieces"):
        views.head_view([torch.ones(shape)], TOKENS, alt="x")


def test_a_view_that_is_too_large_is_refused():
    with pytest.raises(InputError, match="pass fewer layers"):
        page("head", layers=12, heads=40)


def test_queries_and_keys_give_the_weights():
    config = BertConfig.from_preset(
        "tiny", vocab_size=30, hidden_size=8, intermediate_size=16, max_position_embeddings=10
    )
    torch.manual_seed(0)
    body = BertModel(config).eval()
    output = body(torch.arange(10)[None], output_hidden_states=True, output_attentions=True)
    queries, keys = views.queries_and_keys(body, output.hidden_states)
    for query, key, weights in zip(queries, keys, output.attentions, strict=True):
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        assert torch.allclose(scores.softmax(-1), weights, atol=1e-6)


def test_a_view_is_displayed(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.instance()
    try:
        with capture_output() as captured:
            views.head_view(numbers(), TOKENS, alt="lines between words")
            views.model_view(numbers(), TOKENS, alt="thumbnails")
            views.neuron_view(numbers(), numbers(width=8), numbers(width=8), TOKENS, alt="bars")
    finally:
        InteractiveShell.clear_instance()
    pages = [output.data["text/html"] for output in captured.outputs]
    assert [alt in text for alt, text in zip(("lines", "thumbnails", "bars"), pages, strict=True)] == [
        True
    ] * 3
