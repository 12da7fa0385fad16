"""Nearest vectors: equal to sorting all of them, saved and read, refused for another model."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from bertlib.errors import BertlibError, CheckpointError, InputError, MissingExtraError
from bertlib.search import index as module
from bertlib.search.index import VectorIndex, build_index
from bertlib.search.passages import Passage
from bertlib.variants.sentence import SentenceEncoder

TEXTS = ["the cat sat", "the dog ran home", "the sun", "the moon", "the fox slept", "the cat sat"]
PASSAGES = [Passage(text, "a.txt", number, number) for number, text in enumerate(TEXTS, start=1)]


def unit(count, size=8, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def index_of(vectors):
    return VectorIndex(vectors=vectors, passages=[Passage("x", "a", 1, 1)] * len(vectors), model="m")


@pytest.mark.parametrize(("questions", "vectors"), [(256, 65_536), (3, 7), (1, 1)])
def test_it_equals_sorting_everything(monkeypatch, questions, vectors):
    monkeypatch.setattr(module, "QUESTIONS", questions)
    monkeypatch.setattr(module, "VECTORS", vectors)
    rows, asked = unit(50), unit(10, seed=1)
    found = index_of(rows).search(asked, top=5)
    cosines = asked @ rows.T
    expected = np.argsort(-cosines, axis=1)[:, :5]
    assert (found.numbers == expected).all()
    np.testing.assert_allclose(found.scores, np.take_along_axis(cosines, expected, 1), rtol=1e-5)


def test_no_more_than_there_are():
    assert index_of(unit(3)).search(unit(1), top=10).numbers.shape == (1, 3)
    assert index_of(unit(3)).search(unit(0), top=2).numbers.shape == (0, 2)


def test_faiss_is_asked_for_inner_products(monkeypatch):
    class Flat:
        def __init__(self, size):
            self.rows = np.zeros((0, size), np.float32)

        def add(self, rows):
            self.rows = np.concatenate([self.rows, rows])

        def search(self, asked, top):
            numbers = np.argsort(-(asked @ self.rows.T), axis=1)[:, :top]
            return np.take_along_axis(asked @ self.rows.T, numbers, 1), numbers

    faiss = ModuleType("faiss")
    faiss.IndexFlatIP = Flat
    monkeypatch.setitem(sys.modules, "faiss", faiss)
    index, asked = index_of(unit(20)), unit(4, seed=1)
    theirs, ours = index.search(asked, top=3, library="faiss"), index.search(asked, top=3)
    assert (theirs.numbers == ours.numbers).all()
    np.testing.assert_allclose(theirs.scores, ours.scores, rtol=1e-5)


def test_the_real_faiss_agrees():
    pytest.importorskip("faiss")
    index, asked = index_of(unit(50)), unit(4, seed=1)
    assert (index.search(asked, top=3, library="faiss").numbers == index.search(asked, top=3).numbers).all()


def test_wrong_searches(monkeypatch):
    index = index_of(unit(3))
    with pytest.raises(InputError, match=r"shape \(2, 4\); expected \(questions, 8\)"):
        index.search(unit(2, size=4), top=1)
    with pytest.raises(InputError, match="library is 'annoy'; expected torch or faiss"):
        index.search(unit(2), top=1, library="annoy")
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingExtraError, match="pip install faiss-cpu"):
        index.search(unit(2), top=1, library="faiss")


def test_a_passage_finds_itself(encoder):
    index = build_index(encoder, PASSAGES, progress=False)
    found = index.search(encoder.encode(TEXTS[1:5]), top=1)
    assert found.numbers[:, 0].tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(found.scores, 1, rtol=1e-5)
    assert (index.vectors[0] == index.vectors[5]).all()


def test_known_texts_are_not_read_again(encoder, monkeypatch):
    old = build_index(encoder, PASSAGES[:3], progress=False)
    read = []
    encode = SentenceEncoder.encode
    monkeypatch.setattr(
        SentenceEncoder, "encode", lambda self, texts, **o: read.extend(texts) or encode(self, texts, **o)
    )
    new = build_index(encoder, PASSAGES[1:], old=old, progress=False)
    assert sorted(read) == ["the fox slept", "the moon"]
    fresh = build_index(encoder, PASSAGES[1:], progress=False)
    np.testing.assert_allclose(new.vectors, fresh.vectors, atol=1e-6)
    assert new.passages == PASSAGES[1:]


def test_a_file_gives_the_same_index_back(encoder, tmp_path):
    index = build_index(encoder, [*PASSAGES, Passage("狐狸", "二.txt", 1, 2)], progress=False)
    again = VectorIndex.load(index.save(tmp_path / "new" / "texts.index"))
    assert (again.vectors == index.vectors).all()
    assert (again.passages, again.model) == (index.passages, encoder.fingerprint())
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["texts.index"]


def test_an_index_of_another_model(encoder, make_body, tokenizer):
    index = build_index(encoder, PASSAGES, progress=False)
    other = SentenceEncoder(make_body(seed=1), tokenizer)
    with pytest.raises(CheckpointError, match=r"made by another model .*; name that model, or another file"):
        index.check(other)
    with pytest.raises(CheckpointError, match="made by another model"):
        build_index(other, PASSAGES, old=index)
    with pytest.raises(InputError, match="does not normalise"):
        build_index(SentenceEncoder(make_body(), tokenizer, normalise=False), PASSAGES)


def test_files_that_are_no_index(encoder, tmp_path):
    with pytest.raises(CheckpointError, match="missing or truncated"):
        VectorIndex.load(tmp_path / "none")
    file = build_index(encoder, PASSAGES, progress=False).save(tmp_path / "index")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="missing or truncated"):
        VectorIndex.load(file)
    folder = encoder.save(tmp_path / "encoder")
    with pytest.raises(CheckpointError, match="is no index; expected a file that `bertlib search` wrote"):
        VectorIndex.load(folder / "model.safetensors")
    (tmp_path / "file").write_text("here")
    with pytest.raises(BertlibError, match="could not write"):
        index_of(unit(3)).save(tmp_path / "file" / "index")
