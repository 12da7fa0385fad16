import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bertlib.config import BertConfig
from bertlib.data.batches import BatchConfig, PreTrainingBatches
from bertlib.errors import ConfigError, InputError
from bertlib.variants.electra import (
    Electra,
    detection_loss,
    detection_scores,
    evaluate_electra,
    generator_config,
    pretrain_electra,
    replace_words,
    sample_words,
)
from bertlib.variants.training import train_variant


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_word_that_was_right_counts_as_original():
    ids = torch.tensor([[2, 10, 11, 3], [2, 12, 13, 3]])
    selected = torch.tensor([[0, 1, 0, 0], [0, 1, 1, 0]]).bool()
    text = replace_words(ids, selected, torch.tensor([99, 12, 98]))
    assert text.input_ids.tolist() == [[2, 99, 11, 3], [2, 12, 98, 3]]
    assert text.replaced.int().tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]
    assert ids[0, 1] == 10


def test_words_are_drawn_with_the_chances_of_the_softmax():
    logits = torch.tensor([[0.0, math.log(3.0), -50.0]]).expand(20_000, -1)
    counts = torch.bincount(sample_words(logits, dice()), minlength=3) / 20_000
    assert counts.tolist() == pytest.approx([0.25, 0.75, 0.0], abs=0.01)
    assert torch.equal(sample_words(logits, dice(7)), sample_words(logits, dice(7)))
    assert sample_words(logits[:0], dice()).shape == (0,)


def test_the_loss_by_hand():
    """Two words of a text are judged, the padding is not: -ln 3/4 for the original one, -ln 1/2 for the other."""
    logits = torch.tensor([[-math.log(3.0), 0.0, 9.0]])
    loss = detection_loss(logits, torch.tensor([[False, True, False]]), torch.tensor([[1, 1, 0]]))
    assert loss.item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)


def test_the_detector_s_scores_by_hand():
    """Three suspected, two of them wrong; of the six pairs of a wrong and a right word one is the wrong way round."""
    logits = torch.tensor([2.0, -1.0, 1.0, 0.5, -3.0])
    found = detection_scores(logits, torch.tensor([1, 0, 0, 1, 0]).bool())
    assert found == pytest.approx((2 / 5, 2 / 3, 1.0, 5 / 6))


def test_whoever_suspects_nobody_is_no_better_than_a_guess():
    found = detection_scores(torch.full((8,), -1.0), torch.tensor([1, 0, 0, 0, 0, 0, 0, 0]).bool())
    assert found == (1 / 8, 0.0, 0.0, 0.5)


def test_the_total_is_mlm_and_fifty_times_detection(toy_config, story_batches):
    losses = Electra(toy_config)(story_batches().batch(0), generator=dice())
    assert losses.total.item() == pytest.approx(losses.mlm.item() + 50 * losses.detection.item(), rel=1e-5)
    assert losses.mlm.item() == pytest.approx(math.log(toy_config.vocab_size), abs=0.5)


def test_the_generator_is_smaller_and_shares_the_tables(toy_config):
    model = Electra(toy_config, generator_share=0.5)
    assert generator_config(toy_config, 0.5).hidden_size == 16
    assert model.generator.word_embeddings is model.discriminator.word_embeddings
    ours, theirs = (
        sum(p.numel() for p in body.encoder.parameters()) for body in (model.generator, model.discriminator)
    )
    assert ours < theirs / 3


def test_the_published_generators():
    base, large = (BertConfig.from_preset(name) for name in ("base", "large"))
    assert generator_config(base, 1 / 3).hidden_size == 256
    assert generator_config(large, 1 / 4).hidden_size == 256
    assert generator_config(large, 1 / 4).num_attention_heads == 4


def test_no_gradient_goes_from_detection_to_the_generator(toy_config, story_batches):
    model = Electra(toy_config)
    model(story_batches().batch(0), generator=dice()).detection.backward()
    own = [*model.generator.encoder.parameters(), *model.generator_head.parameters()]
    assert [p for p in own if p.grad is not None] == []


def test_the_generator_reads_mask_at_every_selected_place(toy_config, story_batches):
    """What the batch put there (80 % [MASK], words else) makes no difference; what is hidden makes none either."""
    model, batch = Electra(toy_config).eval(), story_batches().batch(0)
    hidden = batch._replace(original_ids=batch.original_ids.masked_fill(batch.selected, 7), input_ids=None)
    assert torch.equal(model.guess(batch), model.guess(hidden))


