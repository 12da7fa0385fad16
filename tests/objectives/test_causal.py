import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.data.batches import BatchConfig, PreTrainingBatches
from bertlib.errors import InputError
from bertlib.model import BertForPreTraining
from bertlib.objectives import CausalLMLoss, MaskedLMLoss, causal_mask, shift_labels
from bertlib.train import BertTrainer, TrainingConfig

SMALL = BertConfig(
    vocab_size=60,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=24,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return BertForPreTraining(SMALL)


@pytest.fixture
def texts():
    """Two texts of nine and six words, and their mask."""
    ids = torch.randint(5, 60, (2, 9), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    return ids, mask


def test_the_mask_by_hand():
    assert causal_mask(torch.tensor([[1, 1, 1], [0, 1, 1]])).int().tolist() == [
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]],
        [[0, 0, 0], [0, 1, 0], [0, 1, 1]],  # padding in front: nobody looks at it, and it at nobody
    ]
    with pytest.raises(InputError, match=r"expected \(batch, length\)"):
        causal_mask(torch.ones(2, 3, 3))


def test_labels_by_hand():
    ids, words = torch.tensor([[2, 8, 9, 3, 0]]), torch.tensor([[0, 1, 1, 0, 0]])
    assert shift_labels(ids, ids != 0).tolist() == [[8, 9, 3, -100, -100]]
    assert shift_labels(ids, words).tolist() == [[8, 9, -100, -100, -100]]


def influence(model, ids, mask):
    """How strongly input j moves the output at i, for every i and j of the first text: (T, T)."""
    kept = []
    handle = model.bert.embedding.register_forward_hook(lambda _, __, out: kept.append(out))
    output = model(ids, mask).prediction_logits
    handle.remove()
    rows = [
        torch.autograd.grad(output[0, i].pow(2).sum(), kept[0], retain_graph=True)[0]
        for i in range(ids.shape[1])
    ]
    return torch.stack(rows)[:, 0].norm(dim=-1)


def test_no_position_depends_on_what_comes_after_it(model, texts):
    ids, mask = texts
    causal, both_ways = influence(model, ids, causal_mask(mask)), influence(model, ids, mask)
    assert causal.triu(1).max() == 0
    assert (causal.tril()[torch.ones(9, 9).tril() > 0] > 0).all()  # and it does on all that came before
    assert (both_ways > 0).all()  # so the weights could tell: it is the mask that hides


def test_another_ending_leaves_the_beginning_as_it_was(model, texts):
    ids, mask = texts
    other = ids.clone()
    other[:, 5:] = 7
    before, after = (model(text, causal_mask(mask)).prediction_logits for text in (ids, other))
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_the_loss_is_cross_entropy_of_the_next_word(texts):
    ids, mask = texts
    logits = torch.randn(2, 9, 60)
    expected = torch.cat([logits[0, :8], logits[1, :5]]), torch.cat([ids[0, 1:], ids[1, 1:6]])
    assert torch.allclose(CausalLMLoss()(logits, ids, mask), F.cross_entropy(*expected))
    whole = CausalLMLoss()(logits, ids)
    assert torch.allclose(whole, F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()))
    pieces = CausalLMLoss()(logits[:1], ids[:1], mask[:1], count=13) + CausalLMLoss()(
        logits[1:], ids[1:], mask[1:], count=13
    )
    assert torch.allclose(pieces, CausalLMLoss()(logits, ids, mask))


def test_one_word_has_nothing_after_it_and_shapes_must_fit():
    assert CausalLMLoss()(torch.randn(1, 1, 60), torch.tensor([[7]])).item() == 0
    with pytest.raises(InputError, match="do not belong together"):
        CausalLMLoss()(torch.randn(1, 3, 60), torch.ones(1, 4, dtype=torch.long))


def corpus():
    """Documents of phrases of six words: the first of a phrase can be any of eight, the rest follow from it."""
    rng = np.random.default_rng(1)
    phrases = 5 + np.arange(48).reshape(8, 6)
    document_ends = np.cumsum(rng.integers(3, 9, 60))
    tokens = phrases[rng.integers(0, 8, document_ends[-1])].reshape(-1)
    ends = np.arange(6, len(tokens) + 1, 6)
    return SimpleNamespace(
        tokens=tokens.astype(np.uint16), sentence_ends=ends, document_ends=document_ends, vocab_size=60
    )


def test_batches_ask_the_same_question_as_the_loss(model):
    batch = PreTrainingBatches(
        corpus(), BatchConfig(batch_size=4, max_length=24, pairs="none", objective="causal")
    ).batch(0)
    picked = model(batch.input_ids, batch.attention_mask, selected=batch.selected)
    everywhere = model(batch.input_ids, batch.attention_mask)
    by_shifting = CausalLMLoss()(everywhere.prediction_logits, batch.input_ids, batch.input_ids >= 5)
    assert torch.allclose(MaskedLMLoss()(picked.prediction_logits, batch.labels), by_shifting)


def test_it_learns_what_can_be_known_from_the_left_and_no_more(model):
    """Five of six words follow from the one before; the sixth is one of eight. A leak would show as less."""
    config = BatchConfig(batch_size=16, max_length=24, pairs="none", objective="causal", short_share=0)
    batches = PreTrainingBatches(corpus(), config)
    training = TrainingConfig(steps=80, warmup_steps=10, learning_rate=2e-2, log_every=1000, eval_batches=4)
    trainer = BertTrainer(model, batches, training, valid=batches, progress=False)
    found = trainer.fit()
    assert found.pairs == 0
    least = math.log(8) / 6  # 0.35 nats a word
    assert 0.9 * least < found.mlm_loss < 1.4 * least


def test_a_model_that_looks_both_ways_reads_the_answer(model):
    """The same texts without the causal mask: the next word lies open, and the loss falls below what is possible."""
    config = BatchConfig(batch_size=16, max_length=24, pairs="none", objective="causal", short_share=0)
    batches = PreTrainingBatches(corpus(), config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
    for step in range(80):
        batch = batches.batch(step)
        output = model(batch.input_ids, selected=batch.selected)
        loss = MaskedLMLoss()(output.prediction_logits, batch.labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.8 * math.log(8) / 6
