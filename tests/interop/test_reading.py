"""BERT checkpoints as they lie about: old names, missing heads, other tasks, halves, pickles, pieces."""

import json
import os
import pickle
import re

import pytest
import torch
from safetensors.torch import load_file, save_file

from bertlib.errors import CheckpointError, InputError
from bertlib.interop import from_transformers, read_transformers, to_transformers

IDS = torch.tensor([[2, 5, 6, 3]])


def logits(model):
    with torch.no_grad():
        return model(IDS).prediction_logits


def edit(folder, name="config.json", **changes):
    file = folder / name
    values = json.loads(file.read_text("utf8")) if file.exists() else {}
    file.write_text(json.dumps(values | changes), "utf8")


def rewrite(folder, change):
    """Give every weight in a folder a new name or value; None takes it out."""
    file = folder / "model.safetensors"
    changed = [change(name, value) for name, value in load_file(file).items()]
    save_file(dict(pair for pair in changed if pair), file, metadata={"format": "pt"})


def test_a_folder_gives_the_model_and_its_words(folder, theirs, tokenizer, recwarn):
    model, words = from_transformers(folder)
    assert torch.equal(logits(model), logits(from_transformers(theirs)))
    assert words.vocab == tokenizer.vocab
    assert not model.training
    assert not recwarn.list


def test_the_table_names_every_weight_once(small_config):
    from bertlib.interop import weight_names
    from bertlib.model import BertForPreTraining

    names = weight_names(small_config.num_hidden_layers)
    assert set(names) == set(BertForPreTraining(small_config).state_dict())
    assert len(set(names.values())) == len(names)


def test_the_live_model_is_copied_not_shared(transformers, theirs):
    model = from_transformers(theirs)
    with torch.no_grad():
        model.nsp_head.bias.fill_(9.0)
    assert theirs.cls.seq_relationship.bias.max() < 9


def test_old_names_of_the_norms_and_old_buffers(folder, theirs):
    def old(name, value):
        return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ), value

    rewrite(folder, old)
    file = folder / "model.safetensors"
    weights = load_file(file) | {"bert.embeddings.position_ids": torch.arange(24)[None]}
    assert any(name.endswith(".gamma") for name in weights)
    save_file(weights, file)
    read = read_transformers(folder)
    assert torch.equal(logits(read.model), logits(from_transformers(theirs)))
    assert read.notes == []


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_what_training_put_in_front_of_the_names_is_taken_off(folder, theirs, prefix):
    rewrite(folder, lambda name, value: (prefix + name, value))
    read = read_transformers(folder)
    assert torch.equal(logits(read.model), logits(from_transformers(theirs)))
    assert read.notes == []


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_a_body_alone_gets_fresh_heads_and_says_so(folder, theirs, prefix):
    rewrite(folder, lambda n, v: (prefix + n.removeprefix("bert."), v) if n.startswith("bert.") else None)
    with pytest.warns(
        UserWarning, match=r"lacks the masked-language-model head and the next-sentence head; drawn"
    ):
        model, _ = from_transformers(folder)
    expected = from_transformers(theirs)
    assert torch.equal(model.bert(IDS).pooler_output, expected.bert(IDS).pooler_output)
    assert not torch.equal(model.nsp_head.weight, expected.nsp_head.weight)
    assert 0.005 < model.mlm_head.transform.weight.std() < 0.04
    assert model.mlm_head.norm.weight.eq(1).all()
    assert model.mlm_head.bias.eq(0).all()


@pytest.mark.parametrize(
    ("kind", "lacks"),
    [
        ("BertModel", "the masked-language-model head and the next-sentence head"),
        ("BertForMaskedLM", "the pooler and the next-sentence head"),
        ("BertForNextSentencePrediction", "the masked-language-model head"),
    ],
)
def test_live_models_with_some_of_the_parts(transformers, shaken, small_config, kind, lacks):
    source = shaken(getattr(transformers, kind)(transformers.BertConfig(**small_config.to_dict())))
    with pytest.warns(UserWarning, match=f"{kind} lacks {lacks}; drawn afresh"):
        model = from_transformers(source)
    body = getattr(source, "bert", source)
    assert (model.bert(IDS).last_hidden_state - body(IDS).last_hidden_state).abs().max() < 1e-5


