"""The model on a GPU is the model: losses and gradients of the CPU, fused attention equal to the plain one."""

from __future__ import annotations

import pytest
import torch

from bertlib.bench.steps import our_loss
from bertlib.config import BertConfig
from bertlib.data.batches import Batch
from bertlib.model.attention import MultiHeadSelfAttention, padding_bias
from bertlib.model.bert import rows_of
from bertlib.model.dropout import Dropout
from bertlib.objectives import causal_mask
from bertlib.seeds import seeded
from bertlib.train.precision import autocast, matmul_precision

pytestmark = pytest.mark.gpu

# Sums of some thousand fp32 products in another order differ in the seventh digit, and a dozen layers of them
# in the fifth. bf16 rounds each factor to 8 bits, a relative error of up to 2^-9, which a few layers make a few
# hundredths of; a mistake (a mask left out, a head exchanged) would be near one.
EXACT, ROUNDED = 1e-4, 6e-2


def distance(got: torch.Tensor, right: torch.Tensor) -> float:
    got, right = got.detach().double().cpu(), right.detach().double().cpu()
    return ((got - right).norm() / right.norm()).item()


def loss_and_gradients(model, batch, precision):
    with matmul_precision("highest"):
        loss = our_loss(model, precision=precision)(batch)
        loss.backward()
    return loss.item(), {name: weight.grad for name, weight in model.named_parameters()}


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", EXACT), ("bf16", ROUNDED)])
def test_loss_and_gradients_are_those_of_the_cpu(
    make_model, make_batches, device, precision, tolerance
) -> None:
    batch = make_batches("cpu").batch(0)
    right_loss, right = loss_and_gradients(make_model(), batch, "fp32")
    there = Batch(*(part.to(device) for part in batch))
    loss, gradients = loss_and_gradients(make_model(device), there, precision)
    assert loss == pytest.approx(right_loss, rel=tolerance)
    assert all(gradient.device.type == device.type for gradient in gradients.values())
    whole = [torch.cat([g.flatten().cpu() for g in all_.values()]) for all_ in (gradients, right)]
    assert distance(*whole) < tolerance
    if precision == "fp32":  # a bias of a key has no gradient but rounding: softmax does not see it
        small = {name for name in right if name.endswith("key.bias")}
        assert all(distance(gradients[name], right[name]) < 10 * EXACT for name in right.keys() - small)


MASKS = {
    "none": lambda batch: None,
    "padding": lambda batch: batch.attention_mask,
    "left to right": lambda batch: causal_mask(batch.attention_mask),
}


@pytest.mark.parametrize("length", [61, 64])
@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", EXACT), ("bf16", ROUNDED)])
def test_fused_attention_is_plain_attention(
    make_model, make_batches, device, kind, length, precision, tolerance
) -> None:
    """Whoever wants to see the weights gets the plain form, on any device."""
    model, batch = make_model(device).eval(), make_batches(length=length).batch(0)
    mask = MASKS[kind](batch)
    with torch.no_grad(), matmul_precision("highest"), autocast(precision, device):
        fused, plain = (
            model(
                batch.input_ids,
                mask,
                batch.token_type_ids,
                selected=batch.selected,
                output_attentions=show,
            )
            for show in (False, True)
        )
    assert len(plain.body.attentions) == 2
    assert distance(fused.prediction_logits, plain.prediction_logits) < tolerance
    assert distance(fused.seq_relationship_logits, plain.seq_relationship_logits) < tolerance


def test_padding_changes_nothing(make_model, make_batches, device) -> None:
    """A text alone, without its padding, has the vectors that it has among longer ones."""
    model, batch = make_model(device).eval(), make_batches().batch(0)
    length = int(batch.attention_mask.sum(1).min())
    row = int(batch.attention_mask.sum(1).argmin())
    assert length < batch.input_ids.shape[1]
    with torch.no_grad(), matmul_precision("highest"):
        among = model.bert(batch.input_ids, batch.attention_mask, batch.token_type_ids).last_hidden_state
        alone = model.bert(
            batch.input_ids[row : row + 1, :length], None, batch.token_type_ids[row : row + 1, :length]
        )
    assert distance(among[row, :length], alone.last_hidden_state[0]) < EXACT


def test_selected_positions_are_found(make_batches, device) -> None:
    selected = make_batches().batch(0).selected
    for there, here in zip(rows_of(selected), rows_of(selected.cpu()), strict=True):
        assert there.device.type == device.type
        assert torch.equal(there.cpu(), here)


def test_dropout_follows_its_seed_and_leaves_the_generators_alone(device) -> None:
    ones, dropout = torch.ones(1000, 1000, device=device), Dropout(0.1)
    torch.manual_seed(7)
    expected = torch.rand(3, device=device)
    torch.manual_seed(7)
    drawn = []
    for seed in (1, 1, 2):
        with seeded(seed, device):
            drawn.append(dropout(ones))
    assert torch.equal(torch.rand(3, device=device), expected)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    share = (drawn[0] == 0).double().mean().item()
    assert share == pytest.approx(0.1, abs=0.002)  # a million coins: one standard deviation is 0.0003
    assert drawn[0].max().item() == pytest.approx(1 / 0.9, rel=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_attention_drops_a_tenth_of_the_weights(device, precision) -> None:
    """Some fused kernels round the rate to sixteenths. Here everybody looks at everybody alike, and the value
    of position j is the j-th unit vector: what comes out are the weights themselves, dropped ones as zeros."""
    length, attention = 64, MultiHeadSelfAttention(BertConfig(hidden_size=128, num_attention_heads=2))
    with torch.no_grad():
        for layer in (attention.query, attention.key, attention.value, attention.output):
            layer.weight.copy_(torch.eye(128) * (layer in (attention.value, attention.output)))
            layer.bias.zero_()
    hidden = torch.eye(length).repeat(1, 2).expand(64, length, 128).to(device)
    bias = padding_bias(torch.ones(64, length, device=device), torch.float32)
    with torch.no_grad(), seeded(0, device), autocast(precision, device):
        weights = attention.to(device).train()(hidden, bias)[0].double() * length
    # half a million coins: one standard deviation is 0.0004; bf16 rounds a weight by up to 2^-9
    assert (weights == 0).double().mean().item() == pytest.approx(0.1, abs=0.003)
    assert weights.mean().item() == pytest.approx(1.0, abs=0.006)
