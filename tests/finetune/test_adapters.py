"""Adapters and LoRA: nothing changes until something is learned, and then only what may."""

from __future__ import annotations

import pytest
import torch

from bertlib import BertConfig, BertModel
from bertlib.errors import CheckpointError, InputError
from bertlib.finetune import SequenceClassifier
from bertlib.finetune.adapters import Adapter, adapter_state, add_adapters, load_adapters
from bertlib.finetune.layers import trainable
from bertlib.finetune.lora import LoraLinear, add_lora, merge_lora

CONFIG = BertConfig(
    vocab_size=60, hidden_size=12, num_hidden_layers=3, num_attention_heads=2, intermediate_size=24,
    max_position_embeddings=16, initializer_range=0.2,
)  # fmt: skip
KINDS = {"adapters": lambda bert: add_adapters(bert, 4), "lora": lambda bert: add_lora(bert, 2, alpha=8)}


@pytest.fixture
def bert():
    torch.manual_seed(0)
    return BertModel(CONFIG).eval()


@pytest.fixture
def batch():
    ids = torch.randint(5, 60, (4, 9), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": (ids > 30).long()}


def trained(model, batch, steps=5):
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        model(**batch, labels=torch.tensor([0, 1, 1, 0])).loss.backward()
        optimizer.step()
    return model.eval()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [None, torch.tensor([[0, 3], [0, 1], [0, 8], [0, 2]])])
def test_at_first_nothing_changes(kind, rows, bert, batch):
    plain, adapted = bert(**batch, rows=rows), KINDS[kind](bert)(**batch, rows=rows)
    assert torch.equal(plain.last_hidden_state, adapted.last_hidden_state)
    assert torch.equal(plain.pooler_output, adapted.pooler_output)


def test_attention_can_still_be_looked_at(bert, batch):
    plain = bert(**batch, output_attentions=True, output_hidden_states=True)
    adapted = add_adapters(bert, 4)(**batch, output_attentions=True, output_hidden_states=True)
    assert len(adapted.attentions) == 3
    assert all(torch.equal(a, b) for a, b in zip(plain.attentions, adapted.attentions, strict=True))


def test_an_adapter_by_hand():
    adapter = Adapter(BertConfig(hidden_size=2, num_attention_heads=1), 1)
    with torch.no_grad():
        adapter.down.weight.copy_(torch.tensor([[1.0, 2.0]]))
        adapter.up.weight.copy_(torch.tensor([[10.0], [-1.0]]))
        adapter.up.bias.copy_(torch.tensor([0.0, 0.5]))
    # down: 3 + 2 * (-1) = 1, gelu(1) = 0.8413; up: 8.413 and -0.8413 + 0.5; and x on top
    expected = torch.tensor([3 + 8.41345, -1 - 0.341345])
    torch.testing.assert_close(adapter(torch.tensor([3.0, -1.0])), expected, atol=1e-4, rtol=0)


def test_where_the_adapters_stand(bert, batch):
    """Independent reference: the block written out, with adapters that do something."""
    adapted = add_adapters(bert, 4)
    for part in adapted.modules():
        if isinstance(part, Adapter):
            torch.nn.init.normal_(part.up.weight)
    block, x = adapted.encoder.blocks[0], torch.randn(2, 5, 12)
    attended = block.attention(x)[0]
    h = block.attention_norm(x + attended + block.attention_adapter.up(
        torch.nn.functional.gelu(block.attention_adapter.down(attended))))  # fmt: skip
    fed = block.feed_forward(h)
    expected = block.feed_forward_norm(h + fed + block.feed_forward_adapter.up(
        torch.nn.functional.gelu(block.feed_forward_adapter.down(fed))))  # fmt: skip
    torch.testing.assert_close(block(x)[0], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        block(x, rows=torch.tensor([[1], [4]]))[0][1, 0], expected[1, 4], atol=1e-5, rtol=0
    )


def test_what_is_trained_by_hand(bert):
    adapted = add_adapters(bert, 4)
    adapters = 3 * 2 * (2 * 4 * 12 + 4 + 12)
    norms = (1 + 3 * 2) * 2 * 12
    left = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert left == adapters + norms
    total = sum(p.numel() for p in bert.parameters()) + adapters
    assert trainable(adapted).share == pytest.approx(left / total)
    lora = add_lora(bert, 2)
    assert sum(p.numel() for p in lora.parameters() if p.requires_grad) == 3 * 2 * 2 * (12 + 12)