def test_a_masked_model_predicts_as_theirs_does(transformers, shaken, small_config, tokenizer, tmp_path):
    source = shaken(transformers.BertForMaskedLM(transformers.BertConfig(**small_config.to_dict())))
    source.save_pretrained(tmp_path)
    tokenizer.save(tmp_path)
    model = read_transformers(tmp_path).model
    assert (logits(model) - source(IDS).logits).abs().max() < 1e-5


def test_the_head_of_another_task_is_left_out_and_named(
    transformers, shaken, small_config, tokenizer, tmp_path
):
    config = transformers.BertConfig(**small_config.to_dict(), num_labels=3)
    shaken(transformers.BertForSequenceClassification(config)).save_pretrained(tmp_path)
    tokenizer.save(tmp_path)
    notes = " ".join(read_transformers(tmp_path).notes)
    assert "another task, left out: classifier.bias, classifier.weight" in notes
    assert "the pooler" not in notes


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_fp32(folder, theirs, dtype):
    rewrite(folder, lambda name, value: (name, value.to(dtype)))
    model, _ = from_transformers(folder)
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    expected = theirs.bert.embeddings.word_embeddings.weight.to(dtype).float()
    assert torch.equal(model.bert.word_embeddings, expected)


def test_an_output_bias_under_its_other_name(folder, theirs):
    rewrite(folder, lambda n, v: (n.replace("cls.predictions.bias", "cls.predictions.decoder.bias"), v))
    assert torch.equal(from_transformers(folder)[0].mlm_head.bias, theirs.cls.predictions.bias)


def test_an_output_layer_of_its_own_is_refused(folder):
    file = folder / "model.safetensors"
    weights = load_file(file)
    words = weights["bert.embeddings.word_embeddings.weight"]
    save_file(weights | {"cls.predictions.decoder.weight": words + 1}, file)
    from_transformers(folder)  # the config says tied, so nobody looks at the copy: as in their library
    edit(folder, tie_word_embeddings=False)
    with pytest.raises(CheckpointError, match="tie_word_embeddings is False and the output layer differs"):
        from_transformers(folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_type", "roberta"),
        ("hidden_act", "relu"),
        ("hidden_act", "gelu_new"),
        ("position_embedding_type", "relative_key"),
        ("is_decoder", True),
        ("quantization_config", {"quant_method": "bitsandbytes"}),
    ],
)
def test_what_is_no_bert_is_refused_by_field(folder, field, value):
    edit(folder, **{field: value})
    with pytest.raises(CheckpointError, match=rf"config.json: .*{field}.*bertlib reads BERT") as caught:
        from_transformers(folder)
    assert "\n" not in str(caught.value)


