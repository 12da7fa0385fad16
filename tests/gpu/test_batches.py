"""Batches made on a GPU: the texts of the CPU, masks of their own that follow from seed and step."""

from __future__ import annotations

import pytest
import torch

from bertlib.data import batches as batches_module

pytestmark = pytest.mark.gpu


def same(one, other) -> bool:
    return all(torch.equal(a.cpu(), b.cpu()) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("pairs", ["nsp", "sop", "none"])
def test_the_texts_are_those_of_the_cpu(make_batches, device, pairs) -> None:
    there, here = make_batches(pairs=pairs).batch(3), make_batches("cpu", pairs=pairs).batch(3)
    assert {part.device.type for part in there} == {device.type}
    for name in ("original_ids", "attention_mask", "token_type_ids", "next_sentence_label"):
        assert torch.equal(getattr(there, name).cpu(), getattr(here, name)), name


@pytest.mark.parametrize("masking", ["tokens", "words", "spans"])
def test_masks_follow_from_seed_and_step_and_have_the_right_shares(make_batches, masking) -> None:
    made = make_batches(masking=masking, texts=64)
    steps = [made.batch(step) for step in range(12)]
    assert same(make_batches(masking=masking, texts=64).batch(5), steps[5])
    other = make_batches(masking=masking, texts=64, seed=1).batch(5)
    assert not torch.equal(other.selected, steps[5].selected)
    original, masked, selected = (
        torch.cat([getattr(batch, name) for batch in steps])
        for name in ("original_ids", "input_ids", "selected")
    )
    words = original >= 5
    assert torch.equal(masked[~selected], original[~selected])
    assert not selected[~words].any()
    share = (selected.sum() / words.sum()).item()
    assert share == pytest.approx(0.15, abs=0.01)
    hidden = (masked[selected] == 4).double().mean().item()
    changed = ((masked != original) & (masked != 4) & selected).sum().item() / selected.sum().item()
    # some 6,000 lots, of spans some 2,000: one standard deviation is 0.005 (0.009) and 0.004 (0.007)
    assert hidden == pytest.approx(0.8, abs=0.03)
    assert changed == pytest.approx(0.1, abs=0.025)


def test_a_corpus_that_stays_on_the_disk_gives_the_same_batches(make_batches, gpu, monkeypatch) -> None:
    resident = make_batches()
    assert resident._resident is not None
    monkeypatch.setattr(batches_module, "RESIDENT_TOKENS", 0)
    read = make_batches()
    assert read._resident is None
    assert same(resident.batch(2), read.batch(2))


def test_some_rows_are_those_of_the_whole_batch(make_batches) -> None:
    made = make_batches()
    assert same(made.batch(4, 3, 9), made.batch(4).rows(3, 9))


def test_left_to_right(make_batches) -> None:
    there = make_batches(objective="causal", pairs="none").batch(1)
    here = make_batches("cpu", objective="causal", pairs="none").batch(1)
    assert same(there, here)  # nothing is drawn
