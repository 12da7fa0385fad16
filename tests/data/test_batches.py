import zlib
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


STREAM = [1304529586, 2700407251, 632252138, 4051907029, 3820200255, 2553229450]
CUTS = [(0, 8), (0, 3), (3, 8), (5, 6), (4, 4), (6, 99), (9, 12), (None, 2), (6, None), (-3, None), (5, 2)]


KINDS = [
    {},
    {"masking": "words", "pairs": "sop"},
    {"masking": "spans", "pairs": "none"},
    {"static_masks": 2, "nsp": False},
    {"objective": "causal", "nsp": False},
]
CONTINUES = torch.arange(300) >= 200


def make(**changes):
    config = BatchConfig(**({"batch_size": 8, "max_length": 32, "seed": 2} | changes))
    return PreTrainingBatches(corpus(), config, continues=CONTINUES)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(("first", "last"), CUTS)
def test_some_rows_are_those_of_the_whole_batch(first, last, kind):
    batches = make(**kind)
    for step in (0, 1, batches.steps_per_epoch - 1, 50):
        whole, part = batches.batch(step).rows(first, last), batches.batch(step, first, last)
        assert all(torch.equal(x, y) for x, y in zip(whole, part, strict=True))
        assert all(x.dtype == y.dtype for x, y in zip(whole, part, strict=True))


def test_only_the_rows_asked_for_are_read():
    class Watched(np.ndarray):
        read = 0

        def __getitem__(self, index):
            Watched.read += np.size(index)
            return np.asarray(self)[index]

    text = corpus()
    text.tokens = text.tokens.view(Watched)
    PreTrainingBatches(text, BatchConfig(batch_size=8, max_length=32)).batch(3, 2, 4)
    assert Watched.read == 2 * 32


def test_the_stream_of_batches_is_the_one_that_earlier_runs_saw():
    """A run that is resumed with a newer bertlib must go on with the batch that came next."""
    batch = PreTrainingBatches(corpus(), BatchConfig(batch_size=4, max_length=12, seed=5)).batch(20)
    assert [zlib.crc32(part.long().numpy().tobytes()) for part in batch] == STREAM


def test_each_kind_of_masking_reaches_the_batches():
    tokens, words, spans = (make(masking=kind).batch(0) for kind in ("tokens", "words", "spans"))
    assert torch.equal(tokens.original_ids, words.original_ids)
    assert torch.equal(tokens.original_ids, spans.original_ids)
    inner = (words.original_ids[:, 1:] >= 200) & (words.original_ids[:, :-1] >= 5)

    def torn(batch):
        return (batch.selected[:, 1:] != batch.selected[:, :-1])[inner].any()

    assert torn(tokens)
    assert not torn(words)
    assert not torn(spans)
    assert not torch.equal(words.selected, spans.selected)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_special_tokens_are_never_to_be_predicted(kind):
    batch = make(**kind).batch(3)
    assert batch.selected.any(1).all()
    assert (batch.labels >= 5).all()


def test_masks_are_new_in_each_epoch_or_come_again():
    """Static masks of two epochs: the third is the first once more, the second is another."""
    static, dynamic = make(static_masks=2), make()
    epoch = static.steps_per_epoch
    for step in (0, epoch - 1):
        first, second, third = (static.batch(step + epoch * number) for number in range(3))
        assert all(torch.equal(x, y) for x, y in zip(first, third, strict=True))
        assert not torch.equal(first.input_ids, second.input_ids)
        assert all(torch.equal(x, y) for x, y in zip(first, dynamic.batch(step), strict=True))
    assert not torch.equal(dynamic.batch(0).input_ids, dynamic.batch(2 * epoch).input_ids)


def test_the_order_of_sentences_is_asked_for():
    labels = torch.cat([make(pairs="sop").batch(step).next_sentence_label for step in range(10)])
    assert {0, 1} <= set(labels.tolist())  # and -100 for a sentence that is left over alone
    assert (make(nsp=False, pairs="sop").batch(0).next_sentence_label == -100).all()
    assert all(
        torch.equal(x, y) for x, y in zip(make(pairs="none").batch(4), make(nsp=False).batch(4), strict=True)
    )


def test_left_to_right_every_word_is_asked_for_where_the_one_before_it_stands():
    batch = make(objective="causal", pairs="none").batch(0)
    row, length = batch.input_ids[0], int((batch.input_ids[0] != 0).sum())
    assert batch.original_ids[0, : length - 2].tolist() == row[1 : length - 1].tolist()
    assert batch.selected[0].nonzero()[:, 0].tolist() == list(range(length - 2))  # [SEP] is no word
    assert batch.attention_mask.shape == (8, 32, 32)
    assert not batch.attention_mask[0].triu(1).any()
