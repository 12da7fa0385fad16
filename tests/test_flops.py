"""The formula against PyTorch's own counter, and the peak it is divided by."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bertlib.config import BertConfig
from bertlib.data.batches import Batch
from bertlib.data.masking import mask_tokens
from bertlib.errors import ConfigError, InputError
from bertlib.flops import PARTS, flops_by_part, flops_per_token
from bertlib.model import BertForPreTraining
from bertlib.peak import mfu, peak_rate, published_peak

TINY = BertConfig.from_preset(
    "tiny", vocab_size=300, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
)
B, T = 4, 32


def random_batch(batch_size, max_length, vocab_size, *, generator):
    """Make a full batch of random words: B texts of two sentences without padding."""
    original = torch.randint(5, vocab_size, (batch_size, max_length), generator=generator)
    original[:, 0] = 2
    original[:, [max_length // 2, -1]] = 3
    masked = mask_tokens(original, original >= 5, vocab_size=vocab_size, mask_id=4, generator=generator)
    second = (torch.arange(max_length) > max_length // 2).long().expand(batch_size, -1).contiguous()
    labels = torch.arange(batch_size) % 2
    return Batch(masked.input_ids, torch.ones_like(original), second, original, masked.selected, labels)


def counted(selected, *, training):
    """Count the products of one pass as PyTorch sees them, per token."""
    model = BertForPreTraining(TINY)
    batch = random_batch(B, T, 300, generator=torch.Generator().manual_seed(0))
    choice = batch.selected if selected else None
    with FlopCounterMode(display=False) as counter:
        output = model(batch.input_ids, batch.attention_mask, batch.token_type_ids, selected=choice)
        if training:
            (output.prediction_logits.sum() + output.seq_relationship_logits.sum()).backward()
    share = batch.selected.float().mean().item()
    return counter.get_total_flops() / (B * T), share


def sentence_head(passes):
    return passes * (2 * TINY.hidden_size**2 + 4 * TINY.hidden_size) / T


@pytest.mark.parametrize("training", [False, True])
def test_all_positions_cost_what_pytorch_counts(training):
    found, _ = counted(False, training=training)
    passes = 3 if training else 1
    expected = flops_per_token(TINY, length=T, selected=1.0, training=training) + sentence_head(passes)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("training", [False, True])
def test_selected_positions_cost_what_pytorch_counts(training):
    found, share = counted(True, training=training)
    passes = 3 if training else 1
    expected = flops_per_token(TINY, length=T, selected=share, training=training) + sentence_head(passes)
    assert found == pytest.approx(expected, rel=1e-9)  # every text has as many selected positions


def test_the_table_of_a_mini():
    mini = BertConfig.from_preset("mini", vocab_size=8192)
    large = mini.replace(vocab_size=30_522)
    plain = {"length": 128, "last_block_rows": False}
    assert flops_per_token(mini, selected=1.0, **plain) / 1e6 == pytest.approx(33.4, abs=0.05)
    assert flops_per_token(mini, **plain) / 1e6 == pytest.approx(22.4, abs=0.05)
    assert flops_per_token(large, selected=1.0, **plain) / 1e6 == pytest.approx(67.7, abs=0.05)
    assert flops_per_token(large, **plain) / 1e6 == pytest.approx(27.5, abs=0.05)
    saved = 1 - flops_per_token(mini, length=128) / flops_per_token(mini, **plain)
    assert 0.1 < saved < 0.25


def test_parts_are_named_and_add_up():
    parts = flops_by_part(TINY, length=T)
    assert tuple(parts) == PARTS
    assert sum(parts.values()) == flops_per_token(TINY, length=T)
    body = flops_by_part(TINY, length=T, selected=None, training=False)
    assert body["output layer"] == 0
    assert body["feed-forward"] == 2 * 16 * TINY.hidden_size**2  # two blocks, all positions


@pytest.mark.parametrize("bad", [{"length": 0}, {"length": 8, "selected": 1.5}])
def test_a_share_is_a_share(bad):
    with pytest.raises(InputError, match="expected"):
        flops_per_token(TINY, **bad)


def test_data_sheets_are_found_by_the_drivers_names():
    assert published_peak("NVIDIA H200", "bf16") == 989e12
    assert published_peak("NVIDIA H100 PCIe", "bf16") == 756e12
    assert published_peak("NVIDIA H100 80GB HBM3", "fp32") == 67e12
    assert published_peak("NVIDIA A100-SXM4-40GB", "tf32") == 156e12
    assert published_peak("Tesla T4", "tf32") == 8.1e12  # no such unit: plain fp32
    assert published_peak("Tesla T4", "bf16") is None
    assert published_peak("NVIDIA L40S", "bf16") == 362e12
    for name in ("NVIDIA GH200 480GB", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "GeForce RTX 4090 Laptop GPU"):
        assert published_peak(name, "bf16") is None


def test_a_probe_draws_no_random_numbers_and_is_kept(monkeypatch):
    monkeypatch.setattr("bertlib.peak.PROBE_SECONDS", 0.01)
    before = torch.get_rng_state()
    peak = peak_rate("cpu")
    assert peak.measured
    assert peak.flops_per_s > 1e8
    assert torch.equal(torch.get_rng_state(), before)
    assert peak_rate("cpu") == peak  # a second measurement would differ in its last digits
    with pytest.raises(ConfigError, match="expected fp32 or bf16"):
        peak_rate("cpu", "fp16")


def test_mfu_is_work_over_peak():
    work, peak = flops_per_token(TINY, length=T), peak_rate("cpu").flops_per_s
    assert mfu(peak / work, TINY, length=T) == pytest.approx(1.0)
    assert mfu(peak / work, TINY, length=T, devices=4) == pytest.approx(0.25)
