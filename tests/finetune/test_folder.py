"""A folder gives back the model that was saved, of every kind; and says in one line why it cannot."""

from __future__ import annotations

import json

import pytest
import torch

from bertlib import WordPieceTokenizer
from bertlib.errors import BertlibError, CheckpointError
from bertlib.finetune.builders import builder
from bertlib.finetune.folder import (
    FineTunedModel,
    check_replaceable,
    load_body,
    load_finetuned,
    save_finetuned,
)
from bertlib.finetune.formats import Columns, task_of
from bertlib.finetune.kinds import KINDS, task_from_dict
from bertlib.finetune.qa import QuestionTask
from bertlib.model import BertModel
from bertlib.store import load_pretrained

BUILDS = [*((kind, "") for kind in KINDS), ("choice", "adapters:3"), ("intents", "lora:2"),
          ("tagging", "bilstm:weighted-all"), ("tagging", "adapters:2")]  # fmt: skip


@pytest.fixture
def tuned(planted, body, tokenizer):
    """Return a model of a kind as training would, with weights that nobody would guess."""

    def tuned(kind, build=""):
        task = task_of(planted(kind, 12), Columns())
        torch.manual_seed(3)
        model = builder(build, task)(body)
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(torch.randn_like(weight) * 0.1)
        facts = {"name": "mine", "build": build, "scores": {"f1": 0.5}}
        return FineTunedModel(model=model.eval(), task=task, tokenizer=tokenizer, max_length=14, facts=facts)

    return tuned


@pytest.mark.parametrize(("kind", "build"), BUILDS)
def test_there_and_back(kind, build, tuned, planted, tmp_path):
    before = tuned(kind, build)
    after = load_finetuned(save_finetuned(tmp_path / "model", before))
    assert (after.task, after.max_length, after.facts) == (before.task, 14, before.facts)
    assert after.tokenizer.vocab == before.tokenizer.vocab
    assert not after.model.training
    weights = after.model.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in before.model.state_dict().items())
    examples = planted(kind, 9, seed=2)
    assert after.answers(examples) == before.answers(examples)
    assert after.predict(examples) == before.answers(examples)[0]
    assert after.evaluate(examples) == before.evaluate(examples)
    assert [p.requires_grad for p in after.model.parameters()] == [
        p.requires_grad for p in before.model.parameters()
    ]


@pytest.mark.parametrize("build", ["", "lora:2", "bilstm:weighted-all"])
def test_the_body_of_a_fine_tuned_model_is_a_start(build, tuned, tmp_path):
    before = tuned("tagging", build).model.bert
    after, tokenizer = load_body(save_finetuned(tmp_path / "model", tuned("tagging", build)))
    assert after.state_dict().keys() == BertModel(after.config).state_dict().keys()  # LoRA is merged
    assert all(p.requires_grad for p in after.parameters())
    row = torch.tensor([[1, 5, 6, 7]])
    assert torch.allclose(after(row).last_hidden_state, before(row).last_hidden_state, atol=1e-6)
    assert len(tokenizer) == after.config.vocab_size


def test_what_is_no_start(tuned, tmp_path):
    adapted = save_finetuned(tmp_path / "adapted", tuned("tagging", "adapters:2"))
    with pytest.raises(CheckpointError, match=r"was fine-tuned with adapters.*expected a pre-trained model"):
        load_body(adapted)
    whole = save_finetuned(tmp_path / "whole", tuned("tagging"))
    with pytest.raises(CheckpointError, match="it is a fine-tuned model, or an encoder; give a pre-trained"):
        load_pretrained(whole)
    with pytest.raises(CheckpointError, match="no model in"):
        load_body(tmp_path)


def test_what_can_be_read_in_it(tuned, tmp_path):
    save_finetuned(tmp_path / "model", tuned("classification"))
    names = sorted(file.name for file in (tmp_path / "model").iterdir())
    assert names == ["config.json", "model.safetensors", "task.json", "tokenizer_config.json", "vocab.txt"]
    assert json.loads((tmp_path / "model/task.json").read_text()) == {
        "kind": "classification", "task": {"labels": ["early", "late"], "metric": "accuracy"},
        "max_length": 14, "name": "mine", "build": "", "scores": {"f1": 0.5},
    }  # fmt: skip


def test_a_tuned_threshold_is_remembered(tuned, tmp_path):
    task = QuestionTask(no_answer=True, null_threshold=-1.25, stride=4)
    assert task_from_dict("question", json.loads(json.dumps(task.to_dict())), source="") == task


def test_an_older_model_is_replaced(tuned, tmp_path):
    save_finetuned(tmp_path / "model", tuned("classification"))
    (tmp_path / "model/README.md").write_text("mine")
    save_finetuned(tmp_path / "model", tuned("tagging"))
    assert load_finetuned(tmp_path / "model").task.kind == "tagging"


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (["config.json", "model.safetensors"], ""),  # a pre-trained model
        (["task.json", "thesis.tex"], r"\(thesis.tex\)"),
        (["notes.txt"], r"\(notes.txt\)"),
    ],
)
def test_foreign_folders_are_left_alone(files, named, tuned, tmp_path):
    for file in files:
        (tmp_path / file).write_text("{}")
    with pytest.raises(CheckpointError, match=f"holds something that is no fine-tuned model {named}".strip()):
        save_finetuned(tmp_path, tuned("classification"))
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(files)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(CheckpointError, match="choose a new folder"):
        check_replaceable(tmp_path / "out")
    (tmp_path / "empty").mkdir()
    check_replaceable(tmp_path / "empty")
    check_replaceable(tmp_path / "new")


def cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def change(**values):
    def change(file):
        file.write_text(json.dumps(json.loads(file.read_text()) | values))

    return change


@pytest.mark.parametrize(
    ("file", "spoil", "message"),
    [
        ("model.safetensors", cut, "missing or truncated"),
        ("model.safetensors", lambda file: file.unlink(), "missing or truncated"),
        ("task.json", lambda file: file.unlink(), r"no fine-tuned model in .* \(task.json is missing\)"),
        ("task.json", cut, "it is no JSON; copy it again"),
        ("task.json", change(kind="poetry"), "kind of task is 'poetry'; expected one of classification"),
        ("task.json", change(task={"label": []}), "describes no classification"),
        ("task.json", change(task=[1]), "describes no classification"),
        (
            "task.json",
            change(task={"labels": ["a", "b", "c"]}),
            r"bias has shape \(2,\), the model expects \(3,\)",
        ),
        ("task.json", change(build="adapters:2"), "has no bert.encoder.blocks.0.attention_adapter"),
        ("task.json", change(build="magic"), "no model is built from 'magic'"),
        ("config.json", lambda file: file.unlink(), "cannot read"),
        ("config.json", change(vocab_size=9), "belongs to another configuration"),
        ("vocab.txt", lambda file: file.unlink(), "vocab"),
    ],
)
def test_a_damaged_folder_is_one_line(file, spoil, message, tuned, tmp_path):
    folder = save_finetuned(tmp_path / "model", tuned("classification"))
    spoil(folder / file)
    with pytest.raises(BertlibError, match=message) as caught:
        load_finetuned(folder)
    assert "\n" not in str(caught.value)


def test_another_vocabulary(tuned, tmp_path):
    one = tuned("classification")
    folder = save_finetuned(tmp_path / "model", one)
    WordPieceTokenizer(one.tokenizer.vocab[:-1]).save(folder)
    with pytest.raises(CheckpointError, match="the vocabulary has 39 pieces, the model 40"):
        load_finetuned(folder)