@pytest.mark.parametrize("kind", KINDS)
def test_training_moves_only_that_and_leaves_the_given_body_alone(kind, bert, batch):
    before = {name: value.clone() for name, value in bert.state_dict().items()}
    model = SequenceClassifier(KINDS[kind](bert), 2)
    kept = {name: p.detach().clone() for name, p in model.named_parameters()}
    trained(model, batch)
    for name, p in model.named_parameters():
        assert torch.equal(p, kept[name]) != p.requires_grad, name
    assert all(torch.equal(value, before[name]) for name, value in bert.state_dict().items())
    assert all(p.requires_grad for p in bert.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_saved_adapters_go_onto_the_same_body(kind, bert, batch):
    model = trained(SequenceClassifier(KINDS[kind](bert), 2), batch)
    state = adapter_state(model)
    assert sum(value.numel() for value in state.values()) < 0.5 * sum(p.numel() for p in model.parameters())
    fresh = SequenceClassifier(KINDS[kind](bert), 2).eval()
    assert not torch.equal(fresh(**batch).logits, model(**batch).logits)
    load_adapters(fresh, state)
    assert torch.equal(fresh(**batch).logits, model(**batch).logits)


def test_merged_equals_unmerged(bert, batch):
    model = trained(SequenceClassifier(add_lora(bert, 2, alpha=8), 2), batch)
    merged = merge_lora(model.bert)
    assert not any(isinstance(part, LoraLinear) for part in merged.modules())
    assert merged.state_dict().keys() == bert.state_dict().keys()
    new, old = merged(**batch).last_hidden_state, model.bert(**batch).last_hidden_state
    torch.testing.assert_close(new, old, atol=1e-5, rtol=0)
    assert (new - bert(**batch).last_hidden_state).abs().max() > 0.1


def test_lora_by_hand():
    linear = torch.nn.Linear(2, 2)
    lora = LoraLinear(linear, 2, 6.0)
    with torch.no_grad():
        linear.weight.copy_(torch.eye(2))
        linear.bias.zero_()
        lora.lora_a.copy_(torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
        lora.lora_b.copy_(torch.tensor([[0.0, 7.0], [2.0, 7.0]]))
    # W x = (1, 4); A x = (5, 0); B A x = (0, 10); times alpha / r = 3
    assert lora(torch.tensor([1.0, 4.0])).tolist() == [1.0, 34.0]
    assert lora.merged().weight.tolist() == [[1.0, 0.0], [6.0, 7.0]]
    assert LoraLinear(torch.nn.Linear(2, 2, bias=False), 2, 6.0).merged().bias is None


def test_what_is_refused(bert, batch):
    with pytest.raises(InputError, match="adapters of size 0"):
        add_adapters(bert, 0)
    with pytest.raises(InputError, match="block 0 is a AdaptedBlock; expected a TransformerBlock"):
        add_adapters(add_adapters(bert, 2), 2)
    with pytest.raises(InputError, match="LoRA of rank 0"):
        add_lora(bert, 0)
    with pytest.raises(InputError, match="no linear layer is called quarry"):
        add_lora(bert, 2, layers=("quarry",))
    with pytest.raises(InputError, match="nothing of this SequenceClassifier is frozen"):
        adapter_state(SequenceClassifier(bert, 2))


def test_adapters_of_another_shape_change_nothing(bert, batch):
    state = adapter_state(SequenceClassifier(add_adapters(bert, 4), 2))
    other = SequenceClassifier(add_adapters(bert, 5), 2)
    before = adapter_state(other)
    with pytest.raises(CheckpointError, match=r"expected \(5, 12\): give add_adapters the size"):
        load_adapters(other, state)
    with pytest.raises(CheckpointError, match=r"'bert\.embedding\.norm\.bias' is not in the model"):
        load_adapters(SequenceClassifier(add_lora(bert, 2), 2), state)
    with pytest.raises(CheckpointError, match=r"'bert\.encoder\..*' is not saved"):
        load_adapters(other, {name: value for name, value in before.items() if "blocks.2" not in name})
    assert all(torch.equal(value, before[name]) for name, value in adapter_state(other).items())