def test_both_learn_and_everything_but_the_poolers_does(toy_config, story_batches):
    model = Electra(toy_config, generator_share=0.5)
    losses = pretrain_electra(model, story_batches(), steps=40, learning_rate=1e-2)
    assert losses.total.shape == (40,)
    assert losses.mlm[-5:].mean() < losses.mlm[0] - 0.7
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert {name.split(".")[1] for name in idle} == {"pooler"}


def test_the_discriminator_finds_words_that_never_occur(toy_config):
    """The corpus has 16 of 800 words, and any word is put in. Always to say no costs 0.4 nats at 14 % replaced."""
    tokens, ends = np.random.default_rng(0).integers(5, 21, 6000).astype(np.uint16), np.arange(10, 6001, 10)
    corpus = SimpleNamespace(tokens=tokens, sentence_ends=ends, document_ends=np.array([600]), vocab_size=800)
    batches = PreTrainingBatches(corpus, BatchConfig(batch_size=16, max_length=24, pairs="none"))
    model = Electra(toy_config)

    def detection(batch, step):
        words = torch.randint(5, 800, batch.labels.shape, generator=dice(step))
        text = replace_words(batch.original_ids, batch.selected, words)
        suspicion = model.detect(text.input_ids, batch.attention_mask, batch.token_type_ids)
        return [detection_loss(suspicion, text.replaced, batch.attention_mask)]

    losses = train_variant(model, detection, batches, steps=60, learning_rate=5e-3)
    assert losses[0] > 0.5
    assert losses[-10:].mean() < 0.15


def pairs_of_words(seed, vocab_size=13):
    """Texts of two pairs, each of them one of four first words and the second word that belongs to it."""
    first = np.random.default_rng(seed).integers(5, 9, 2400)
    tokens, ends = np.stack([first, first + 4], 1).ravel().astype(np.uint16), np.arange(4, 4801, 4)
    corpus = SimpleNamespace(
        tokens=tokens, sentence_ends=ends, document_ends=np.arange(1, 1201), vocab_size=vocab_size
    )
    layout = BatchConfig(batch_size=32, max_length=6, pairs="none", short_share=0.0, masked_share=0.5)
    return PreTrainingBatches(corpus, layout)


def test_the_detector_learns_in_what_company_a_word_is_wrong(toy_config):
    """Every word is equally common, so only its neighbour tells; a guess has 0.5, give or take 0.03."""
    torch.manual_seed(0)
    config = toy_config.replace(vocab_size=13, initializer_range=0.3)
    model = Electra(config, generator_share=0.5, detection_weight=10)
    assert evaluate_electra(model, pairs_of_words(2), steps=8).auc == pytest.approx(0.5, abs=0.1)
    pretrain_electra(model, pairs_of_words(1), steps=200, learning_rate=5e-3)
    found = evaluate_electra(model, pairs_of_words(2), steps=8)
    assert found.auc > 0.75
    assert found.recall > 0.2
    assert found.replaced > 0.05  # the generator does not know all, or there would be nothing to find


def test_it_is_deterministic(toy_config, story_batches):
    runs = []
    for _ in range(2):
        torch.manual_seed(1)
        runs.append(pretrain_electra(Electra(toy_config), story_batches(), steps=3).total)
    assert torch.equal(*runs)


def test_the_discriminator_is_a_body_to_fine_tune(toy_config):
    from bertlib.finetune.heads import SequenceClassifier

    body = Electra(toy_config).discriminator
    assert SequenceClassifier(body, num_labels=2)(torch.randint(5, 100, (2, 8))).logits.shape == (2, 2)


def test_what_cannot_work_is_refused(toy_config, story_batches):
    with pytest.raises(ConfigError, match=r"generator_share is 0; expected a part .* in \(0, 1\]"):
        Electra(toy_config, generator_share=0)
    with pytest.raises(ConfigError, match="detection_weight is -1; expected at least 0"):
        Electra(toy_config, detection_weight=-1)
    with pytest.raises(InputError, match="1 words for 2 selected places"):
        replace_words(torch.ones(1, 2), torch.ones(1, 2).bool(), torch.ones(1))
    with pytest.raises(InputError, match=r"expected \(batch, length\) three times"):
        detection_loss(torch.ones(1, 2), torch.ones(1, 3).bool(), torch.ones(1, 2))
    with pytest.raises(InputError, match="0 of 2 words are replaced; expected some of either kind"):
        detection_scores(torch.ones(2), torch.zeros(2).bool())
    with pytest.raises(ConfigError, match="objective is 'causal'"):
        pretrain_electra(Electra(toy_config), story_batches(objective="causal"), steps=1)
    with pytest.raises(ConfigError, match="steps is 0"):
        pretrain_electra(Electra(toy_config), story_batches(), steps=0)
