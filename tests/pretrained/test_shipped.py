"""The models that come with the package, whichever there are."""

import json
import subprocess
import sys

import pytest
import torch

from bertlib.bench.model_card import render
from bertlib.config import BertConfig
from bertlib.errors import CheckpointError
from bertlib.model import BertForPreTraining
from bertlib.pretrained import DEFAULT, HOME, default_model, shipped_folder, shipped_names
from bertlib.store import load_pretrained, save_pretrained
from bertlib.tokenizer import WordPieceTokenizer

needs_default = pytest.mark.skipif(
    DEFAULT not in shipped_names(), reason=f"{DEFAULT} is not in this package yet"
)
each_shipped = pytest.mark.parametrize("name", shipped_names())


@pytest.fixture
def small():
    """A BERT of random weights and its vocabulary."""
    tokenizer = WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "dog", "sang"])
    torch.manual_seed(0)
    config = BertConfig.from_preset("tiny", vocab_size=len(tokenizer), max_position_embeddings=16)
    return BertForPreTraining(config).eval(), tokenizer


def test_a_model_in_half_precision_comes_back_in_fp32(small, tmp_path):
    model, tokenizer = small
    save_pretrained(tmp_path / "m", model, tokenizer, dtype=torch.float16)
    again, _ = load_pretrained(tmp_path / "m")
    for name, weight in model.state_dict().items():
        assert again.state_dict()[name].dtype == torch.float32
        assert torch.equal(again.state_dict()[name], weight.half().float())
    assert model.nsp_head.weight.dtype == torch.float32


def test_a_shipped_name_is_found_and_an_unknown_one_lists_the_known(small, tmp_path):
    for name in ("mini-a", "mini-b"):
        save_pretrained(tmp_path / name, *small)
    assert shipped_names(tmp_path) == ["mini-a", "mini-b"]
    assert shipped_folder("mini-b", home=tmp_path) == tmp_path / "mini-b"
    with pytest.raises(CheckpointError, match=r"no model in mini-c.*there are mini-a, mini-b") as caught:
        shipped_folder("mini-c", home=tmp_path)
    assert "\n" not in str(caught.value)


def test_without_a_run_the_shipped_model_is_taken(small, tmp_path):
    home, runs = tmp_path / "home", tmp_path / "runs"
    save_pretrained(home / DEFAULT, *small)
    save_pretrained(home / "a-smaller-one", *small)
    assert default_model(runs=runs, home=home) == home / DEFAULT
    save_pretrained(runs / "first" / "model", *small)
    assert default_model(runs=runs, home=home) == runs / "first" / "model"
    with pytest.raises(CheckpointError, match="bertlib pretrain"):
        default_model(runs=tmp_path / "none", home=tmp_path / "nothing")


def test_a_folder_on_disk_comes_before_a_shipped_model(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_pretrained(tmp_path / DEFAULT, *small)
    assert load_pretrained(DEFAULT)[0].config.vocab_size == 8


@each_shipped
def test_files_are_small_and_complete(name):
    files = {file.name: file.stat().st_size for file in (HOME / name).iterdir()}
    assert set(files) == {
        "config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json", "card.json", "MODEL_CARD.md",
    }  # fmt: skip
    assert max(files.values()) < 16_000_000


@each_shipped
def test_the_card_names_all_that_was_measured(name):
    card = json.loads((HOME / name / "card.json").read_text(encoding="utf-8"))
    assert card["name"] == name
    assert card["data"]["sources"]
    assert all(source["licence"] != "not stated" for source in card["data"]["sources"])
    training = card["phases"][-1]
    for fact in ("steps", "tokens_seen", "device", "wall_seconds", "energy_wh", "watts_source"):
        assert training[fact], fact
    for number in ("mlm_loss", "perplexity", "masked_accuracy"):
        assert card["held_out"][number] > 0
    assert card["held_out"]["masked_accuracy"] > card["baselines"]["bigram_accuracy"]
    assert abs(card["kinds"][card["dtype"]]["loss_difference"]) < 0.005
    assert card["files"]["model.safetensors"] == (HOME / name / "model.safetensors").stat().st_size


@each_shipped
def test_the_model_card_says_what_the_card_holds(name):
    folder = HOME / name
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8") == render(card)


LOADING = """
import time
import bertlib
bertlib.load_pretrained, bertlib.fill_mask
began = time.process_time()
model, tokenizer = bertlib.load_pretrained({name!r})
seconds = time.process_time() - began
guesses = bertlib.fill_mask(model, tokenizer, "the [MASK] barked.")
print(seconds, len(guesses[0]))
"""


@each_shipped
def test_a_fresh_process_elsewhere_loads_it_at_once(name, tmp_path):
    script = LOADING.format(name=name)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    seconds, guesses = done.stdout.split()
    assert float(seconds) < 2, "processor time; well under a second by the clock on a quiet machine"
    assert guesses == "5"


@needs_default
def test_the_card_can_be_measured_again():
    card = json.loads((HOME / DEFAULT / "card.json").read_text(encoding="utf-8"))
    from bertlib.bench.probes import guesses

    model, tokenizer = load_pretrained(DEFAULT)
    for item in card["says"]["fixed"]:
        again = guesses(model, tokenizer, item["text"])["guesses"]
        assert [share for _, share in again] == pytest.approx(
            [share for _, share in item["guesses"]], abs=0.01
        )


@needs_default
def test_the_command_line_fills_blanks_with_it_where_there_is_no_run(tmp_path):
    command = [sys.executable, "-m", "bertlib", "fill-mask", "the [MASK] barked."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.count("%") == 5
    assert DEFAULT in done.stderr
