"""Forward passes and loading beside transformers."""

import json

import pytest

from bertlib.bench.cell import Cell
from bertlib.bench.inference import bench_inference
from bertlib.bench.load import CHILDREN, bench_loading

pytest.importorskip("transformers")

SMALL = Cell(preset="tiny", vocab_size=300, dropout=0.0)


def test_both_give_the_same_vectors_at_every_shape():
    seen = []
    result = bench_inference(
        SMALL,
        lengths=(8, 16),
        batch_sizes=(1, 2),
        rounds=2,
        after_shape=lambda found: seen.append(len(found.shapes)),
    )
    assert seen == [1, 2, 3, 4]
    assert [(s.batch_size, s.max_length) for s in result.shapes] == [(1, 8), (2, 8), (1, 16), (2, 16)]
    for shape in result.shapes:
        assert shape.largest_difference < 1e-4
        assert set(shape.ratios["bertlib, matmul highest"]) == {"transformers", "transformers, matmul medium"}
    json.dumps(result.to_dict())
    assert "2 x 16" in "\n".join(result.lines())


@pytest.mark.slow
def test_loading_is_timed_in_fresh_processes():
    result = bench_loading(SMALL, rounds=1)
    assert set(result.sides) == set(CHILDREN)
    ours = result.sides["bertlib"]
    assert 0 < ours.load_s < ours.whole_s
    assert result.sides["python alone"].whole_s < ours.whole_s
    assert "until loaded" in result.lines()[-1]
