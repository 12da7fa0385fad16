"""Each side at its own batch size: the search ends where it should, and tokens are compared, not steps."""

import json

import pytest

from bertlib.bench import best_batch
from bertlib.bench.best_batch import Tried, bench_best_batch, best_of, models_of, search, sizes_of
from bertlib.bench.cell import Cell
from bertlib.bench.pretrain import OUR_TRAINER, TRAINER
from bertlib.bench.turns import Turns
from bertlib.errors import ConfigError

CELL = Cell(preset="tiny", vocab_size=300, max_length=16)


def test_sizes_double_up_to_the_most_positions():
    assert [cell.batch_size for cell in sizes_of(CELL, None)] == [32, 64, 128, 256, 512]
    assert [cell.batch_size for cell in sizes_of(CELL, 1100)] == [32, 64]
    assert [cell.batch_size for cell in sizes_of(CELL, 1)] == [32]


def test_the_search_ends_after_two_sizes_that_brought_no_more():
    rates = {32: 100.0, 64: 180.0, 128: 182.0, 256: 181.0, 512: 999.0}
    tried = search(lambda cell: rates[cell.batch_size], sizes_of(CELL, None))
    assert tried == [Tried(size, rates[size]) for size in (32, 64, 128, 256)]
    assert best_of(tried) == 64  # within 2 % of the highest, and smaller


@pytest.mark.parametrize("error", [MemoryError("no room"), RuntimeError("CUDA out of memory. Tried")])
def test_the_search_ends_where_memory_does(error):
    def rate(cell):
        if cell.batch_size > 64:
            raise error
        return float(cell.batch_size)

    assert [one.batch_size for one in search(rate, sizes_of(CELL, None))] == [32, 64]
    with pytest.raises(type(error)):
        search(rate, sizes_of(CELL, None)[3:])


def test_a_mistake_is_not_taken_for_the_end_of_memory():
    def rate(cell):
        raise RuntimeError("device-side assert")

    with pytest.raises(RuntimeError, match="assert"):
        search(rate, sizes_of(CELL, None))


def test_tokens_are_compared_and_data_is_what_a_given_batch_saves(monkeypatch):
    """The Trainer does 8 steps of 32 texts in 4 s, ours 8 of 64 in 2 s: four times the tokens a second."""
    pytest.importorskip("transformers")
    seconds = {OUR_TRAINER: 2.0, OUR_TRAINER + ", batch given": 1.8, best_batch.COMPILED: 1.0}

    def rounds(cell, data, turns, rounds, after=None, *, name, workers):
        for _ in range(rounds):
            turns.add(name, 4.0 * cell.batch_size / 32)
            turns.round()

    monkeypatch.setattr(best_batch, "rounds_within_trainer", rounds)
    monkeypatch.setattr(best_batch, "bert_trainer_step", lambda cell, data, **kind: lambda: None)
    monkeypatch.setattr(best_batch, "our_rate", lambda cell: float(min(cell.batch_size, 64)))
    monkeypatch.setattr(
        Turns, "round", lambda self: [self.add(n, seconds[n]) for n in self.sides] and self.foreign.append(0)
    )
    monkeypatch.setattr(Turns, "load_line", lambda self: "quiet")
    monkeypatch.setattr(Turns, "quiet", property(lambda self: range(len(self.seconds[TRAINER]))))
    found = bench_best_batch(CELL, rounds=2, compiled=True)
    theirs, ours, compiled = (found.sides[n] for n in (TRAINER, OUR_TRAINER, best_batch.COMPILED))
    assert (theirs.batch_size, ours.batch_size) == (32, 64)
    assert theirs.tokens_per_s == 8 * 32 * 16 / 4
    assert ours.ratios[TRAINER].median == pytest.approx(4)
    assert compiled.ratios[TRAINER].median == pytest.approx(8)
    assert ours.data_share == pytest.approx(0.1)
    assert theirs.data_share is compiled.data_share is None
    saved = json.loads(json.dumps(found.to_dict()))
    assert "batch_size" not in saved["cell"]
    assert saved["tried"][OUR_TRAINER][0] == [32, 32.0]
    assert "10.0% of a step for its batch" in "\n".join(found.lines())


def test_a_compiler_that_is_not_there_costs_its_own_line_only(monkeypatch):
    def step(cell, data, *, given=False, compiled=False):
        if compiled:
            raise RuntimeError("no compiler here\nand much more")
        return lambda: None

    monkeypatch.setattr(best_batch, "bert_trainer_step", step)
    monkeypatch.setattr(
        best_batch,
        "rounds_within_trainer",
        lambda cell, data, turns, rounds, **_: [turns.add(TRAINER, 1.0), turns.round()],
    )
    result = best_batch.BestBatch(cell=CELL)
    at_best = {TRAINER: CELL, OUR_TRAINER: CELL}
    best_batch._take_turns(result, at_best, TRAINER, 0, rounds=1, compiled=True)
    assert result.reasons == {best_batch.COMPILED: "no compiler here"}
    assert set(result.sides) == {TRAINER, OUR_TRAINER}


def test_models_are_presets_with_lengths():
    assert models_of("mini:128, base:512") == [("mini", 128), ("base", 512)]
    for text in ("mini", "mini:", ":128", "mini:long", ""):
        with pytest.raises(ConfigError, match="--models"):
            models_of(text)
