from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bertlib.data.batches import BatchConfig, PreTrainingBatches, pack_pairs
from bertlib.data.pairs import Pairs
from bertlib.errors import ConfigError, CorpusError


def corpus(documents=40, seed=0):
    rng = np.random.default_rng(seed)
    document_ends = np.cumsum(rng.integers(2, 10, documents))
    sentence_ends = np.cumsum(rng.integers(2, 12, document_ends[-1]))
    tokens = rng.integers(5, 300, sentence_ends[-1]).astype(np.uint16)
    return SimpleNamespace(
        tokens=tokens, sentence_ends=sentence_ends, document_ends=document_ends, vocab_size=300
    )


def column(*numbers):
    return np.array(numbers, dtype=np.int64)


def test_a_pair_is_laid_out_as_in_figure_2():
    pairs = Pairs(column(10), column(3), column(50), column(2), column(0))
    packed = pack_pairs(pairs, 10)
    assert packed.token[0].tolist() == [0, 10, 11, 12, 0, 50, 51, 0, 0, 0]
    assert packed.token_type_ids[0].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 0, 0]
    assert packed.attention_mask[0].tolist() == [1] * 8 + [0, 0]
    assert packed.is_sep[0].nonzero()[:, 0].tolist() == [4, 7]


def test_a_single_text_has_one_separator():
    packed = pack_pairs(Pairs(column(10), column(3), column(0), column(0), column(-100)), 7)
    assert packed.is_sep[0].nonzero()[:, 0].tolist() == [4]
    assert packed.attention_mask[0].tolist() == [1] * 5 + [0, 0]
    assert packed.token_type_ids.sum() == 0


@pytest.mark.parametrize("nsp", [True, False])
def test_a_batch_holds_words_of_the_corpus_and_special_tokens_in_place(nsp):
    batch = PreTrainingBatches(corpus(), BatchConfig(batch_size=16, max_length=32, nsp=nsp)).batch(3)
    assert (batch.original_ids[:, 0] == 2).all()
    assert ((batch.original_ids == 3).sum(1) == (2 if nsp else 1)).all()
    assert (batch.original_ids[batch.attention_mask == 0] == 0).all()
    assert (batch.labels >= 5).all()
    assert (batch.input_ids[~batch.selected] == batch.original_ids[~batch.selected]).all()


def test_a_batch_follows_from_its_step_alone():
    config = BatchConfig(batch_size=8, max_length=32, seed=3)
    forward, alone = PreTrainingBatches(corpus(), config), PreTrainingBatches(corpus(), config)
    last = [forward.batch(step) for step in range(60)][-1]  # several epochs
    assert forward.steps_per_epoch < 30
    assert all(torch.equal(x, y) for x, y in zip(last, alone.batch(59), strict=True))


def test_steps_epochs_and_seeds_differ():
    batches = PreTrainingBatches(corpus(), BatchConfig(batch_size=8, max_length=32))
    other = PreTrainingBatches(corpus(), BatchConfig(batch_size=8, max_length=32, seed=1))
    first = batches.batch(0).original_ids
    for another in (batches.batch(1), batches.batch(batches.steps_per_epoch), other.batch(0)):
        assert not torch.equal(first, another.original_ids)


def test_an_epoch_shows_nearly_everything():
    text = corpus()
    batches = PreTrainingBatches(text, BatchConfig(batch_size=4, max_length=32, nsp=False, short_share=0))
    seen = sum(int((batches.batch(step).original_ids >= 5).sum()) for step in range(batches.steps_per_epoch))
    assert seen > 0.8 * len(text.tokens)  # an overfull text loses the end of its last sentence


def test_rows_cut_a_batch_without_loss():
    batch = PreTrainingBatches(corpus(), BatchConfig(batch_size=8, max_length=32)).batch(0)
    halves = torch.cat([batch.rows(0, 4).labels, batch.rows(4, 8).labels])
    assert torch.equal(halves, batch.labels)


def test_lengths_and_corpora_that_cannot_be():
    with pytest.raises(ConfigError, match="takes 5"):
        BatchConfig(max_length=4)
    empty = SimpleNamespace(tokens=np.array([]), sentence_ends=[], document_ends=[], vocab_size=9)
    with pytest.raises(CorpusError, match="no tokens"):
        PreTrainingBatches(empty, BatchConfig())
