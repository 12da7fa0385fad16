import json
import shutil

import pytest
import torch

from bertlib.errors import CheckpointError
from bertlib.store import load_pretrained, save_pretrained


@pytest.fixture
def folder(finished_run, tmp_path):
    return shutil.copytree(finished_run.out / "model", tmp_path / "model")


def test_what_was_saved_comes_back(folder, tmp_path):
    model, tokenizer = load_pretrained(folder)
    save_pretrained(tmp_path / "again", model, tokenizer)
    again, same_tokenizer = load_pretrained(tmp_path / "again")
    ids = torch.tensor([tokenizer.encode("the dog sang").ids])
    assert torch.equal(model(ids).prediction_logits, again(ids).prediction_logits)
    assert tokenizer.vocab == same_tokenizer.vocab
    assert not again.training


def test_saving_over_a_model_replaces_it_whole(folder):
    model, tokenizer = load_pretrained(folder)
    (folder / "stray.txt").write_text("old")
    with torch.no_grad():
        model.nsp_head.bias.fill_(7.0)
    save_pretrained(folder, model, tokenizer)
    assert not (folder / "stray.txt").exists()
    assert load_pretrained(folder)[0].nsp_head.bias.tolist() == [7.0, 7.0]


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(CheckpointError, match=r"config.json is missing.*bertlib pretrain"):
        load_pretrained(tmp_path)


def test_truncated_weights(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=r"model.safetensors is missing or truncated"):
        load_pretrained(folder)


def test_weights_of_another_configuration(folder):
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(values | {"num_hidden_layers": 3}))
    with pytest.raises(CheckpointError, match=r"encoder.*it belongs to another configuration"):
        load_pretrained(folder)


def test_a_vocabulary_of_another_model(folder):
    with (folder / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("extraordinary\n")
    with pytest.raises(CheckpointError, match=r"the vocabulary has 401 pieces, the model 400"):
        load_pretrained(folder)
