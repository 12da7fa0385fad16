"""The bugs that are published most often, by their number in the book's list: each is rejected by a check.

Number 15, spans that end before they begin, belongs to the chapter on question answering.
"""

import pytest

from bertlib.lab import examine

from . import test_wrong_attention as attention
from . import test_wrong_blocks as blocks
from . import test_wrong_bodies as bodies
from . import test_wrong_embeddings as embeddings
from . import test_wrong_masked as masked
from . import test_wrong_pairs as pairs
from . import test_wrong_recipe as recipe
from . import test_wrong_tokens as tokens

MISTAKES = [
    (1, "scores over heads: no transpose", "split-heads", attention.not_transposed),
    (1, "scores over heads: no transpose", "self-attention", attention.MissingTranspose),
    (2, "the reshape mixes positions", "merge-heads", attention.straight_back),
    (2, "the reshape mixes positions", "self-attention", attention.PouredOut),
    (3, "a mask that does not broadcast", "padding-bias", attention.two_axes),
    (3, "a mask that hides heads", "padding-bias", attention.along_the_heads),
    (4, "a hidden row gives NaN", "padding-bias", attention.infinite),
    (5, "heads that do not divide H", "split-heads", attention.rounded_down),
    (6, "pre-LN called BERT", "encoder-block", blocks.PreNormBlock),
    (6, "pre-LN without a last norm", "bert-model", bodies.PreNormBody),
    (7, "first weights from N(0, 1)", "bert-model", bodies.NormalStart),
    (8, "768 in the code", "bert-model", bodies.HardCodedBase),
    (8, "768 in a head", "prediction-head", masked.Width768),
    (8, "768 in a head", "pre-training-bert", pairs.BaseOnly),
    (9, "labels of 0", "labels", masked.zeros_elsewhere),
    (9, "labels of -1", "labels", masked.minus_one_elsewhere),
    (9, "loss over everything", "masked-lm-loss", masked.over_all_positions),
    (9, "nothing selected is NaN", "masked-lm-loss", masked.plain_cross_entropy),
    (10, "an untied output layer", "prediction-head", masked.Untied),
    (10, "logits at every position", "pre-training-bert", pairs.EveryPosition),
    (11, "a head owned by the loss", "pre-training-bert", pairs.HeadInTheLoss),
    (12, "the mean of means", "masked-lm-loss", masked.row_by_row),
    (12, "the mean of means", "accumulate", recipe.mean_of_batch_means),
    (13, "nothing to divide by", "accumulate", recipe.divides_by_nothing),
    (13, "nothing to divide by", "nsp-loss", pairs.mean_of_nothing),
    (14, "words instead of pieces", "my-tokenizer", tokens.SplitsOnBlanks),
    (14, "encode before train", "my-tokenizer", tokens.UntilItIsTrained),
    (16, "past the position table", "input-embedding", embeddings.NoLimit),
]


@pytest.mark.parametrize(
    ("number", "what", "name", "wrong"), MISTAKES, ids=[f"{n} {w}" for n, w, _, _ in MISTAKES]
)
def test_it_is_rejected_where_it_is_made(number, what, name, wrong):
    assert examine(name, wrong).status in ("wrong", "error"), what


def test_none_is_left_out():
    assert {number for number, *_ in MISTAKES} == set(range(1, 17)) - {15}
