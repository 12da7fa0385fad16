import json
import os
from dataclasses import asdict

import pytest

from bertlib.bench import tokenize
from bertlib.bench.tokenize import KNOWN_WORDS, LIBRARY, NEW_WORDS, bench_tokenizing, one_core
from bertlib.errors import CorpusError
from bertlib.tokenizer import WordPieceTokenizer

TEXTS = ["The cat plays.\nIt played!\n" * 50, "Café 中国\n\nthe end"]
TOKENIZER = WordPieceTokenizer.train(TEXTS, 60, min_frequency=1, progress=False)


def test_a_small_comparison():
    result = bench_tokenizing(TEXTS, TOKENIZER, rounds=2)
    assert result.differences == 0
    assert result.tokens == sum(len(TOKENIZER.encode_lines(text)[0]) for text in TEXTS)
    assert list(result.megabytes_per_s) == [LIBRARY, NEW_WORDS, KNOWN_WORDS]
    assert all(rate > 0 for rate in result.megabytes_per_s.values())
    assert all(low <= result.ratios[name] <= high for name, (low, high) in result.spread.items())
    assert json.loads(json.dumps(asdict(result)))["vocab_size"] == len(TOKENIZER)
    assert result.lines()[-1] == "lines with other ids than the library's: 0"


def test_other_ids_are_noticed(monkeypatch):
    other = WordPieceTokenizer([*TOKENIZER.vocab[:5], *TOKENIZER.vocab[6:], TOKENIZER.vocab[5]])
    monkeypatch.setattr(tokenize, "their_tokenizer", lambda _, make=tokenize.their_tokenizer: make(other))
    assert bench_tokenizing(TEXTS, TOKENIZER, rounds=1).differences == 102  # all but the two empty lines


def test_no_text_is_an_error():
    with pytest.raises(CorpusError, match="no text to measure with"):
        bench_tokenizing([""], TOKENIZER)


@pytest.mark.parametrize("before", [None, "true"])
def test_the_setting_is_put_back(monkeypatch, before):
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    if before:
        monkeypatch.setenv("TOKENIZERS_PARALLELISM", before)
    with one_core():
        assert os.environ["TOKENIZERS_PARALLELISM"] == "false"
    assert os.environ.get("TOKENIZERS_PARALLELISM") == before
