"""Each trick taken out leaves the same model; the packing comparison counts words, not padding."""

import json
import random

import pytest
import torch

from bertlib.bench.ablate import ALL, NONE, bench_ablation
from bertlib.bench.cell import Cell, Data
from bertlib.bench.packing import BUCKETED, PACKED, PADDED, packing_ways
from bertlib.bench.steps import our_loss
from bertlib.bench.variants import TRICKS, python_masking, variant_model
from bertlib.model.dropout import Dropout

SMALL = Cell(preset="tiny", vocab_size=300, batch_size=4, max_length=32, dropout=0.0)


@pytest.mark.parametrize("missing", list(TRICKS))
def test_without_dropout_each_variant_has_the_same_loss_and_gradients(missing):
    batch, losses, gradients = Data(SMALL).batch, [], []
    for tricks in (list(TRICKS), [name for name in TRICKS if name != missing]):
        model = variant_model(SMALL, tricks)
        loss = our_loss(model, precision="fp32", select="output layer" in tricks)(batch)
        loss.backward()
        losses.append(loss.item())
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert torch.allclose(*gradients, atol=1e-5)


def test_tricks_that_are_off_are_off():
    model = variant_model(Cell(preset="tiny", vocab_size=300), [])
    assert not any(isinstance(module, Dropout) for module in model.modules())
    assert sum(isinstance(module, torch.nn.Dropout) for module in model.modules()) == 5
    blocks = model.bert.encoder.blocks
    assert [block.takes_rows for block in blocks] == [True, False]
    assert all(block.attention.fused for block in blocks)
    assert not variant_model(SMALL, TRICKS).bert.encoder.blocks[0].attention.fused


def test_python_masking_masks_fifteen_in_a_hundred():
    ids = [2, *[50] * 2000, 3]
    masked, selected = python_masking(ids, 300, random.Random(0))
    assert sum(selected) == 300
    assert not selected[0]
    assert not selected[-1]
    changed = [new for new, chosen in zip(masked, selected, strict=True) if chosen]
    assert 0.75 < changed.count(4) / 300 < 0.85
    assert 0.05 < sum(token not in (4, 50) for token in changed) / 300 < 0.15
    assert all(new == old for new, old, s in zip(masked, ids, selected, strict=True) if not s)


def test_padding_is_not_counted():
    _, words = packing_ways(SMALL)
    assert words[PADDED] == words[BUCKETED]  # the same sentences
    assert words[PADDED] < words[PACKED] <= SMALL.tokens


def test_a_turn_of_the_packing_table_goes_through_all_batches(monkeypatch):
    seen = []
    monkeypatch.setattr("bertlib.bench.ablate.COUNT", 3)
    monkeypatch.setattr("bertlib.bench.packing.COUNT", 3)
    monkeypatch.setattr("bertlib.bench.ablate.variant_step", lambda *_, **__: float)
    monkeypatch.setattr(
        "bertlib.bench.packing.make_step",
        lambda model, loss, batches, **_: lambda: seen.append(id(batches())),
    )
    result = bench_ablation(SMALL, rounds=2, steps=1, extras=())
    warm_up, rounds = seen[: 3 * 2], seen[3 * 2 :]
    assert len(set(warm_up)) == 6
    assert len(rounds) == 2 * 3 * 3
    for first in range(0, len(rounds), 3):
        assert len(set(rounds[first : first + 3])) == 3
    assert result.packing[PADDED].ratio.median == 1.0


def test_an_extra_that_fails_costs_only_its_own_row(monkeypatch):
    def compiler(*_, **__):
        raise RuntimeError("no compiler here\nand much more")

    monkeypatch.setattr("torch.compile", compiler)
    result = bench_ablation(SMALL, rounds=1, steps=1, extras=("bf16", "compile"))
    assert result.extra["+ bf16"] is not None
    assert result.extra["+ compile"] is None
    assert result.reasons == {"+ compile": "no compiler here"}
    assert "+ compile was not measured: no compiler here" in result.lines()
    assert result.to_dict()["reasons"] == result.reasons
    assert result.packing


def test_all_tables_are_filled_and_say_what_was_not_measured():
    seen = []
    result = bench_ablation(
        SMALL, rounds=2, steps=1, extras=(), after_table=lambda found: seen.append(len(found.machine))
    )
    assert seen == [1, 2, 3, 4]
    assert len(result.removed) == len(result.added) == len(TRICKS) + 1
    assert result.removed[ALL].ratio.median == result.added[NONE].ratio.median == 1.0
    assert result.extra["+ CUDA graphs"] is None
    assert set(result.packing) == {PADDED, BUCKETED, PACKED}
    assert "not measured" in "\n".join(result.lines())
    assert json.loads(json.dumps(result.to_dict()))["extra"]["+ bf16"] is None
