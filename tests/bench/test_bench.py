import math

import pytest

from bertlib.bench.pretrain import bench_pretraining

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def result():
    return bench_pretraining(preset="tiny", vocab_size=500, batch_size=4, max_length=16, rounds=2, steps=1)


def test_both_sides_know_nothing_at_first(result):
    for name, loss in result.first_losses.items():
        assert loss == pytest.approx(math.log(500) + math.log(2), abs=0.3), name


def test_the_ratio_is_that_of_the_rates_of_the_same_rounds(result):
    assert set(result.ratios) == set(result.tokens_per_s) - {"transformers"}
    for name, ratio in result.ratios.items():
        low, high = result.spread[name]
        assert 0 < low <= ratio <= high


def test_the_table_names_the_conditions(result):
    text = "\n".join(result.lines())
    for word in ("tiny", "vocabulary 500", "batch 4 x 16", "threads", "transformers", "ratio"):
        assert word in text
