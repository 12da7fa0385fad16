import json
import shutil
import subprocess
import sys

import pytest
import torch

from bertlib.errors import CheckpointError
from bertlib.model_folder import Undrawn, build_model
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
    (folder / "MODEL_CARD.md").write_text("of the old model")
    with torch.no_grad():
        model.nsp_head.bias.fill_(7.0)
    save_pretrained(folder, model, tokenizer)
    assert not (folder / "MODEL_CARD.md").exists()
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


@pytest.mark.parametrize(("dtype", "share"), [(torch.float16, 0.5), (torch.bfloat16, 0.5), (torch.int8, 0.3)])
def test_smaller_files_come_back_as_fp32(folder, tmp_path, dtype, share):
    model, tokenizer = load_pretrained(folder)
    save_pretrained(tmp_path / "small", model, tokenizer, dtype=dtype)
    small, whole = (path / "model.safetensors" for path in (tmp_path / "small", folder))
    assert small.stat().st_size < share * 1.02 * whole.stat().st_size
    again, _ = load_pretrained(tmp_path / "small")
    assert {weight.dtype for weight in again.parameters()} == {torch.float32}
    for before, after in zip(model.parameters(), again.parameters(), strict=True):
        assert (before - after).abs().max() <= 0.005 * before.abs().max() + 1e-6


def test_a_folder_of_the_transformers_library_is_read_as_well(folder, tmp_path):
    from bertlib.interop import to_transformers

    model, tokenizer = load_pretrained(folder)
    to_transformers(model, tokenizer=tokenizer, folder=tmp_path / "theirs")
    again, words = load_pretrained(tmp_path / "theirs")
    assert all(map(torch.equal, model.parameters(), again.parameters()))
    assert words.vocab == tokenizer.vocab


def test_loading_draws_no_random_numbers(folder):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    load_pretrained(folder)
    assert torch.equal(torch.rand(2), expected)


def test_what_is_undrawn_stays_as_it_was():
    linear = torch.nn.Linear(3, 3)
    before = linear.weight.tolist()
    with Undrawn():
        assert torch.nn.init.normal_(linear.weight) is linear.weight
        linear.reset_parameters()
    assert linear.weight.tolist() == before
    assert torch.nn.init.normal_(linear.weight).tolist() != before


def test_a_model_has_weights_of_its_own(folder):
    model, _ = load_pretrained(folder)
    again = build_model(model.config, model.state_dict(), source="a living model")
    before = model.nsp_head.weight.tolist()
    with torch.no_grad():
        for weight in again.parameters():
            assert weight.requires_grad
            assert weight.is_contiguous()
            weight.add_(1)
    assert model.nsp_head.weight.tolist() == before


def test_loading_imports_no_compiler_and_no_trainer(folder):
    """Each of them costs about as long as PyTorch itself."""
    script = f"import sys, bertlib; bertlib.load_pretrained({str(folder)!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {"accelerate", "sympy", "torch._dynamo", "bertlib.train"} & set(done.stdout.split()) == set()


def test_a_shipped_model_by_its_name(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "shipped/small-books")
    monkeypatch.setattr("bertlib.store.shipped_names", lambda: ["small-books"])
    monkeypatch.setattr("bertlib.store.shipped_folder", lambda name: tmp_path / "shipped" / name)
    monkeypatch.chdir(tmp_path)
    assert len(load_pretrained("small-books")[1]) == 400
    with pytest.raises(CheckpointError, match="or one that comes with bertlib: small-books"):
        load_pretrained("small-boks")
    shutil.copytree(folder, tmp_path / "small-books")
    (tmp_path / "small-books/vocab.txt").unlink()
    with pytest.raises(ValueError, match=r"vocab.txt"):  # one's own comes first, even if it is broken
        load_pretrained("small-books")


def test_a_config_that_is_no_json(folder):
    (folder / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"cannot read .*config.json: it is no JSON"):
        load_pretrained(folder)


def test_saving_never_replaces_what_is_no_model(folder, tmp_path):
    model, tokenizer = load_pretrained(folder)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.txt").write_text("years of work")
    with pytest.raises(CheckpointError, match="holds no model"):
        save_pretrained(tmp_path / "thesis", model, tokenizer)
    assert (tmp_path / "thesis/chapter.txt").exists()


def test_a_config_alone_is_no_model(folder, tmp_path):
    model, tokenizer = load_pretrained(folder)
    other = tmp_path / "other"
    (other / "checkpoint-500").mkdir(parents=True)
    (other / "config.json").write_text("{}")
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(CheckpointError, match="holds no model"):
        save_pretrained(other, model, tokenizer)
    assert len(list(other.iterdir())) == 3


@pytest.mark.parametrize("name", ["thesis.txt", "checkpoint-500/", "README.md/"])
def test_what_lies_beside_a_model_is_named_and_stays(folder, name):
    model, tokenizer = load_pretrained(folder)
    (folder / name).mkdir() if name.endswith("/") else (folder / name).write_text("years of work")
    with pytest.raises(CheckpointError, match=rf"holds {name.rstrip('/')} beside a model; .*choose a new"):
        save_pretrained(folder, model, tokenizer)
    assert (folder / name).exists()


def test_what_we_and_transformers_write_may_be_replaced(folder, tmp_path):
    from bertlib.bench.ship import CARD, CARD_TEXT
    from bertlib.interop import to_transformers

    model, tokenizer = load_pretrained(folder)
    theirs = tmp_path / "theirs"
    to_transformers(model, tokenizer=tokenizer, folder=theirs)
    for name in (CARD, CARD_TEXT, "README.md"):
        (theirs / name).write_text("{}")
    to_transformers(model, tokenizer=tokenizer, folder=theirs)
    save_pretrained(theirs, model, tokenizer)
    assert not (theirs / CARD).exists()
