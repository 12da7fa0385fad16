"""The heads say what their counterparts in transformers say, and refuse labels of another batch."""

from __future__ import annotations

import pytest
import torch

from bertlib import BertConfig, BertModel
from bertlib.errors import CheckpointError, InputError
from bertlib.finetune import (
    JointIntentSlotHead,
    MultipleChoiceHead,
    QASpanHead,
    SequenceClassifier,
    TokenClassifier,
)
from bertlib.interop.heads import head_from_transformers, head_to_transformers

CONFIG = BertConfig(
    vocab_size=97, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=96,
    max_position_embeddings=20, initializer_range=0.2,
)  # fmt: skip
B, T, C = 3, 11, 4
HEADS = {
    "pair of labels": lambda: SequenceClassifier(BertModel(CONFIG), 2),
    "three labels": lambda: SequenceClassifier(BertModel(CONFIG), 3),
    "regression": lambda: SequenceClassifier(BertModel(CONFIG), 1),
    "tagging": lambda: TokenClassifier(BertModel(CONFIG), 5),
    "question": lambda: QASpanHead(BertModel(CONFIG)),
    "choice": lambda: MultipleChoiceHead(BertModel(CONFIG)),
}


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return torch.Generator().manual_seed(0)


def inputs(name: str, generator: torch.Generator) -> dict[str, torch.Tensor]:
    shape = (B, C, T) if name == "choice" else (B, T)
    ids = torch.randint(5, CONFIG.vocab_size, shape, generator=generator)
    mask = torch.ones(shape, dtype=torch.long)
    mask[0, ..., 7:] = 0
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": (ids > 50).long()}


def answers(name: str) -> torch.Tensor:
    tags = torch.arange(B * T).view(B, T) % 5
    tags[:, ::3] = -100
    return {
        "pair of labels": torch.tensor([0, 1, 1]),
        "three labels": torch.tensor([2, 0, 1]),
        "regression": torch.tensor([0.5, 4.0, 2.5]),
        "tagging": tags,
        "question": torch.tensor([[2, 4], [0, 0], [5, 5]]),
        "choice": torch.tensor([3, 0, 1]),
    }[name]


def their_loss(name, model, batch, labels):
    if name == "question":
        return model(**batch, start_positions=labels[:, 0], end_positions=labels[:, 1])
    return model(**batch, labels=labels)


@pytest.mark.parametrize("name", HEADS)
def test_outputs_loss_and_gradients_are_those_of_transformers(name, generator):
    ours = HEADS[name]().eval()
    theirs = head_to_transformers(ours)
    batch, labels = inputs(name, generator), answers(name)
    mine, other = ours(**batch, labels=labels), their_loss(name, theirs, batch, labels)
    logits = torch.stack([other.start_logits, other.end_logits], -1) if name == "question" else other.logits
    torch.testing.assert_close(mine.logits, logits, rtol=0, atol=1e-5)
    torch.testing.assert_close(mine.loss, other.loss, rtol=0, atol=1e-5)
    mine.loss.backward()
    other.loss.backward()
    words = theirs.get_input_embeddings().weight
    torch.testing.assert_close(ours.bert.word_embeddings.grad, words.grad, rtol=0, atol=1e-5)
    assert words.grad.abs().max() > 1e-4


@pytest.mark.parametrize("name", HEADS)
def test_there_and_back_is_the_same_head(name, generator):
    ours = HEADS[name]().eval()
    again = head_from_transformers(head_to_transformers(ours))
    assert type(again) is type(ours)
    batch = inputs(name, generator)
    assert torch.equal(ours(**batch).logits, again(**batch).logits)


def test_the_joint_loss_is_the_sum_of_both(generator):
    head = JointIntentSlotHead(BertModel(CONFIG), 4, 6).eval()
    batch, slots = inputs("tagging", generator), answers("tagging")
    intents = torch.tensor([3, 0, 1])
    both = head(**batch, intents=intents, slots=slots)
    none = torch.full_like(slots, -100)
    alone = head(**batch, intents=intents, slots=none).loss
    other = head(**batch, intents=torch.full_like(intents, -100), slots=slots).loss
    torch.testing.assert_close(both.loss, alone + other)
    assert alone > 0.1
    assert other > 0.1


def test_a_batch_without_labels_costs_nothing(generator):
    head = TokenClassifier(BertModel(CONFIG), 5)
    assert head(**inputs("tagging", generator), labels=torch.full((B, T), -100)).loss == 0


def test_every_weight_of_head_and_body_is_trained(generator):
    head = JointIntentSlotHead(BertModel(CONFIG), 4, 6)
    batch = inputs("tagging", generator)
    head(**batch, intents=torch.tensor([3, 0, 1]), slots=answers("tagging")).loss.backward()
    assert all(weight.grad is not None for weight in head.parameters())


@pytest.mark.parametrize(
    ("name", "labels", "message"),
    [
        (
            "pair of labels",
            torch.zeros(B + 1, dtype=torch.long),
            r"labels have shape \(4,\); expected \(3,\)",
        ),
        ("tagging", torch.zeros(B, dtype=torch.long), r"expected \(3, 11\)"),
        ("question", torch.tensor([[1, 2], [3, T], [0, 0]]), "position 11 of a text of 11 pieces"),
        ("choice", torch.zeros(B, C, dtype=torch.long), r"expected \(3,\)"),
    ],
)
def test_labels_that_do_not_fit(name, labels, message, generator):
    with pytest.raises(InputError, match=message):
        HEADS[name]()(**inputs(name, generator), labels=labels)


def test_choices_want_three_dimensions(generator):
    with pytest.raises(InputError, match=r"expected \(batch, choices, length\)"):
        HEADS["choice"]()(**inputs("tagging", generator))


def test_no_labels_at_all_is_refused():
    with pytest.raises(InputError, match="0 labels; expected at least 1"):
        SequenceClassifier(BertModel(CONFIG), 0)


def test_what_transformers_does_not_have():
    with pytest.raises(InputError, match="no counterpart of JointIntentSlotHead"):
        head_to_transformers(JointIntentSlotHead(BertModel(CONFIG), 2, 2))
    with pytest.raises(CheckpointError, match="Linear is no head that bertlib has"):
        head_from_transformers(torch.nn.Linear(2, 2))  # type: ignore[arg-type]
