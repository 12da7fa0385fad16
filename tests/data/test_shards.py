"""Ids in several files read like ids in one, and no file can be cut or swapped unnoticed."""

import json
import random

import numpy as np
import pytest

from bertlib.data.arrays import TokenCorpus
from bertlib.data.batches import BatchConfig, PreTrainingBatches
from bertlib.data.holdout import hold_out
from bertlib.data.prepare import prepare_corpus
from bertlib.data.shards import TokenShards, join_shards, shard_name
from bertlib.errors import CorpusError
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.train import CountingBaselines

SHARD_MB = 0.0006  # 300 ids
WORDS = ["my", "dog", "is", "cute", "it", "likes", "playing"]
TOKENIZER = WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *WORDS])


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    rng = random.Random(0)
    lines = [" ".join(rng.choices(WORDS, k=rng.randint(1, 9))).capitalize() + "." for _ in range(400)]
    path.write_text("\n\n".join("\n".join(lines[i : i + 7]) for i in range(0, 400, 7)))
    return path


@pytest.fixture
def sharded(text, tmp_path):
    return prepare_corpus(text, TOKENIZER, tmp_path / "shards", shard_mb=SHARD_MB, progress=False)


@pytest.fixture
def whole(text, tmp_path):
    return prepare_corpus(text, TOKENIZER, tmp_path / "whole", progress=False)


def row_of(*lengths, seed=0):
    ids = np.random.default_rng(seed).integers(0, 60_000, sum(lengths)).astype(np.uint16)
    return ids, TokenShards(np.split(ids, np.cumsum(lengths)[:-1]))


@pytest.mark.parametrize("lengths", [(5,), (4, 4, 3), (1, 1, 1, 1), (7, 2)])
def test_every_slice_and_position_is_that_of_one_array(lengths):
    ids, row = row_of(*lengths)
    assert len(row) == len(ids)
    assert list(row) == row.tolist() == ids.tolist()
    for start in range(-1, len(ids) + 2):
        assert row[start:].tolist() == ids[start:].tolist()
        for stop in range(-1, len(ids) + 2):
            assert np.asarray(row[start:stop]).tolist() == ids[start:stop].tolist()
    assert row[::2].tolist() == ids[::2].tolist()
    assert [row[i] for i in range(-len(ids), len(ids))] == ids.tolist() * 2
    where = np.random.default_rng(1).integers(0, len(ids), (3, 4))
    assert row[where].tolist() == ids[where].tolist()
    assert row[where].dtype == row.astype(np.uint16).dtype == ids.dtype
    assert row.astype(np.int32).tolist() == ids.tolist()


@pytest.mark.parametrize("bad", [-6, 5, np.array([0, -1]), np.array([5])])
def test_what_is_not_there_is_refused(bad):
    with pytest.raises(IndexError, match="there are 5"):
        row_of(3, 2)[1][bad]


def test_a_slice_is_no_copy():
    _, row = row_of(4, 4)
    assert np.shares_memory(row[1:3], row.parts[0])
    assert all(map(np.shares_memory, row[1:7].parts, row.parts))
    assert join_shards(row.parts[:1]) is row.parts[0]


def test_shards_of_the_size_that_was_asked_for(sharded, whole):
    assert isinstance(whole.tokens, np.memmap)  # one shard is the plain array
    lengths = sharded.meta["shards"]
    assert list(lengths) == [shard_name(i) for i in range(len(lengths))]
    assert list(lengths.values()) == [300] * (len(lengths) - 1) + [whole.num_tokens % 300]
    assert len(lengths) > 3
    assert sharded.tokens.tolist() == whole.tokens.tolist()
    files = b"".join((sharded.folder / name).read_bytes() for name in lengths)
    assert files == (whole.folder / "tokens-00000.bin").read_bytes()


