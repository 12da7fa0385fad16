"""What a reader wrote in one notebook is there in another, and BERT can be built and trained from it."""

from __future__ import annotations

import linecache
from itertools import count
from pathlib import Path

import pytest
import torch

from bertlib import BertConfig, BertForPreTraining, lab
from bertlib.errors import InputError
from bertlib.lab.keeping import keep, kept
from bertlib.lab.mine import PLACES, keep_part

from .test_chapter_exercises import SHOWN

SMALL = BertConfig(
    vocab_size=31, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
    max_position_embeddings=16,
)  # fmt: skip
NUMBER = count()


def type_into_notebook(*cells: str) -> dict:
    """Run cells as Jupyter does: one namespace, each cell a file that exists in memory only."""
    space: dict = {"__name__": "__main__"}
    for cell in cells:
        file = f"<ipython-input-{next(NUMBER)}>"
        linecache.cache[file] = (len(cell), None, cell.splitlines(keepends=True), file)
        exec(compile(cell, file, "exec"), space)
    return space


def solutions() -> dict[str, type]:
    """The solutions that the chapters print for the four places, each typed into a notebook of its own."""
    found = {}
    for shown in SHOWN:
        if shown.name in PLACES:
            earlier = [s.solution for s in SHOWN if s.chapter == shown.chapter and s is not shown]
            space = type_into_notebook(shown.imports, *earlier, shown.solution)
            found[shown.name] = space[shown.function]
    return found


def batch() -> dict:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, SMALL.vocab_size, (2, 9), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    selected = torch.zeros(2, 9, dtype=torch.bool)
    selected[:, [2, 4]] = True
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "token_type_ids": (ids > 15).long(),
        "selected": selected,
    }


def test_a_function_brings_what_it_uses(tmp_path):
    space = type_into_notebook(
        "import math\nfrom torch import nn\nSPEED = 10_000\nUNUSED = 1",
        "def half(x):\n    return x / 2",
        "class Thing:\n    def run(self, x):\n        return math.sqrt(half(x)) * SPEED",
    )
    path = keep("input-embedding", space["Thing"], tmp_path)
    assert kept("input-embedding", tmp_path)().run(8.0) == 20_000
    assert "UNUSED" not in path.read_text("utf8")


def test_two_functions_that_call_each_other(tmp_path):
    space = type_into_notebook(
        "def even(n):\n    return n == 0 or odd(n - 1)\n\n\ndef odd(n):\n    return n != 0 and even(n - 1)"
    )
    keep("a", space["even"], tmp_path)
    assert kept("a", tmp_path)(10)


def test_without_source_it_says_so():
    space: dict = {"__name__": "__main__"}
    exec("class Thing:\n    def run(self):\n        return 1", space)
    assert "cannot be found" in keep_part("input-embedding", space["Thing"])


def test_a_right_check_keeps_the_part(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lab.check("input-embedding", solutions()["input-embedding"])
    assert "Kept as my_bert/input_embedding.py" in capsys.readouterr().out
    lab.my_bert(SMALL)
    assert "embedding       yours\nattention       ours" in capsys.readouterr().out


def test_what_is_no_part_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = type_into_notebook("def pack(first, second=None):\n    return first")
    assert keep_part("pack", space["pack"]) == ""
    assert list(tmp_path.iterdir()) == []


def test_the_readers_parts_make_the_same_bert(tmp_path):
    """All four places filled with the book's own solutions: same outputs, loss and gradients as the library."""
    parts = solutions()
    for name, part in parts.items():
        keep(name, part, tmp_path)
    mine = lab.my_bert(SMALL, folder=tmp_path, quiet=True).eval()
    ours = BertForPreTraining(SMALL).eval()
    ours.load_state_dict(mine.state_dict())
    assert {type(m).__module__ for m in mine.modules()} & {"input_embedding"}
    losses = []
    for model in (mine, ours):
        output = model(**batch())
        loss = output.prediction_logits.logsumexp(-1).mean() + output.seq_relationship_logits.square().sum()
        loss.backward()
        losses.append(loss)
    torch.testing.assert_close(*losses, rtol=1e-5, atol=1e-6)
    theirs = dict(ours.named_parameters())
    for name, weight in mine.named_parameters():
        torch.testing.assert_close(weight.grad, theirs[name].grad, rtol=1e-4, atol=1e-6)


def test_other_names_are_refused_with_both(capsys):
    class Renamed(torch.nn.Module):
        def __init__(self, config):
            super().__init__()
            self.wordembeddings = torch.nn.Embedding(config.vocab_size, config.hidden_size)

    lab.my_bert(SMALL, embedding=Renamed, folder="nowhere")
    out = capsys.readouterr().out
    assert "embedding       ours: weights have other names" in out
    assert "wordembeddings.weight" in out
    assert "word_embeddings.weight" in out


def test_a_broken_file_is_named(tmp_path, capsys):
    Path(tmp_path / "self_attention.py").write_text("class A(", encoding="utf8")
    lab.my_bert(SMALL, folder=tmp_path)
    assert "self_attention.py does not run (SyntaxError" in " ".join(capsys.readouterr().out.split())


def test_an_unknown_place_lists_the_known():
    with pytest.raises(InputError, match="embedding, attention, block, prediction_head"):
        lab.my_bert(SMALL, wheels=torch.nn.Linear)
