"""The comparison with transformers: the same start, the same loss, honest bookkeeping."""

import json
import math
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace

import pytest

from bertlib.bench.cell import Cell, Data, random_corpus, share_of_text
from bertlib.bench.curves import loss_curves
from bertlib.bench.memory import measure_here, memory_of
from bertlib.bench.pretrain import OUR_TRAINER, THEIRS, TRAINER, bench_pretraining
from bertlib.bench.sweep import cells_of_sweep, sweep
from bertlib.bench.trainers import collator_of_transformers, text_examples
from bertlib.errors import ConfigError
from bertlib.flops import flops_per_token

pytest.importorskip("transformers")

SMALL = Cell(preset="tiny", vocab_size=300, batch_size=4, max_length=16)


@pytest.fixture(scope="module")
def result():
    return bench_pretraining(SMALL, rounds=2, steps=1, full=True)


def test_all_sides_know_nothing_at_first(result):
    for name, side in result.sides.items():
        if name != TRAINER:  # its losses are its own business
            assert side.first_loss == pytest.approx(math.log(300) + math.log(2), abs=0.4), name


def test_ratios_are_those_of_the_same_rounds(result):
    assert next(iter(result.sides)) == TRAINER
    alike = {"transformers, matmul medium", "transformers, matmul medium, memory kept"}
    assert {THEIRS, OUR_TRAINER, *alike} <= set(result.sides)
    assert set(result.sides[OUR_TRAINER].ratios) == {TRAINER, *alike}
    for name, side in result.sides.items():
        assert name not in side.ratios
        assert all(0 < r.low <= r.median <= r.high for r in side.ratios.values())


def test_the_quick_comparison_has_theirs_as_it_comes_and_with_our_settings(monkeypatch):
    kept = []
    monkeypatch.setattr("bertlib.bench.steps.kept_memory", lambda wanted: nullcontext(kept.append(wanted)))
    for matmul in ("medium", "highest"):
        quick = bench_pretraining(replace(SMALL, matmul=matmul), rounds=1, steps=1)
        same = f"transformers, matmul {matmul}, memory kept"
        assert set(quick.sides[f"bertlib, matmul {matmul}"].ratios) == {THEIRS, same}
        assert quick.sides[same].share_of_peak > 0
    assert kept[:4] == [False, True, True, True]  # theirs, theirs with our settings, ours at both precisions


def test_each_side_is_charged_for_its_own_arithmetic(result):
    theirs = flops_per_token(SMALL.config, length=16, selected=1.0) / 1e6
    assert result.sides[TRAINER].mflop_per_token == result.sides[THEIRS].mflop_per_token == theirs
    assert result.sides[OUR_TRAINER].mflop_per_token < theirs
    assert 0 < result.sides[OUR_TRAINER].share_of_peak < 1


def test_the_table_names_the_conditions(result):
    text = "\n".join(result.lines())
    for word in ("tiny", "vocabulary 300", "batch 4 x 16", "threads", TRAINER, "rounds", "hold text", "ln V"):
        assert word in text
    assert f"{TRAINER} [1]" in text
    assert "transformers, matmul medium, memory kept [3]" in text
    json.dumps(result.to_dict())


def test_without_dropout_both_learn_the_same():
    curves = loss_curves(SMALL, steps=6)
    assert curves["largest_difference"] < 1e-4
    ours, theirs = curves["with dropout"].values()
    assert len(ours) == len(theirs) == 6
    assert ours != theirs  # masks of their own


def test_their_collator_gets_our_texts_and_masks_them():
    batch = Data(SMALL).batch
    examples = text_examples(batch)
    collated = collator_of_transformers(300)(examples)
    assert collated["input_ids"].shape[0] == 4
    assert collated["next_sentence_label"].tolist() == batch.next_sentence_label.tolist()
    hidden = collated["labels"] != -100
    length = hidden.shape[1]
    assert hidden.any()
    assert (collated["labels"][hidden] == batch.original_ids[:, :length][hidden]).all()
    assert not hidden[batch.original_ids[:, :length] < 5].any()  # special_tokens_mask was understood


def test_random_texts_are_packed_nearly_full():
    corpus = random_corpus(300, 5000, seed=0)
    assert corpus.tokens.min() >= 5
    assert corpus.tokens.max() < 300
    assert corpus.sentence_ends[-1] == len(corpus.tokens)
    assert corpus.document_ends[-1] == len(corpus.sentence_ends)
    data = Data(SMALL)
    assert 0.8 < data.filled == share_of_text(data.batches) <= 1.0


def test_a_side_takes_memory():
    assert memory_of(THEIRS, SMALL) > 0
    with pytest.raises(ConfigError, match="there is no side"):
        measure_here("theirs", SMALL)


def test_no_side_is_charged_for_its_imports():
    script = (
        "import sys, json\n"
        "from bertlib.bench import memory\n"
        "cell = memory.Cell(preset='tiny', vocab_size=300, batch_size=2, max_length=16)\n"
        "memory._import_all(cell)\n"
        "data, before = memory.Data(cell), set(sys.modules)\n"
        "memory._trainer_at_once(cell, data)\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(json.dumps(sorted(new & {'transformers', 'tokenizers', 'accelerate', 'bertlib'})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError("no room"), "no room"),
        (MemoryError(), "MemoryError()"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory\nframe 1"), "DefaultCPUAllocator: can't"),
    ],
)
def test_a_sweep_keeps_what_it_has_after_each_cell(monkeypatch, error, reason):
    def fails(cell, **_):
        if cell.vocab_size == 400:
            raise error
        return bench_pretraining(cell, rounds=1, steps=1)

    monkeypatch.setattr("bertlib.bench.sweep.measure_in_full", fails)
    cells = cells_of_sweep(SMALL, presets=["tiny"], vocab_sizes=[300, 400], batch_size=2)
    seen = []
    results = sweep(
        cells, rounds=2, steps=1, after_cell=lambda found, lines: seen.append((len(found), lines))
    )
    assert [count for count, _ in seen] == [1, 2]
    assert results[0]["sides"]
    assert results[1]["not_measured"].startswith(reason)
    assert "\n" not in results[1]["not_measured"]
    assert "not measured" in seen[1][1][0]


def test_a_sweep_does_not_hide_a_mistake(monkeypatch):
    monkeypatch.setattr("bertlib.bench.sweep.measure_in_full", lambda *_, **__: {}["sides"])
    with pytest.raises(KeyError):
        sweep([SMALL], rounds=1, steps=1)


def test_batches_of_a_sweep_suit_the_size():
    sizes = [cell.batch_size for cell in cells_of_sweep(SMALL)]
    assert len(sizes) == 8
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"device": "cuda:99"}, "no GPU|cuda"),
        ({"precision": "fp16"}, "expected fp32 or bf16"),
        ({"matmul": "low"}, "expected highest, high or medium"),
        ({"preset": "huge"}, "unknown preset"),
    ],
)
def test_a_cell_that_cannot_be_is_refused(bad, message, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match=message):
        Cell(**bad)