def test_sentences_batches_and_counts_are_the_same(sharded, whole):
    for i in range(whole.num_sentences):
        assert sharded.sentence(i).tolist() == whole.sentence(i).tolist()
    for ours, theirs in zip(hold_out(sharded, share=0.3), hold_out(whole, share=0.3), strict=True):
        assert np.asarray(ours.tokens).tolist() == theirs.tokens.tolist()
        batches = [PreTrainingBatches(c, BatchConfig(batch_size=8, max_length=24)) for c in (ours, theirs)]
        for step in range(3):
            for a, b in zip(*(each.batch(step) for each in batches), strict=True):
                assert a.tolist() == b.tolist()
        counts = [CountingBaselines.count(c.tokens, c.vocab_size).follower for c in (ours, theirs)]
        assert counts[0].tolist() == counts[1].tolist()


def test_a_shard_that_was_cut_altered_or_swapped_is_named(sharded):
    path, other = sharded.folder / shard_name(2), sharded.folder / shard_name(1)
    good, checksum = path.read_bytes(), sharded.meta["checksums"][path.name]
    for bad, message in [
        (good[:-2], f"00002.bin has 598 bytes; expected 600 .* checksum {checksum:08x}"),
        (bytes([good[0] ^ 1]) + good[1:], f"00002.bin is not what .* expected {checksum:08x}"),
        (other.read_bytes(), f"00002.bin is not what .* expected {checksum:08x}"),
    ]:
        path.write_bytes(bad)
        with pytest.raises(CorpusError, match=message):
            TokenCorpus.load(sharded.folder)
    path.unlink()
    with pytest.raises(CorpusError, match=r"00002\.bin has 0 bytes"):
        TokenCorpus.load(sharded.folder)


def test_a_lost_shard_means_from_the_start(text, sharded, tmp_path):
    out = tmp_path / "out"
    prepare_corpus(text, TOKENIZER, out, shard_mb=SHARD_MB, progress=False)
    note = {"chunks": 1, "num_tokens": 400, "shards": {shard_name(0): 300, shard_name(1): 100}}
    recipe = {key: sharded.meta[key] for key in ("format", "text", "vocabulary", "vocab_size", "encoding")}
    recipe |= {key: sharded.meta[key] for key in ("errors", "chunk_characters", "shard_tokens")}
    (out / "meta.json").unlink()
    (out / "progress.json").write_text(json.dumps({"recipe": recipe, "progress": note}))
    (out / shard_name(0)).unlink()
    prepare_corpus(text, TOKENIZER, out, shard_mb=SHARD_MB, progress=False)
    assert content(out) == content(sharded.folder)


def test_who_names_no_size_takes_the_one_that_is_there(text, sharded, tmp_path):
    before = content(sharded.folder)
    prepare_corpus(text, TOKENIZER, sharded.folder, progress=False)
    assert content(sharded.folder) == before
    recipe = {"format": "another", "shard_tokens": 300}  # begun, and nothing of it can be used
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun/progress.json").write_text(json.dumps({"recipe": recipe, "progress": {}}))
    prepare_corpus(text, TOKENIZER, tmp_path / "begun", progress=False)
    assert content(tmp_path / "begun") == before


def test_another_size_is_another_corpus_and_a_size_must_hold_an_id(text, sharded):
    with pytest.raises(CorpusError, match="already holds a corpus of another shard size"):
        prepare_corpus(text, TOKENIZER, sharded.folder, shard_mb=1, progress=False)
    again = prepare_corpus(text, TOKENIZER, sharded.folder, shard_mb=1, progress=False, overwrite=True)
    assert [path.name for path in sorted(again.folder.glob("tokens*"))] == ["tokens-00000.bin"]
    for bad in (0, -1, 1e-7, float("nan"), float("inf")):
        with pytest.raises(CorpusError, match=r"hold no ids; expected a size above 0, such as 256"):
            prepare_corpus(text, TOKENIZER, sharded.folder, shard_mb=bad, progress=False)


def test_a_batch_reads_each_shard_once_and_nothing_that_is_not_asked_for():
    reads = []

    class Watched(np.ndarray):
        def __getitem__(self, key):
            reads.append(np.size(key))
            return super().__getitem__(key)

    ids, row = row_of(*[50_000] * 64)
    watched = TokenShards([part.view(Watched) for part in row.parts])
    where = np.random.default_rng(2).integers(0, len(ids), (64, 128))
    assert (watched[where] == ids[where]).all()
    assert len(reads) == 64
    assert sum(reads) == where.size
