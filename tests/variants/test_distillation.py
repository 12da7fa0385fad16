"""A teacher and its student: losses worked by hand, and a student that comes to agree."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bertlib import BertConfig, BertModel
from bertlib.data.batches import BatchConfig, PreTrainingBatches
from bertlib.errors import ConfigError, InputError, TrainingError
from bertlib.finetune import JointIntentSlotHead, QASpanHead, SequenceClassifier, TokenClassifier
from bertlib.finetune.features import gather
from bertlib.model import BertForPreTraining
from bertlib.variants.distil_training import Distillation, distil_mlm, distil_task, mlm_losses, task_losses
from bertlib.variants.distillation import agreement, cosine_loss, soft_target_loss, student_from

TEACHER = BertConfig(
    vocab_size=40, hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=32,
    max_position_embeddings=16, initializer_range=0.3,
)  # fmt: skip
SMALLER = TEACHER.replace(hidden_size=8, intermediate_size=16, num_hidden_layers=2, initializer_range=0.02)
CALM = SMALLER.replace(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


class Corpus:
    """Sentences of five words, thirty documents of four."""

    vocab_size = 40
    tokens = np.random.default_rng(0).integers(5, 40, 600).astype(np.uint16)
    sentence_ends = np.arange(5, 601, 5)
    document_ends = np.arange(4, 121, 4)


def batches():
    return PreTrainingBatches(Corpus(), BatchConfig(batch_size=16, max_length=16))


def rows(labels=None):
    generator = np.random.default_rng(1)
    texts = [np.array([2, *generator.integers(5, 40, 5), 3]) for _ in range(64)]
    return gather(texts, [7] * 64, pad_id=0, labels=labels)


# --- losses


def test_soft_targets_by_hand():
    teacher, student = torch.tensor([[0.8, 0.2]]).log(), torch.tensor([[0.5, 0.5]]).log()
    expected = 0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5)
    assert soft_target_loss(student, teacher, temperature=1.0).item() == pytest.approx(expected, rel=1e-5)
    # T = 2 takes square roots: 0.8 and 0.2 become 2 : 1, that is 2/3 and 1/3; the factor is 4
    softer = 4 * (2 / 3 * math.log(2 / 3 / 0.5) + 1 / 3 * math.log(1 / 3 / 0.5))
    assert soft_target_loss(student, teacher, temperature=2.0).item() == pytest.approx(softer, rel=1e-5)


def test_who_says_the_same_pays_nothing():
    logits = torch.randn(5, 7)
    assert soft_target_loss(logits + 3, logits, temperature=2.0).item() == pytest.approx(0, abs=1e-6)
    assert soft_target_loss(logits[:0], logits[:0], temperature=2.0).item() == 0


def test_t_squared_makes_gradients_comparable():
    """For high T the gradient tends to (z - v) / (K T^2) of centred logits (Hinton et al. 2015, equation 4)."""
    teacher = torch.randn(1, 6)
    teacher -= teacher.mean()
    gradients = {}
    for temperature in (10.0, 100.0, 1000.0):
        student = torch.linspace(-1, 1, 6)[None].requires_grad_()
        soft_target_loss(student, teacher, temperature=temperature).backward()
        gradients[temperature] = student.grad
    limit = (torch.linspace(-1, 1, 6)[None] - teacher) / 6
    torch.testing.assert_close(gradients[1000.0], limit, atol=2e-3, rtol=0)
    ratio = gradients[10.0].norm() / gradients[1000.0].norm()
    assert 0.8 < ratio < 1.25  # without the factor it would be 10,000 times as large


def test_the_gradient_is_softmax_minus_softmax():
    student, teacher = torch.randn(3, 5, requires_grad=True), torch.randn(3, 5, requires_grad=True)
    soft_target_loss(student, teacher, temperature=1.0).backward()
    torch.testing.assert_close(student.grad, (student.softmax(-1) - teacher.softmax(-1)).detach() / 3)
    assert teacher.grad is None


def test_cosine_by_hand():
    student = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    teacher = torch.tensor([[0.0, 2.0], [6.0, 8.0]])
    assert cosine_loss(student, teacher).item() == pytest.approx(0.5)  # 1 - 0 and 1 - 1


def test_agreement_by_hand():
    assert agreement(torch.tensor([[1.0, 0], [0, 1], [0, 1]]), torch.tensor([[9.0, 0], [5, 1], [0, 2]])) == (
        pytest.approx(2 / 3)
    )


# --- the student's beginning


@pytest.mark.parametrize("make", [BertForPreTraining, BertModel, lambda c: TokenClassifier(BertModel(c), 3)])
def test_the_student_begins_with_every_second_block(make):
    teacher = make(TEACHER).eval()
    student = student_from(teacher)
    body, old = getattr(student, "bert", student), getattr(teacher, "bert", teacher)
    assert type(student) is type(teacher)
    assert body.config == TEACHER.replace(num_hidden_layers=2)
    for new, layer in ((0, 0), (1, 2)):
        for mine, theirs in zip(
            body.encoder.blocks[new].parameters(), old.encoder.blocks[layer].parameters(), strict=True
        ):
            assert torch.equal(mine, theirs)
            assert mine.data_ptr() != theirs.data_ptr()
    assert len(old.encoder.blocks) == 4
    assert torch.equal(body.word_embeddings, old.word_embeddings)


def test_a_student_of_all_blocks_is_the_teacher():
    teacher = BertModel(TEACHER).eval()
    ids = torch.randint(5, 40, (2, 9))
    assert torch.equal(
        student_from(teacher, layers=[0, 1, 2, 3])(ids).last_hidden_state, teacher(ids).last_hidden_state
    )


@pytest.mark.parametrize("layers", [[], [4], [-1], [2, 0], [1, 1]])
def test_blocks_that_are_not_there(layers):
    with pytest.raises(InputError, match=r"of a teacher of 4 blocks; expected ascending numbers from 0 to 3"):
        student_from(BertModel(TEACHER), layers=layers)


# --- teaching


def seen(model):
    """What a masked language model says on a batch that nobody trained on."""
    batch = batches().batch(999)
    with torch.no_grad():
        return model.eval()(
            batch.input_ids, batch.attention_mask, batch.token_type_ids, selected=batch.selected
        ).prediction_logits


def test_a_masked_model_teaches_a_smaller_one():
    teacher, student = BertForPreTraining(TEACHER), BertForPreTraining(CALM)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    first = agreement(seen(student), seen(teacher))
    recipe = Distillation(steps=40, alpha=1.0, learning_rate=2e-2)
    history = distil_mlm(student, teacher, batches(), recipe)
    assert history.shape == (40, 4)
    assert history[-10:, 1].mean() < 0.5 * history[:3, 1].mean()
    assert agreement(seen(student), seen(teacher)) > first + 0.3
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
    assert not student.training
    assert not teacher.training


def test_the_parts_add_up_and_the_cosine_compares_the_asked_positions_only():
    teacher = BertForPreTraining(TEACHER).eval()
    student = student_from(teacher, layers=[0, 3]).eval()
    recipe = Distillation(steps=1, alpha=0.3, cosine=2.0, temperature=3.0)
    batch = batches().batch(0)
    found = mlm_losses(student, teacher, batch, recipe)
    torch.testing.assert_close(found.total, 0.3 * found.soft + 0.7 * found.hard + 2.0 * found.cosine)
    inputs = batch.input_ids, batch.attention_mask, batch.token_type_ids
    whole = [model.bert(*inputs).last_hidden_state[batch.selected] for model in (student, teacher)]
    torch.testing.assert_close(found.cosine, cosine_loss(*whole), atol=1e-5, rtol=0)
    logits = [model(*inputs).prediction_logits[batch.selected] for model in (student, teacher)]
    torch.testing.assert_close(found.soft, soft_target_loss(*logits, temperature=3.0), atol=1e-5, rtol=0)
    hard = torch.nn.functional.cross_entropy(logits[0], batch.labels)
    torch.testing.assert_close(found.hard, hard, atol=1e-5, rtol=0)


def test_a_fine_tuned_model_teaches_without_labels():
    teacher = SequenceClassifier(BertModel(TEACHER), 3).eval()
    student = SequenceClassifier(BertModel(CALM), 3)
    features = rows()
    inputs = features.batch(np.arange(64))

    def agree():
        with torch.no_grad():
            return agreement(student.eval()(**inputs).logits, teacher(**inputs).logits)

    first = agree()
    recipe = Distillation(steps=60, batch_size=16, alpha=1.0, learning_rate=1e-2, temperature=1.0)
    history = distil_task(student, teacher, features, recipe)
    assert history[-5:, 0].mean() < 0.6 * history[:3, 0].mean()
    assert agree() > first + 0.5
    assert not history[:, 2].any()


def test_pieces_that_are_not_asked_do_not_count():
    teacher, student = (TokenClassifier(BertModel(c), 3).eval() for c in (TEACHER, SMALLER))
    ids = torch.randint(5, 40, (2, 6))
    labels = torch.tensor([[-100, 1, -100, 2, -100, -100], [-100, 0, 0, -100, -100, -100]])
    recipe = Distillation(steps=1, alpha=0.25)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    found = task_losses(student, teacher, batch, recipe)
    asked = labels >= 0
    logits = [model(ids).logits[asked] for model in (student, teacher)]
    torch.testing.assert_close(found.soft, soft_target_loss(*logits, temperature=2.0))
    hard = torch.nn.functional.cross_entropy(logits[0], labels[asked])
    torch.testing.assert_close(found.total, 0.25 * found.soft + 0.75 * hard)
    del batch["labels"]
    batch["attention_mask"][0, 3:] = 0
    real = batch["attention_mask"].bool()
    logits = [model(ids, batch["attention_mask"]).logits[real] for model in (student, teacher)]
    alone = task_losses(student, teacher, batch, Distillation(steps=1, alpha=1.0))
    torch.testing.assert_close(alone.total, soft_target_loss(*logits, temperature=2.0))


def test_the_seed_decides():
    def run(seed):
        torch.manual_seed(1)
        teacher, student = (SequenceClassifier(BertModel(c), 2) for c in (TEACHER, SMALLER))
        return distil_task(student, teacher, rows(), Distillation(steps=4, alpha=1.0, seed=seed)).tolist()

    assert run(0) == run(0) != run(1)


# --- what is refused


def test_losses_of_things_that_do_not_fit():
    two = torch.zeros(2, 3)
    with pytest.raises(InputError, match=r"student \(2, 3\) and of the teacher \(2, 4\)"):
        soft_target_loss(two, torch.zeros(2, 4), temperature=1.0)
    with pytest.raises(InputError, match="one number has no probabilities"):
        soft_target_loss(torch.zeros(2, 1), torch.zeros(2, 1), temperature=1.0)
    with pytest.raises(InputError, match="temperature 0"):
        soft_target_loss(two, two, temperature=0)
    with pytest.raises(InputError, match="expected the same width: take student_from"):
        cosine_loss(two, torch.zeros(2, 4))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"alpha": 1.5}, "alpha 1.5"),
        ({"cosine": -1.0}, "cosine -1.0"),
    ],
)
def test_recipes_that_are_none(changes, message):
    with pytest.raises(ConfigError, match=message):
        Distillation(**{"steps": 1} | changes)


def test_teachers_that_do_not_suit():
    recipe, student = Distillation(steps=1), BertForPreTraining(SMALLER)
    with pytest.raises(ConfigError, match="the student knows 40 pieces, the teacher 41"):
        distil_mlm(student, BertForPreTraining(TEACHER.replace(vocab_size=41)), batches(), recipe)
    one, two = (SequenceClassifier(BertModel(c), 2) for c in (TEACHER, SMALLER))
    with pytest.raises(InputError, match=r"no labels, and alpha is 0\.5"):
        distil_task(two, one, rows(), recipe)
    with pytest.raises(ConfigError, match=r"cosine is 1\.0; expected 0"):
        distil_task(two, one, rows(), Distillation(steps=1, cosine=1.0))
    spans = {"labels": np.ones((64, 2), np.int64)}
    with pytest.raises(InputError, match="expected one label for each row of logits"):
        distil_task(QASpanHead(BertModel(SMALLER)), QASpanHead(BertModel(TEACHER)), rows(spans), recipe)
    both = {"intents": np.zeros(64, np.int64), "slots": np.zeros(64 * 7, np.int64)}
    joint = [JointIntentSlotHead(BertModel(c), 2, 2) for c in (SMALLER, TEACHER)]
    with pytest.raises(InputError, match="labels intents, slots; expected a head with one kind"):
        distil_task(*joint, rows(both), recipe)


def test_a_loss_that_is_no_number_stops_it():
    teacher, student = (SequenceClassifier(BertModel(c), 2) for c in (TEACHER, SMALLER))
    with torch.no_grad():
        teacher.classifier.bias[0] = math.inf
    with pytest.raises(TrainingError, match="step 1: the loss is no finite number; try a lower"):
        distil_task(student, teacher, rows(), Distillation(steps=2, alpha=1.0))
