"""The heads of tasks on every preset: same numbers as the transformers library, forwards and backwards."""

import pytest
import torch

from bertlib import BertConfig, BertModel
from bertlib.finetune import (
    JointIntentSlotHead,
    MultipleChoiceHead,
    QASpanHead,
    SequenceClassifier,
    TokenClassifier,
)
from bertlib.interop.heads import head_from_transformers, head_names, head_to_transformers

B, C, T = 3, 4, 24
LARGE = [pytest.param(name, marks=pytest.mark.identity) for name in ("medium", "base", "large")]
PRESETS = ["tiny", "mini", "small", *LARGE]
MAKE = {
    "three labels": lambda bert: SequenceClassifier(bert, 3),
    "regression": lambda bert: SequenceClassifier(bert, 1),
    "tagging": lambda bert: TokenClassifier(bert, 5),
    "question": QASpanHead,
    "choice": MultipleChoiceHead,
}


@pytest.fixture(scope="module", params=PRESETS)
def body(request, transformers, shaken):
    vocab_size = 30_522 if request.param in ("base", "large") else 300
    torch.manual_seed(0)
    return shaken(BertModel(BertConfig.from_preset(request.param, vocab_size=vocab_size)))


@pytest.fixture
def fresh_body(body):
    body.zero_grad()
    yield body
    body.zero_grad()


def batch(*leading):
    """Texts of several lengths in two segments, with padding behind them: (*leading, T)."""
    generator = torch.Generator().manual_seed(1)
    ends = torch.tensor([T, 13, 7]).view(-1, *[1] * len(leading))
    places = torch.arange(T).expand(*leading, T)
    mask = (places < ends).long()
    ids = torch.randint(5, 300, mask.shape, generator=generator)
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": (places > ends // 2).long() * mask}


def tags(labels):
    found = torch.arange(B * T).view(B, T) % labels
    return found.masked_fill(batch(B)["attention_mask"] == 0, -100).masked_fill(found == 2, -100)


def answers(task):
    """Labels as our head takes them, and as theirs does."""
    if task == "question":
        places = torch.tensor([[2, 4], [0, 0], [6, 6]])
        return places, {"start_positions": places[:, 0], "end_positions": places[:, 1]}
    labels = {
        "three labels": torch.tensor([2, 0, 1]),
        "regression": torch.tensor([0.1, 0.8, 0.5]),  # likeness, as a share of its scale
        "tagging": tags(5),
        "choice": torch.tensor([3, 0, 1]),
    }[task]
    return labels, {"labels": labels}


UNMOVED = ("key.bias",)  # added to every number of a softmax alike: the loss stays, the gradient is 0
UNMOVED_HEADS = {"question": ("qa_outputs.bias",), "choice": ("classifier.bias",)}


def expect_same_gradients(pairs, unmoved=UNMOVED):
    """Compare gradients of both sides by name: to 1e-5, and to what fp32 leaves of the small ones."""
    sizes = []
    for name, mine, other in pairs:
        difference, size = (mine.grad - other.grad).abs().max().item(), other.grad.abs().max().item()
        assert difference < 1e-5, name
        if name.endswith(unmoved):
            assert max(mine.grad.abs().max().item(), size) < 1e-6, name
            continue
        assert difference < 1e-3 * size + 1e-7, name
        sizes.append(size)
    assert len(sizes) > 20
    assert max(sizes) > 1e-2


@pytest.mark.parametrize("task", MAKE)
def test_a_head_is_theirs(task, fresh_body, shaken):
    torch.manual_seed(0)  # not what the tests before left of the random numbers
    ours = MAKE[task](fresh_body).eval()
    shaken(ours.get_submodule("qa_outputs" if task == "question" else "classifier"))
    theirs = head_to_transformers(ours)
    inputs, (labels, their_labels) = batch(B, C) if task == "choice" else batch(B), answers(task)
    mine, other = ours(**inputs, labels=labels), theirs(**inputs, **their_labels)
    logits = torch.stack([other.start_logits, other.end_logits], -1) if task == "question" else other.logits
    torch.testing.assert_close(mine.logits, logits, rtol=0, atol=1e-5)
    assert mine.loss.item() == pytest.approx(other.loss.item(), abs=1e-5)
    scale = 4 if task == "question" else 1  # a fresh Large's positions look alike: the span's pull is weak
    (scale * mine.loss).backward()
    (scale * other.loss).backward()
    names = head_names(ours)
    pairs = [(our, ours.get_parameter(our), theirs.get_parameter(names[our])) for our in names]
    expect_same_gradients(pairs, UNMOVED + UNMOVED_HEADS.get(task, ()))
    assert {name for name, _ in theirs.named_parameters()} == set(names.values())
    theirs.zero_grad()
    again = head_from_transformers(theirs)
    assert type(again) is type(ours)
    assert all(torch.equal(weight, again.get_parameter(name)) for name, weight, _ in pairs)


def test_the_joint_head_is_two_of_theirs_on_one_body(fresh_body, shaken):
    ours = JointIntentSlotHead(fresh_body, 4, 6).eval()
    shaken(ours.intent)
    shaken(ours.slots)
    alone = {"intent": SequenceClassifier(fresh_body, 4), "slots": TokenClassifier(fresh_body, 6)}
    for name, head in alone.items():
        head.classifier.load_state_dict(ours.get_submodule(name).state_dict())
    theirs = {name: head_to_transformers(head) for name, head in alone.items()}
    theirs["slots"].bert = theirs["intent"].bert
    inputs, intents, slots = batch(B), torch.tensor([3, 0, 1]), tags(6)
    mine = ours(**inputs, intents=intents, slots=slots)
    wanted = theirs["intent"](**inputs, labels=intents)
    words = theirs["slots"](**inputs, labels=slots)
    torch.testing.assert_close(mine.intent_logits, wanted.logits, rtol=0, atol=1e-5)
    torch.testing.assert_close(mine.slot_logits, words.logits, rtol=0, atol=1e-5)
    loss = wanted.loss + words.loss
    assert mine.loss.item() == pytest.approx(loss.item(), abs=1e-5)
    mine.loss.backward()
    loss.backward()
    names = head_names(alone["intent"])
    pairs = [
        (our, ours.get_parameter(our), theirs["intent"].get_parameter(their))
        for our, their in names.items()
        if our.startswith("bert.")
    ]
    for name, other in theirs.items():
        pairs += [(name, ours.get_submodule(name).weight, other.classifier.weight)]
        pairs += [(name, ours.get_submodule(name).bias, other.classifier.bias)]
    expect_same_gradients(pairs)


@torch.no_grad()
def test_the_comparison_can_fail(shaken):
    """A single bias of the head moved by a thousandth is seen."""
    ours = TokenClassifier(shaken(BertModel(BertConfig.from_preset("tiny", vocab_size=300))), 5).eval()
    theirs = head_to_transformers(ours)
    ours.classifier.bias[3] += 1e-3
    assert (ours(**batch(B)).logits - theirs(**batch(B)).logits).abs().max() > 1e-5
