"""A folder that the transformers library opens, written whole or not at all."""

import json
import sys

import pytest
import torch
from safetensors import safe_open

from bertlib.errors import BertlibError, CheckpointError, InputError, MissingExtraError
from bertlib.interop import from_transformers, to_transformers
from bertlib.tokenizer import WordPieceTokenizer


@pytest.fixture
def ours(theirs):
    return from_transformers(theirs)


@pytest.fixture
def written(ours, tokenizer, tmp_path):
    return to_transformers(ours, tokenizer=tokenizer, folder=tmp_path / "out")


def test_files_are_theirs(written, theirs, tmp_path):
    names = {
        "config.json",
        "model.safetensors",
        "vocab.txt",
        "tokenizer_config.json",
        "special_tokens_map.json",
    }
    assert {file.name for file in written.iterdir()} == names
    theirs.save_pretrained(tmp_path / "reference")
    with (
        safe_open(written / "model.safetensors", "pt") as mine,
        safe_open(tmp_path / "reference/model.safetensors", "pt") as other,
    ):
        assert set(mine.keys()) == set(other.keys())
        assert mine.metadata() == other.metadata() == {"format": "pt"}
        assert all(torch.equal(mine.get_tensor(name), other.get_tensor(name)) for name in mine.keys())  # noqa: SIM118
    values = json.loads((written / "config.json").read_text("utf8"))
    assert values["architectures"] == ["BertForPreTraining"]
    assert values["model_type"] == "bert"


@pytest.mark.parametrize(
    "auto",
    ["AutoModel", "AutoModelForPreTraining", "AutoModelForMaskedLM", "AutoModelForNextSentencePrediction"],
)
def test_every_door_of_theirs_opens(written, ours, transformers, auto):
    model, found = getattr(transformers, auto).from_pretrained(written, output_loading_info=True)
    assert not found["missing_keys"]
    assert not found["mismatched_keys"]
    ids = torch.tensor([[2, 5, 6, 3]])
    output = model.eval()(ids, output_hidden_states=True)
    assert (output.hidden_states[-1] - ours(ids).body.last_hidden_state).abs().max() < 1e-5


def test_fill_mask_of_both_agrees(written, ours, tokenizer, transformers):
    from bertlib.cloze import fill_mask

    pipeline = transformers.pipeline("fill-mask", model=str(written))
    theirs = pipeline("the [MASK] sang .", top_k=3)
    mine = fill_mask(ours, tokenizer, "the [MASK] sang .", top=3)[0]
    assert [guess["token_str"] for guess in theirs] == [guess.token for guess in mine]
    assert [guess["score"] for guess in theirs] == pytest.approx(
        [guess.probability for guess in mine], abs=1e-6
    )


def test_both_or_neither(ours, tokenizer, tmp_path):
    with pytest.raises(InputError, match="both or neither"):
        to_transformers(ours, tokenizer=tokenizer)
    with pytest.raises(InputError, match="both or neither"):
        to_transformers(ours, folder=tmp_path / "out")


def test_a_vocabulary_of_another_model(ours, tokenizer, tmp_path):
    with pytest.raises(CheckpointError, match="the vocabulary has 21 pieces, the model 20"):
        to_transformers(
            ours, tokenizer=WordPieceTokenizer([*tokenizer.vocab, "cat"]), folder=tmp_path / "out"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_what_was_there(written, ours, tokenizer, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    before = (written / "model.safetensors").read_bytes()
    with torch.no_grad():
        ours.nsp_head.bias.fill_(5.0)
    monkeypatch.setattr("bertlib.interop.writing.write_tokenizer", full)
    with pytest.raises(BertlibError, match="No space left on device"):
        to_transformers(ours, tokenizer=tokenizer, folder=written)
    assert (written / "model.safetensors").read_bytes() == before
    assert [file.name for file in written.parent.iterdir()] == ["out"]


def test_what_is_no_model_is_not_replaced(ours, tokenizer, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.txt").write_text("years of work")
    with pytest.raises(CheckpointError, match="holds no model"):
        to_transformers(ours, tokenizer=tokenizer, folder=tmp_path / "thesis")
    assert (tmp_path / "thesis/chapter.txt").read_text() == "years of work"


def test_a_folder_needs_no_library_of_theirs(ours, tokenizer, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert to_transformers(ours, tokenizer=tokenizer, folder=tmp_path / "out").is_dir()
    with pytest.raises(MissingExtraError, match="transformers is not installed"):
        to_transformers(ours)


def test_a_model_with_other_parts_is_not_passed_off_as_bert(small_config, tokenizer, tmp_path):
    from bertlib import BertForPreTraining, BertModel
    from bertlib.finetune.adapters import add_adapters
    from bertlib.finetune.lora import add_lora, merge_lora

    for change, part in ((add_adapters, "attention_adapter"), (add_lora, r"attention.query.lora_a")):
        model = BertForPreTraining(small_config, bert=change(BertModel(small_config), 2))
        for options in ({}, {"tokenizer": tokenizer, "folder": tmp_path / "x"}):
            with pytest.raises(InputError, match=f"BertForPreTraining has bert.encoder.blocks.0.{part}"):
                to_transformers(model, **options)
    model.bert = merge_lora(model.bert)
    to_transformers(model)
    del model.bert.embedding.position_embeddings.weight
    with pytest.raises(InputError, match=r"lacks bert\.embedding\.position_embeddings\.weight, unlike"):
        to_transformers(model, tokenizer=tokenizer, folder=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
