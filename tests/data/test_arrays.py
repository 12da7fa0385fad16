import json
from types import SimpleNamespace

import numpy as np
import pytest

from bertlib.data.arrays import TokenCorpus, token_type, vocabulary_hash
from bertlib.data.prepare import prepare_corpus
from bertlib.errors import CorpusError
from bertlib.tokenizer import WordPieceTokenizer

DOCUMENTS = [[[7, 8], [9]], [[5, 6, 7]], [[1], [2], [3, 4]]]
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "."]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_text("A b. B a.\nB.\n\nA.\n")
    prepare_corpus(tmp_path / "a.txt", WordPieceTokenizer(VOCAB), tmp_path / "out", progress=False)
    return tmp_path / "out"


def test_from_documents_gives_its_documents_back():
    corpus = TokenCorpus.from_documents(DOCUMENTS, vocab_size=10)
    assert [[s.tolist() for s in corpus.document(i)] for i in range(3)] == DOCUMENTS
    assert corpus.sentence(3).tolist() == [1]
    assert (corpus.num_tokens, corpus.num_sentences, corpus.num_documents) == (10, 6, 3)
    assert corpus.num_one_sentence_documents == 1
    assert "10 tokens in 6 sentences and 3 documents" in str(corpus)
    assert "1 document has one sentence only" in str(corpus)
    one = TokenCorpus.from_documents([[[1]]], vocab_size=10)
    assert str(one).startswith("1 token in 1 sentence and 1 document, vocabulary of 10;")
    lonely = TokenCorpus.from_documents([[[1]], [[2, 3]]], vocab_size=10)
    assert "next sentence prediction has nothing to learn from" in str(lonely)
    assert "--no-nsp" in str(lonely)


def test_out_of_range_is_refused():
    corpus = TokenCorpus.from_documents(DOCUMENTS, vocab_size=10)
    for bad in (-1, 6):
        with pytest.raises(IndexError, match=f"sentence {bad} of 6"):
            corpus.sentence(bad)
    with pytest.raises(CorpusError, match="ids run from 1 to 9; expected 0 to 8"):
        TokenCorpus.from_documents(DOCUMENTS, vocab_size=9)
    with pytest.raises(CorpusError, match="without tokens"):
        TokenCorpus.from_documents([[[1], []]], vocab_size=9)


def test_two_bytes_up_to_65536_pieces():
    assert token_type(65_536).itemsize == 2
    assert token_type(65_537).itemsize == 4
    assert np.array([65_535]).astype(token_type(65_536))[0] == 65_535


def test_load_maps_what_was_prepared(folder):
    corpus = TokenCorpus.load(folder)
    assert isinstance(corpus.tokens, np.memmap)
    assert corpus.tokens.dtype == np.uint16
    assert [[s.tolist() for s in corpus.document(i)] for i in range(2)] == [
        [[5, 6, 7], [6, 5, 7], [6, 7]],
        [[5, 7]],
    ]
    assert corpus.vocab_size == 8
    assert corpus.meta["num_tokens"] == 10


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [("tokens-00000.bin", 19, 20), ("sentence_ends.bin", 40, 32), ("document_ends.bin", 0, 16)],
)
def test_a_file_of_the_wrong_size_is_named(folder, name, size, expected):
    with open(folder / name, "r+b") as file:
        file.truncate(size)
    with pytest.raises(CorpusError, match=f"{name} has {size} bytes; expected {expected} .* checksum"):
        TokenCorpus.load(folder)


@pytest.mark.parametrize("name", ["tokens-00000.bin", "sentence_ends.bin", "document_ends.bin"])
def test_an_altered_file_is_named(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[3] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(CorpusError, match=f"{name} is not what was written: its checksum is") as caught:
        TokenCorpus.load(folder)
    assert "\n" not in str(caught.value)
    assert TokenCorpus.load(folder, check=False).num_tokens == 10


def test_no_corpus_unfinished_corpus_other_format(folder, tmp_path):
    with pytest.raises(CorpusError, match=r"no prepared corpus in .*nowhere"):
        TokenCorpus.load(tmp_path / "nowhere")
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"format": "bertlib corpus 9"}))
    with pytest.raises(CorpusError, match="bertlib corpus 9"):
        TokenCorpus.load(folder)
    (folder / "meta.json").write_text(json.dumps(meta | {"format": "bertlib corpus 2"}))
    with pytest.raises(CorpusError, match="corpus 2'; expected 'bertlib corpus 3': prepare again"):
        TokenCorpus.load(folder)
    for key in ("vocab_size", "shards", "checksums"):
        less = {name: value for name, value in meta.items() if name != key}
        (folder / "meta.json").write_text(json.dumps(less))
        with pytest.raises(CorpusError, match=rf"meta\.json was altered: '{key}' is missing"):
            TokenCorpus.load(folder)
    (folder / "meta.json").write_text(json.dumps(meta | {"shards": {"tokens-00000.bin": 9}}))
    with pytest.raises(CorpusError, match=r"meta\.json was altered: its shards hold 9 tokens, expected 10"):
        TokenCorpus.load(folder)
    (folder / "meta.json").write_text("{")
    with pytest.raises(CorpusError, match=r"meta\.json cannot be read"):
        TokenCorpus.load(folder)
    (folder / "meta.json").rename(folder / "progress.json")
    with pytest.raises(CorpusError, match="not finished"):
        TokenCorpus.load(folder)


def test_the_tokenizer_must_be_the_same(folder):
    corpus = TokenCorpus.load(folder)
    corpus.check_tokenizer(WordPieceTokenizer(VOCAB))
    for vocab, lowercase, message in [
        ([*VOCAB, "c"], True, "8 word pieces, this tokenizer has 9"),
        ([*VOCAB[:5], "b", "a", "."], True, "other word pieces"),
        (VOCAB, False, "treatment of capitals"),
    ]:
        with pytest.raises(CorpusError, match=message):
            corpus.check_tokenizer(WordPieceTokenizer(vocab, lowercase=lowercase))


def test_the_hash_sees_order_and_capitals():
    hashes = {
        vocabulary_hash(SimpleNamespace(vocab=vocab, lowercase=lowercase))
        for vocab in (["a", "b"], ["b", "a"], ["ab"])
        for lowercase in (True, False)
    }
    assert len(hashes) == 6
