"""Fine-tuned models in folders of the transformers library: both sides write, both sides read."""

import json

import pytest
import torch

from bertlib import BertModel
from bertlib.errors import CheckpointError, InputError
from bertlib.finetune import (
    JointIntentSlotHead,
    MultipleChoiceHead,
    QASpanHead,
    SequenceClassifier,
    TokenClassifier,
)
from bertlib.interop.heads import (
    head_to_transformers,
    load_head_from_transformers,
    save_head_to_transformers,
)

TASKS = {
    "SequenceClassification": (
        lambda bert: SequenceClassifier(bert, 3, dropout=0.25),
        ("no", "maybe", "yes"),
    ),
    "TokenClassification": (lambda bert: TokenClassifier(bert, 2), ("O", "B-PER")),
    "QuestionAnswering": (QASpanHead, None),
    "MultipleChoice": (MultipleChoiceHead, None),
}


@pytest.fixture
def head(small_config, shaken):
    def make(task):
        return shaken(TASKS[task][0](BertModel(small_config)))

    return make


def inputs(task):
    ids = torch.tensor([[2, 5, 6, 7, 3], [2, 9, 10, 3, 0]])
    found = {"input_ids": ids, "attention_mask": (ids > 0).long(), "token_type_ids": (ids == 6).long()}
    return {k: v[:, None].repeat(1, 3, 1) for k, v in found.items()} if task == "MultipleChoice" else found


def logits(task, output):
    return torch.stack(output[:2], -1) if task == "QuestionAnswering" else output.logits


def edit(folder, **changes):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf8")) | changes), "utf8")


@torch.no_grad()
@pytest.mark.parametrize("task", TASKS)
def test_what_we_save_is_what_they_open(task, head, tokenizer, transformers, tmp_path):
    ours, labels = head(task), TASKS[task][1]
    folder = save_head_to_transformers(tmp_path / "saved", ours, tokenizer, labels=labels)
    door = getattr(transformers, f"AutoModelFor{task}")
    opened, found = door.from_pretrained(folder, output_loading_info=True)
    assert not any(found.values()), found
    other = opened.eval()(**inputs(task), return_dict=True)
    if task == "QuestionAnswering":
        other = (other.start_logits, other.end_logits)
    assert (ours(**inputs(task)).logits - logits(task, other)).abs().max() < 1e-5
    if labels:
        assert tuple(opened.config.id2label[number] for number in range(len(labels))) == labels
        assert opened.config.label2id == {name: number for number, name in enumerate(labels)}
        assert opened.dropout.p == ours.dropout.p


@torch.no_grad()
@pytest.mark.parametrize("task", TASKS)
def test_what_they_save_is_what_we_open(task, head, tokenizer, tmp_path):
    ours, labels = head(task), TASKS[task][1]
    head_to_transformers(ours, labels=labels).save_pretrained(tmp_path / "theirs")
    tokenizer.save(tmp_path / "theirs")
    again, words, names = load_head_from_transformers(tmp_path / "theirs")
    assert type(again) is type(ours)
    assert not again.training
    assert torch.equal(again(**inputs(task)).logits, ours(**inputs(task)).logits)
    assert again.dropout.p == ours.dropout.p
    assert words.vocab == tokenizer.vocab
    assert names == (labels or ())


def test_a_regression_stays_one(small_config, tokenizer, transformers, tmp_path):
    ours = SequenceClassifier(BertModel(small_config), 1)
    folder = save_head_to_transformers(tmp_path / "saved", ours, tokenizer)
    opened = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    assert opened.config.problem_type == "regression"
    batch, numbers = inputs("SequenceClassification"), torch.tensor([1.5, -2.0])
    mine = ours.eval()(**batch, labels=numbers).loss
    torch.testing.assert_close(mine, opened(**batch, labels=numbers).loss, rtol=0, atol=1e-5)
    assert load_head_from_transformers(folder).labels == ("LABEL_0",)


def test_their_pipeline_says_our_labels(head, tokenizer, transformers, tmp_path):
    ours = head("SequenceClassification")
    folder = save_head_to_transformers(tmp_path / "x", ours, tokenizer, labels=["no", "maybe", "yes"])
    pipeline = transformers.pipeline("text-classification", model=str(folder), top_k=None)
    said = {answer["label"]: answer["score"] for answer in pipeline(["the dog sang ."])[0]}
    mine = ours(torch.tensor([tokenizer.encode("the dog sang .").ids])).logits.softmax(-1)[0]
    assert said == pytest.approx(dict(zip(["no", "maybe", "yes"], mine.tolist(), strict=True)), abs=1e-6)


def test_a_pooler_that_is_there_is_kept(head, tokenizer, tmp_path):
    """Old files of taggers have one, though nobody uses it."""
    from safetensors.torch import load_file, save_file

    ours = head("TokenClassification")
    folder = save_head_to_transformers(tmp_path / "saved", ours, tokenizer)
    weights = load_file(folder / "model.safetensors")
    pooler = {f"bert.pooler.dense.{k}": v.detach() for k, v in ours.bert.pooler.dense.named_parameters()}
    save_file(weights | pooler, folder / "model.safetensors")
    again = load_head_from_transformers(folder).head
    assert torch.equal(again.bert.pooler.dense.weight, ours.bert.pooler.dense.weight)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["BertForMaskedLM"]}, "BertForMaskedLM is no head that bertlib has; it has Bert"),
        ({"architectures": None}, "a model of no named class is no head"),
        (
            {"architectures": ["BertForQuestionAnswering"]},
            "has no qa_outputs.bias; it belongs to another task",
        ),
        (
            {"problem_type": "multi_label_classification"},
            "'multi_label_classification' with 3 labels; expected",
        ),
        ({"problem_type": "regression"}, "expected 'single_label_classification'"),
        ({"id2label": {"0": "no", "1": "yes"}}, "id2label names 2 labels; expected 0 to 2"),
        ({"num_hidden_layers": 3}, r"has no bert\.encoder\.blocks\.2"),
        ({"hidden_act": "relu"}, "hidden_act is 'relu'"),
    ],
)
def test_folders_that_are_something_else(changes, message, head, tokenizer, tmp_path):
    folder = save_head_to_transformers(tmp_path / "x", head("SequenceClassification"), tokenizer)
    edit(folder, **changes)
    with pytest.raises(CheckpointError, match=message):
        load_head_from_transformers(folder)


def test_labels_that_do_not_fit(head, tokenizer, tmp_path):
    with pytest.raises(InputError, match="2 labels for a SequenceClassifier that has 3 logits"):
        save_head_to_transformers(
            tmp_path / "x", head("SequenceClassification"), tokenizer, labels=["a", "b"]
        )
    with pytest.raises(InputError, match="1 labels for a QASpanHead, which has no labels of its own"):
        head_to_transformers(head("QuestionAnswering"), labels=["a"])


def test_what_transformers_does_not_have_is_not_saved(small_config, tokenizer, tmp_path):
    with pytest.raises(InputError, match="no counterpart of JointIntentSlotHead"):
        save_head_to_transformers(
            tmp_path / "x", JointIntentSlotHead(BertModel(small_config), 2, 2), tokenizer
        )
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_is_not_replaced(head, tokenizer, tmp_path):
    (tmp_path / "chapter.txt").write_text("years of work")
    with pytest.raises(CheckpointError, match="holds no model"):
        save_head_to_transformers(tmp_path, head("SequenceClassification"), tokenizer)
    assert (tmp_path / "chapter.txt").exists()
