"""Out to the transformers library and in again, on the command line."""

import json

import pytest
import torch

from bertlib.store import load_pretrained


@pytest.fixture
def model(finished_run):
    return finished_run.out / "model"


@pytest.mark.parametrize("command", ["export", "convert"])
def test_help_has_examples(bertlib, command):
    code, out, _ = bertlib(command, "--help")
    assert code == 0
    assert "Examples" in out
    assert f"bertlib {command}" in " ".join(out.split())


def test_out_and_in_again_is_the_same_model(bertlib, model, tmp_path):
    code, out, _ = bertlib("export", model, "--to", "transformers", "--out", tmp_path / "theirs")
    assert code == 0
    assert "parameters and 400 uncased word pieces" in out
    assert f"pipeline('fill-mask', '{tmp_path / 'theirs'}')" in out
    code, out, _ = bertlib("convert", tmp_path / "theirs", "--out", tmp_path / "ours", "--json")
    assert code == 0
    assert json.loads(out)["notes"] == []
    before, words = load_pretrained(model)
    after, same_words = load_pretrained(tmp_path / "ours")
    assert all(map(torch.equal, before.parameters(), after.parameters()))
    assert words.vocab == same_words.vocab
    code, out, _ = bertlib("fill-mask", "the [MASK] came home", "--model", tmp_path / "ours")
    assert code == 0


def test_where_it_is_written_by_default(bertlib, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load, words = load_pretrained(model)
    from bertlib.store import save_pretrained

    save_pretrained("mine", load, words)
    assert bertlib("export", "mine")[0] == 0
    assert (tmp_path / "mine-transformers/special_tokens_map.json").exists()
    assert bertlib("convert", "mine-transformers")[0] == 0
    assert (tmp_path / "models/mine-transformers/model.safetensors").exists()


def test_what_was_made_up_is_said(bertlib, model, tmp_path):
    from safetensors.torch import load_file, save_file

    bertlib("export", model, "--out", tmp_path / "theirs")
    file = tmp_path / "theirs/model.safetensors"
    save_file({n: v for n, v in load_file(file).items() if not n.startswith("cls.seq")}, file)
    code, out, _ = bertlib("convert", tmp_path / "theirs", "--out", tmp_path / "ours")
    assert code == 0
    assert "lacks the next-sentence head; drawn afresh" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "nowhere"], "no model in nowhere"),
        (["export", "MODEL", "--to", "onnx"], "--to is 'onnx'; expected transformers"),
        (["export", "MODEL", "--out", "MODEL"], "would be replaced"),
        (["convert", "MODEL"], "bertlib's own layout"),
        (["convert", "no/where/at/all"], "there is no folder no/where/at/all"),
    ],
)
def test_mistakes_are_one_line(bertlib, model, arguments, message):
    code, out, err = bertlib(*(str(model) if word == "MODEL" else word for word in arguments))
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert out == ""
