"""Sentences of a chapter that state a number, each beside the output that gave it."""

import json
from pathlib import Path

import pytest

CHAPTER = Path(__file__).resolve().parents[2] / "chapters" / "03-input-embeddings.ipynb"
CLAIMS = [
    ("Almost a third of the batch is air", "31% of this batch is filling"),
    ("3 + 0.4 + 0.06", "tensor([3.46, 0.33, 0.26, 1.13])"),
    ("There is 3.46 again", "tensor([3.46, 0.33, 0.26, 1.13])"),
    ("`dog`, by a wide margin", "dog 1.30\n    my 2.91"),
    ("From width 128 on", "99 of 100 pieces from width 128\n99 of 100 places from width 128"),
    ("at four numbers it gives back hardly anything", "H =   4:   1% of pieces"),
    ("Those are the four numbers above", "0.14 -0.99 0.03 1.00"),
    ("two words that have nothing in common", "cosine of `dog` and `is`: 0.00"),
    ("the words drown in the number", "the same at place 300:    1.00"),
    ("somebody who shrugs at V words gives each 1/V, and pays ln V", "N(0, 0.02): loss 9.1\nln V: 9.0"),
    ("loudly wrong", "N(0, 1): loss 6"),
    ("every column is segment A", "columns that did not change: 6 of 10"),
]


@pytest.mark.parametrize(("sentence", "output"), CLAIMS, ids=[sentence[:30] for sentence, _ in CLAIMS])
def test_a_sentence_says_what_was_measured(sentence, output):
    cells = json.loads(CHAPTER.read_text("utf8"))["cells"]
    prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    printed = "\n".join("".join(o.get("text", "")) for c in cells for o in c.get("outputs", ()))
    assert sentence in prose
    assert output in printed
