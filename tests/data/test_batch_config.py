"""The kinds of masking and pairs, from the recipe and the command line down to a batch."""

import json

import pytest
import torch
from typer.testing import CliRunner

from bertlib.cli import app
from bertlib.data.arrays import TokenCorpus
from bertlib.data.batches import BatchConfig, PreTrainingBatches
from bertlib.data.masking import mask_tokens
from bertlib.data.spans import mask_spans
from bertlib.data.whole_words import mask_words
from bertlib.errors import ConfigError
from bertlib.pretrain import make_batches
from bertlib.recipes import Recipe
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.tokenizer.pieces import SPECIAL_TOKENS

CONTINUES = torch.arange(300) >= 200


def corpus():
    tokens = torch.randint(5, 300, (4000,), generator=torch.Generator().manual_seed(0))
    documents = [[part.tolist() for part in document.split(8)] for document in tokens.split(40)]
    return TokenCorpus.from_documents(documents, vocab_size=300)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masking": "word"}, "masking is 'word'; expected tokens or words or spans"),
        ({"pairs": "pairs"}, "pairs is 'pairs'; expected nsp or sop or none"),
        ({"objective": "clm"}, "objective is 'clm'; expected mlm or causal"),
        ({"objective": "causal"}, "sees nothing"),
        ({"static_masks": -1}, "static_masks is -1"),
    ],
)
def test_kinds_that_do_not_exist(changes, message):
    with pytest.raises(ConfigError, match=message):
        BatchConfig(**changes)
    with pytest.raises(ConfigError, match=message):
        Recipe(**changes)  # before a vocabulary is learned and a corpus prepared


@pytest.mark.parametrize("continues", [None, torch.zeros(7, dtype=torch.bool)])
@pytest.mark.parametrize("masking", ["words", "spans"])
def test_whole_words_need_to_know_what_a_word_is(masking, continues):
    with pytest.raises(ConfigError, match=r"continues_word\(tokenizer.vocab\)"):
        PreTrainingBatches(corpus(), BatchConfig(masking=masking), continues=continues)


def test_no_pairs_can_be_said_in_two_ways():
    assert BatchConfig(nsp=False, pairs="sop").pair_kind == "none"
    assert BatchConfig(pairs="none").pair_kind == "none"
    assert BatchConfig(pairs="sop").pair_kind == "sop"
    assert Recipe(pairs="sop").replace(nsp=False).batch_config().pair_kind == "none"


def test_the_recipe_hands_everything_on():
    wanted = {"pairs": "none", "masking": "spans", "static_masks": 3, "objective": "causal"}
    config = Recipe(**wanted).batch_config()
    assert {name: getattr(config, name) for name in wanted} == wanted


def test_the_tokenizers_vocabulary_says_what_a_word_is():
    """A corpus of one long word beside short ones: phil ##am ##mon is hidden whole or not at all."""
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, "phil", "##am", "##mon", "sang", "well"])
    text = TokenCorpus.from_documents([[[5, 6, 7, 8, 9]] * 6] * 4, vocab_size=len(tokenizer))
    recipe = Recipe(masking="words", max_length=20, positions=20, batch_size=16)
    for batches in make_batches(recipe, text, text, tokenizer, torch.device("cpu")):
        batch = batches.batch(0)
        front = (batch.original_ids == 5).nonzero()
        front = front[front[:, 1] < 17]
        selected = torch.stack([batch.selected[front[:, 0], front[:, 1] + more] for more in range(3)])
        whole = (batch.original_ids[front[:, 0], front[:, 1] + 2] == 7).expand_as(selected)
        assert (selected == selected[0])[whole].all()
        assert selected.any()


@pytest.mark.parametrize("mask", [mask_tokens, mask_words, mask_spans])
def test_masking_needs_no_look_at_a_number(mask):
    """On a GPU such a look would stop everything: on PyTorch's "meta" device, which has no numbers, it fails."""
    ids = torch.zeros(4, 32, dtype=torch.long, device="meta")
    table = () if mask is mask_tokens else (CONTINUES.to("meta"),)
    found = mask(ids, ids >= 5, *table, vocab_size=300, mask_id=4)
    assert found.input_ids.device.type == "meta"
    assert found.selected.shape == (4, 32)


def test_the_command_line_trains_on_whole_words_in_order(texts, tmp_path):
    out = tmp_path / "run"
    options = "--masking words --pairs sop --static-masks 2 --steps 2 --vocab-size 300 --batch-size 4 --max-length 32"
    done = CliRunner().invoke(app, ["pretrain", str(texts), "--out", str(out), "--quiet", *options.split()])
    assert done.exit_code == 0, done.output
    recipe = json.loads((out / "run.json").read_text("utf8"))["recipe"]
    assert (recipe["masking"], recipe["pairs"], recipe["static_masks"]) == ("words", "sop", 2)