def test_a_program_in_the_folder_is_not_run_and_said(folder, tmp_path):
    edit(folder, auto_map={"AutoModel": "modeling.TheirBert"})
    (folder / "modeling.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    (note,) = read_transformers(folder).notes
    assert "comes with a program of its own (auto_map), which was not run" in note
    assert not (tmp_path / "sprung").exists()


def test_a_live_model_with_another_activation_is_refused(transformers, small_config):
    config = transformers.BertConfig(**small_config.to_dict(), hidden_act="relu")
    with pytest.raises(CheckpointError, match="hidden_act is 'relu'"):
        from_transformers(transformers.BertForPreTraining(config))


def test_a_config_of_early_days_has_few_fields(folder, theirs):
    values = json.loads((folder / "config.json").read_text("utf8"))
    for name in ("model_type", "architectures", "layer_norm_eps", "tie_word_embeddings", "pad_token_id"):
        values.pop(name, None)
    (folder / "config.json").write_text(json.dumps(values), "utf8")
    assert torch.equal(logits(from_transformers(folder)[0]), logits(from_transformers(theirs)))


def test_more_blocks_than_the_config_says(folder):
    edit(folder, num_hidden_layers=1)
    with pytest.raises(CheckpointError, match=r"bert.encoder.layer.1.\S+ has no counterpart"):
        from_transformers(folder)


def test_fewer_blocks_than_the_config_says(folder):
    edit(folder, num_hidden_layers=3)
    with pytest.raises(CheckpointError, match=r"has no bert.encoder.layer.2.\S+;"):
        from_transformers(folder)


def test_in_pieces(theirs, tokenizer, tmp_path):
    theirs.save_pretrained(tmp_path, max_shard_size="4KB")
    tokenizer.save(tmp_path)
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 2
    assert torch.equal(logits(from_transformers(tmp_path)[0]), logits(from_transformers(theirs)))
    shards[1].unlink()
    with pytest.raises(CheckpointError, match=f"{shards[1].name} is missing or truncated"):
        from_transformers(tmp_path)


def test_an_index_cannot_point_out_of_its_folder(folder):
    (folder / "model.safetensors").rename(folder.parent / "elsewhere.safetensors")
    index = {"weight_map": {"bert.pooler.dense.bias": "../elsewhere.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf8")
    with pytest.raises(CheckpointError, match="names a file outside its folder"):
        from_transformers(folder)


@pytest.fixture
def pickled(folder):
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    return folder


def test_a_pickle_of_tensors_is_read(pickled, theirs):
    assert torch.equal(logits(from_transformers(pickled)[0]), logits(from_transformers(theirs)))


class Trap:
    """Runs a command when it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("save", [torch.save, lambda values, file: file.write_bytes(pickle.dumps(values))])
def test_a_pickle_that_would_run_a_program_does_not(pickled, tmp_path, save):
    sprung = tmp_path / "sprung"
    save({"bert.pooler.dense.bias": Trap(f"touch {sprung}")}, pickled / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"any program; take model.safetensors, or convert") as caught:
        from_transformers(pickled)
    assert not sprung.exists()
    assert "\n" not in str(caught.value)
    pickle.loads(pickle.dumps(Trap(f"touch {sprung}")))
    assert sprung.exists()  # the trap is a real one


def test_a_pickle_of_something_else(pickled):
    torch.save([1, 2], pickled / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="holds no table of tensors"):
        from_transformers(pickled)


def test_folders_that_hold_no_model(folder, tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no folder .*nowhere/at/all"):
        from_transformers(tmp_path / "nowhere/at/all")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"config.json is missing"):
        from_transformers(tmp_path / "empty")
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"no weights in .*expected model.safetensors"):
        from_transformers(folder)


def test_broken_files(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(CheckpointError, match="missing or truncated"):
        from_transformers(folder)
    (folder / "config.json").write_text("{", "utf8")
    with pytest.raises(CheckpointError, match=r"cannot read .*config.json: it is no JSON"):
        from_transformers(folder)


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 440473133\n"
PAGE = "\n<!doctype html>\n<html><head><title>404</title></head></html>\n"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize(("content", "message"), [(LFS, "Git LFS.*run `git lfs pull`"), (PAGE, "a web page")])
def test_what_stands_in_for_a_file_is_called_by_its_name(folder, name, content, message):
    (folder / "model.safetensors").unlink()
    (folder / name).write_text(content, "utf8")
    with pytest.raises(CheckpointError, match=rf"{name} is .*{message}") as caught:
        from_transformers(folder)
    assert "\n" not in str(caught.value)


def test_sources_that_are_none(folder, monkeypatch):
    monkeypatch.chdir(folder)  # where the name of a file could be one on the hub
    with pytest.raises(CheckpointError, match=r"model\.safetensors is a file; expected the folder"):
        from_transformers("model.safetensors")
    for source in (3, torch.nn.Linear(1, 1)):
        with pytest.raises(
            InputError, match=rf"source is a {type(source).__name__}; expected a folder, a name"
        ):
            from_transformers(source)


def test_our_own_folder_is_sent_to_the_other_door(theirs, tokenizer, tmp_path):
    from bertlib.store import save_pretrained

    save_pretrained(tmp_path / "ours", from_transformers(theirs), tokenizer)
    with pytest.raises(CheckpointError, match=re.escape("bertlib.load_pretrained")):
        from_transformers(tmp_path / "ours")


def test_a_live_model_comes_back_bit_by_bit(theirs):
    again = to_transformers(from_transformers(theirs)).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in theirs.state_dict().items())
