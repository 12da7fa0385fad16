"""One vector a text: pooling by hand, encoding beside a plain forward pass, the folder."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from bertlib.config import BertConfig
from bertlib.errors import CheckpointError, InputError
from bertlib.model import BertModel
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.variants.sentence import SentenceEncoder, pool

WORDS = ["the", "cat", "dog", "sat", "ran", "home", "sun", "moon"]
TEXTS = ["the cat sat", "", "the dog ran home the dog ran home", "sun", "the moon"]


def small_body(seed=0):
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=13, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=12, initializer_range=0.3,
    )  # fmt: skip
    return BertModel(config).eval()


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])


@pytest.fixture
def encoder(tokenizer):
    return SentenceEncoder(small_body(), tokenizer)


def test_pooling_by_hand():
    """Three pieces and one of padding, whose large numbers must not show."""
    hidden = torch.tensor([[[1.0, -5.0], [3.0, -1.0], [5.0, -3.0], [99.0, 99.0]]])
    mask = torch.tensor([[1, 1, 1, 0]])
    assert pool(hidden, mask, "mean").tolist() == [[3.0, -3.0]]
    assert pool(hidden, mask, "cls").tolist() == [[1.0, -5.0]]
    assert pool(hidden, mask, "max").tolist() == [[5.0, -1.0]]


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_encoding_is_the_forward_pass_of_each_text_alone(tokenizer, pooling):
    encoder = SentenceEncoder(small_body(), tokenizer, pooling=pooling, normalise=False)
    vectors = encoder.encode(TEXTS, batch_size=2)
    assert vectors.shape == (5, 16)
    assert vectors.dtype == np.float32
    for text, vector in zip(TEXTS, vectors, strict=True):
        ids = torch.tensor([tokenizer.encode(text).ids])
        hidden = encoder.bert(ids).last_hidden_state[0].detach()
        expected = {"mean": hidden.mean(0), "cls": hidden[0], "max": hidden.amax(0)}[pooling]
        np.testing.assert_allclose(vector, expected.numpy(), atol=1e-5)


def test_normalised_vectors_have_length_one_and_the_same_direction(encoder, tokenizer):
    vectors = encoder.encode(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    plain = SentenceEncoder(encoder.bert, tokenizer, normalise=False).encode(TEXTS)
    np.testing.assert_allclose(vectors * np.linalg.norm(plain, axis=1, keepdims=True), plain, atol=1e-5)


def test_long_texts_are_cut_and_dropout_is_off(encoder):
    long = ["the cat sat home " * 10]
    assert (encoder.encode(long) == encoder.encode(["the cat sat home " * 9])).all()
    short = encoder.encode(long, max_length=5)
    np.testing.assert_allclose(short, encoder.encode(["the cat sat"]), atol=1e-6)
    encoder.train()
    assert (encoder.encode(TEXTS) == encoder.encode(TEXTS)).all()
    assert encoder.training


def test_no_texts_give_no_vectors(encoder):
    assert encoder.encode([]).shape == (0, 16)


def test_a_folder_gives_the_same_encoder_back(encoder, tokenizer, tmp_path):
    saved = SentenceEncoder(encoder.bert, tokenizer, pooling="max", normalise=False)
    again = SentenceEncoder.load(saved.save(tmp_path / "encoder"))
    assert (again.encode(TEXTS) == saved.encode(TEXTS)).all()
    assert (again.pooling, again.normalise, again.training) == ("max", False, False)
    assert again.fingerprint() == saved.fingerprint()
    assert json.loads((tmp_path / "encoder/sentence.json").read_text()) == {
        "pooling": "max",
        "normalise": False,
    }


def test_the_fingerprint_tells_encoders_apart(encoder, tokenizer):
    same = SentenceEncoder(small_body(), tokenizer)
    others = [
        SentenceEncoder(small_body(), tokenizer, pooling="cls"),
        SentenceEncoder(small_body(seed=1), tokenizer),
        SentenceEncoder(small_body(), WordPieceTokenizer(tokenizer.vocab, lowercase=False)),
        SentenceEncoder(small_body(), WordPieceTokenizer(tokenizer.vocab[:-2] + tokenizer.vocab[:-3:-1])),
    ]
    assert same.fingerprint() == encoder.fingerprint()
    assert len({encoder.fingerprint(), *(other.fingerprint() for other in others)}) == 5


def test_wrong_input(encoder, tokenizer):
    with pytest.raises(InputError, match="pooling is 'sum'; expected mean, cls, max"):
        SentenceEncoder(encoder.bert, tokenizer, pooling="sum")
    with pytest.raises(CheckpointError, match="the vocabulary has 12 pieces, the body 13"):
        SentenceEncoder(encoder.bert, WordPieceTokenizer(tokenizer.vocab[:-1]))
    with pytest.raises(InputError, match="one str; expected several"):
        encoder.encode("the cat")
    with pytest.raises(InputError, match="max_length is 13; expected at most the body's 12 positions"):
        encoder.encode(["the cat"], max_length=13)
    with pytest.raises(InputError, match="max_length is 3; expected at least 4"):
        encoder.encode(["the cat"], max_length=3)


def test_folders_that_hold_no_encoder(encoder, tmp_path):
    with pytest.raises(CheckpointError, match=r"has no sentence\.json"):
        SentenceEncoder.load(tmp_path)
    folder = encoder.save(tmp_path / "encoder")
    (folder / "sentence.json").write_text('{"pooling": "mean"}')
    with pytest.raises(CheckpointError, match="expected pooling, normalise"):
        SentenceEncoder.load(folder)
    (folder / "sentence.json").write_text('{"pooling": "mean", "normalise": true}')
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="missing or truncated"):
        SentenceEncoder.load(folder)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/mine.txt").write_text("keep me")
    for folder in (tmp_path / "notes", tmp_path / "notes/mine.txt"):
        with pytest.raises(CheckpointError, match=r"is there already and holds .*: choose a new folder"):
            encoder.save(folder)
    assert (tmp_path / "notes/mine.txt").read_text() == "keep me"


def test_an_encoder_replaces_another_but_no_other_model(encoder, tokenizer, tmp_path):
    folder = encoder.save(tmp_path / "encoder")
    SentenceEncoder(small_body(seed=1), tokenizer).save(folder)
    assert SentenceEncoder.load(folder).fingerprint() != encoder.fingerprint()
    (folder / "sentence.json").unlink()
    with pytest.raises(CheckpointError, match=r"is no model of this kind \(no sentence\.json\)"):
        encoder.save(folder)
