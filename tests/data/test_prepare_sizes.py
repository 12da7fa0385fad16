"""Sizes and shapes of text that are out of the ordinary, and how much memory they take."""

import tracemalloc
from functools import partial

import numpy as np

from bertlib.bench.corpus import PeakMemory
from bertlib.data import prepare
from bertlib.data.corpus import read_chunks
from bertlib.data.prepare import prepare_corpus
from bertlib.tokenizer import WordPieceTokenizer

TOKENIZER = WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "my", "dog", "is", "cute", "."])


class LineTokenizer:
    """Makes one token of each line: fast, so that preparation itself is what is measured."""

    vocab = TOKENIZER.vocab
    lowercase = True

    def encode_lines(self, text):
        lengths = np.array([bool(line.strip()) for line in text.split("\n")]).astype(np.int64)
        return np.full(lengths.sum(), 5, dtype=np.int32), lengths


def traced_peak(*args, **options):
    tracemalloc.start()
    corpus = prepare_corpus(*args, workers=1, progress=False, overwrite=True, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return corpus, peak


def test_memory_does_not_grow_with_the_corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "read_chunks", partial(read_chunks, characters=5000))
    peaks = []
    for sentences in (30_000, 30_000, 240_000):  # the first one fills caches
        (tmp_path / "a.txt").write_text("My dog is cute.\n" * sentences)
        corpus, peak = traced_peak(tmp_path / "a.txt", TOKENIZER, tmp_path / "out")
        peaks.append(peak)
        assert corpus.num_sentences == sentences
    assert peaks[2] - peaks[1] < 300_000  # text and arrays would add 7.8 MB


def test_a_line_of_50_megabytes(tmp_path):
    sentence = "All work and no play makes Jack a dull boy, and no work and all play makes him a poor one. "
    count = 50_000_000 // len(sentence) + 1
    (tmp_path / "a.txt").write_text(sentence * count)
    with PeakMemory() as memory:
        corpus = prepare_corpus(tmp_path, LineTokenizer(), tmp_path / "out", workers=1, progress=False)
    assert (corpus.num_documents, corpus.num_sentences, corpus.num_tokens) == (1, count, count)
    assert corpus.meta["text_bytes"] >= 50_000_000
    assert memory.over_base < 30_000_000


def test_large_vocabularies_take_four_bytes(tmp_path):
    tokenizer = WordPieceTokenizer([*TOKENIZER.vocab, *(f"w{i}" for i in range(70_000))])
    (tmp_path / "a.txt").write_text("w69999 dog")
    corpus = prepare_corpus(tmp_path, tokenizer, tmp_path / "out", progress=False)
    assert corpus.tokens.dtype == np.uint32
    assert corpus.tokens.tolist() == [len(tokenizer) - 1, tokenizer.vocab.index("dog")]


def test_documents_of_one_sentence_only(tmp_path):
    (tmp_path / "a.txt").write_text("My dog.\n\nIt is cute.\n\nSleep!\n\n")
    corpus = prepare_corpus(tmp_path, TOKENIZER, tmp_path / "out", progress=False)
    assert (corpus.num_documents, corpus.meta["one_sentence_documents"]) == (3, 3)
    assert "no document has a second sentence" in str(corpus)
    assert "--no-nsp" in str(corpus)


def test_the_bar_tells_rate_and_time_left(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("My dog.")
    prepare_corpus(tmp_path, TOKENIZER, tmp_path / "out")
    shown = capsys.readouterr().err
    assert "preparing: 100%" in shown
    assert "B/s" in shown
    assert "<00:00" in shown
