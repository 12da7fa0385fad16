"""What one word decides is learned by every loss; the loop is deterministic and refuses half-told pairs."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from bertlib.config import BertConfig
from bertlib.errors import ConfigError, InputError, TrainingError
from bertlib.model import BertModel
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.variants.sentence import SentenceEncoder
from bertlib.variants.sentence_losses import (
    CosineRegression,
    InBatchNegatives,
    SiameseClassification,
    TripletMargin,
)
from bertlib.variants.sentence_training import (
    PairBatches,
    SentencePair,
    SentenceTraining,
    sts_scores,
    train_sentences,
)

TOPICS = {"sea": ["ship", "wave", "sail"], "farm": ["cow", "hay", "plough"], "sky": ["star", "moon", "cloud"]}
NOISE = ["the", "a", "of", "was", "there"]
RECIPE = SentenceTraining(epochs=2, learning_rate=3e-3, batch_size=16)


@pytest.fixture
def encoder():
    words = [word for topic in TOPICS.values() for word in topic] + NOISE
    tokenizer = WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=12, initializer_range=0.2, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return SentenceEncoder(BertModel(config), tokenizer)


def sentence(topic, generator):
    words = [*generator.choice(TOPICS[topic], 2), *generator.choice(NOISE, generator.integers(0, 3))]
    return " ".join(generator.permutation(words))


def topical(count=128, seed=0):
    """Pairs of one topic or of two (labels 1 and 0), with a negative of another topic than the first's."""
    generator = np.random.default_rng(seed)
    pairs = []
    for number in range(count):
        mine, other = (str(topic) for topic in generator.permutation(list(TOPICS))[:2])
        alike = number % 2
        second = sentence(mine if alike else other, generator)
        pairs.append(
            SentencePair(sentence(mine, generator), second, float(alike), sentence(other, generator))
        )
    return pairs


def prepared(kind):
    pairs = topical()
    alike = [pair for pair in pairs if pair.label]
    return {
        "classification": ([p._replace(label=int(p.label)) for p in pairs], SiameseClassification(16, 2)),
        "cosine": (pairs, CosineRegression()),
        "in-batch": (alike, InBatchNegatives()),
        "triplet": (alike, TripletMargin()),
    }[kind]


@pytest.mark.parametrize("kind", ["classification", "cosine", "in-batch", "triplet"])
def test_every_loss_brings_alike_sentences_together(encoder, kind):
    dev = topical(60, seed=1)
    before = sts_scores(encoder, dev)["spearman"]
    pairs, loss = prepared(kind)
    recipe = SentenceTraining(epochs=6, learning_rate=2e-2, batch_size=16)
    losses = train_sentences(encoder, pairs, loss=loss, recipe=recipe, progress=False)
    assert len(losses) == 6 * -(-len(pairs) // 16)
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    assert sts_scores(encoder, dev)["spearman"] > max(before + 0.1, 0.7)
    assert not encoder.training


def test_the_same_seed_gives_the_same_weights(encoder):
    twin, other = copy.deepcopy(encoder), copy.deepcopy(encoder)
    losses = train_sentences(encoder, topical(), loss=CosineRegression(), recipe=RECIPE, progress=False)
    torch.manual_seed(5)
    assert train_sentences(twin, topical(), loss=CosineRegression(), recipe=RECIPE, progress=False) == losses
    assert twin.fingerprint() == encoder.fingerprint()
    recipe = SentenceTraining(epochs=2, learning_rate=3e-3, batch_size=16, seed=1)
    train_sentences(other, topical(), loss=CosineRegression(), recipe=recipe, progress=False)
    assert other.fingerprint() != encoder.fingerprint()


def test_a_loss_with_weights_is_trained_too(encoder):
    loss = SiameseClassification(16, 2)
    before = loss.classifier.weight.detach().clone()
    pairs = [pair._replace(label=int(pair.label)) for pair in topical(32)]
    train_sentences(encoder, pairs, loss=loss, recipe=RECIPE, progress=False)
    assert not torch.equal(loss.classifier.weight, before)


def test_equal_texts_have_equal_numbers(encoder):
    texts = ["a ship", "a cow", "a ship", "the moon"]
    pairs = [SentencePair("the sea", text, negative=texts[number - 1]) for number, text in enumerate(texts)]
    batches = PairBatches(encoder, pairs, RECIPE)
    same = batches.vectors(np.array([2, 1, 0])).same.tolist()
    assert same[0] == same[2] != same[1]
    assert same[3:] == [same[1], same[0], batches.same[0, 3].item()]


def test_every_pair_comes_once_an_epoch(encoder):
    batches = PairBatches(encoder, topical(50), RECIPE)
    first, second = (np.concatenate(list(batches.epoch(number))) for number in (0, 1))
    assert sorted(first) == sorted(second) == list(range(50))
    assert (first != second).any()


def test_correlation_by_hand(encoder):
    """Equal texts have the cosine 1, which is the largest: both orders agree."""
    pairs = [SentencePair("a ship", "a ship", 1.0), SentencePair("a ship", "the moon was there", 0.0)]
    assert sts_scores(encoder, pairs) == pytest.approx({"pearson": 1.0, "spearman": 1.0})
    with pytest.raises(InputError, match="2 of 3 pairs have a label; expected a likeness for each"):
        sts_scores(encoder, [*pairs, SentencePair("a", "b")])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs is 0; expected at least 1"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0; expected a number above 0"),
        ({"warmup_share": 1.0}, r"warmup_share is 1\.0; expected a share in \[0, 1\)"),
    ],
)
def test_recipes_that_make_no_sense(changes, message):
    with pytest.raises(ConfigError, match=message):
        SentenceTraining(**changes)


def test_wrong_pairs(encoder):
    def train(pairs, recipe=RECIPE):
        train_sentences(encoder, pairs, loss=CosineRegression(), recipe=recipe, progress=False)

    with pytest.raises(InputError, match="no pairs"):
        train([])
    with pytest.raises(InputError, match="1 of 2 pairs have a label; expected all of them or none"):
        train([SentencePair("a", "a", 1.0), SentencePair("a", "a")])
    with pytest.raises(InputError, match="1 of 2 pairs have a negative"):
        train([SentencePair("a", "a", 1.0), SentencePair("a", "a", 1.0, "the")])
    with pytest.raises(InputError, match="max_length is 64; expected at most the body's 12"):
        train([SentencePair("a", "a", 1.0)], SentenceTraining(max_length=64))
    with pytest.raises(
        TrainingError, match="step 1: the loss is no finite number; try a lower learning rate"
    ):
        train([SentencePair("a", "a", float("nan"))])
