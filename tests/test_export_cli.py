"""Out to the transformers library and in again, on the command line."""

import json
import shutil

import pytest
import torch

from bertlib.finetune.builders import builder
from bertlib.finetune.classification import ClassificationTask
from bertlib.finetune.folder import FineTunedModel, load_body, load_finetuned, save_finetuned
from bertlib.finetune.joint import IntentTask
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.tagging import TaggingTask
from bertlib.store import load_pretrained

IDS = torch.tensor([[2, 30, 31, 3]])
MOODS = ClassificationTask(labels=("sad", "glad", "so-so"))


@pytest.fixture
def model(finished_run):
    return finished_run.out / "model"


@pytest.fixture
def tuned(model, tmp_path):
    """Make a folder with a fine-tuned model, in appearance: the head is drawn, and what LoRA learned too."""

    def make(task, build=""):
        torch.manual_seed(0)
        bert, tokenizer = load_body(model)
        made = builder(build, task)(bert).eval()
        for name, weight in made.named_parameters():
            if "lora" in name:
                torch.nn.init.normal_(weight)
        facts = {"name": "x", "build": build}
        whole = FineTunedModel(model=made, task=task, tokenizer=tokenizer, max_length=16, facts=facts)
        return save_finetuned(tmp_path / "tuned", whole)

    return make


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


@torch.no_grad()
@pytest.mark.parametrize(
    ("task", "build", "theirs", "names"),
    [
        (MOODS, "", "SequenceClassification", MOODS.labels),
        (MOODS, "lora:2", "SequenceClassification", MOODS.labels),
        (TaggingTask(tags=("O", "B-X")), "", "TokenClassification", ("O", "B-X")),
        (QuestionTask(), "", "QuestionAnswering", None),
    ],
)
def test_a_fine_tuned_model_goes_with_its_head_and_labels(
    bertlib, tuned, tmp_path, task, build, theirs, names
):
    transformers = pytest.importorskip("transformers")
    folder, out = tuned(task, build), tmp_path / "theirs"
    code, said, _ = bertlib("export", folder, "--out", out)
    assert code == 0
    assert (
        f"from transformers import BertFor{theirs}; print(BertFor{theirs}.from_pretrained('{out}'))" in said
    )
    opened = getattr(transformers, f"AutoModelFor{theirs}").from_pretrained(out).eval()
    assert names is None or tuple(opened.config.id2label.values()) == names
    other, mine = opened(IDS), load_finetuned(folder).model(IDS).logits
    other = torch.stack(other[:2], -1) if theirs == "QuestionAnswering" else other.logits
    assert (mine - other).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("task", "build", "message"),
    [
        (MOODS, "adapters:4", "SequenceClassifier has bert.encoder.blocks.0.attention_adapter"),
        (IntentTask(intents=("a", "b"), slots=("O",)), "", "no counterpart of JointIntentSlotHead"),
    ],
)
def test_what_transformers_cannot_compute_is_not_exported(bertlib, tuned, tmp_path, task, build, message):
    code, out, err = bertlib("export", tuned(task, build), "--out", tmp_path / "theirs")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (tmp_path / "theirs").exists()


def test_a_folder_called_by_a_dot_gets_a_name(bertlib, model, tmp_path, monkeypatch):
    shutil.copytree(model, tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    assert bertlib("export", ".")[0] == 0
    assert (tmp_path / "mine-transformers/config.json").exists()


def test_the_folder_one_is_in_is_not_replaced(bertlib, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = bertlib("export", model, "--out", ".")
    assert (code, err.count("\n")) == (2, 1)
    assert ". is where you are, and would be replaced whole; name a new folder" in err


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
