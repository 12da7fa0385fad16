"""Vectors of a frozen body: each way of table 7 from the states themselves; padding changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bertlib import BertConfig, BertModel, WordPieceTokenizer
from bertlib.data.examples import TaggedExample
from bertlib.errors import InputError
from bertlib.finetune.features import gather
from bertlib.finetune.frozen import LAYERS, FrozenTagger, LayerMix, extract
from bertlib.finetune.recipe import FineTuning
from bertlib.finetune.tagging import TaggingTask
from bertlib.finetune.training import fine_tune
from bertlib.tokenizer import SPECIAL_TOKENS

CONFIG = BertConfig(
    vocab_size=60, hidden_size=12, num_hidden_layers=5, num_attention_heads=2, intermediate_size=24,
    max_position_embeddings=16, initializer_range=0.2,
)  # fmt: skip
ROWS = [[2, 7, 9, 3], [2, 11, 12, 13, 14, 15, 3], [2, 8, 3]]


@pytest.fixture
def bert():
    torch.manual_seed(0)
    return BertModel(CONFIG)


@pytest.fixture
def features():
    return gather([np.array(row) for row in ROWS], [len(row) for row in ROWS], pad_id=0)


def states_of(bert, row):
    with torch.no_grad():
        return bert.eval()(torch.tensor([row]), output_hidden_states=True).hidden_states


BY_HAND = {
    "embeddings": lambda s: s[0],
    "last": lambda s: s[5],
    "second-to-last": lambda s: s[4],
    "sum-last-4": lambda s: s[2] + s[3] + s[4] + s[5],
    "concat-last-4": lambda s: torch.cat([s[2], s[3], s[4], s[5]], -1),
    "sum-all": lambda s: s[1] + s[2] + s[3] + s[4] + s[5],
}


@pytest.mark.parametrize("layers", BY_HAND)
def test_each_way_is_made_of_the_right_states(layers, bert, features):
    found = extract(bert, features, layers=layers, batch_size=2)
    assert found.shape == (14, 48 if layers == "concat-last-4" else 12)
    for i, row in enumerate(ROWS):
        expected = BY_HAND[layers](states_of(bert, row))[0].numpy()
        np.testing.assert_allclose(found[features.starts[i] : features.starts[i + 1]], expected, atol=2e-6)


def test_a_weighted_sum_begins_as_the_mean_and_is_what_its_weights_say(bert):
    states = states_of(bert, ROWS[0])
    mix = LayerMix(bert, "weighted-last-4")
    torch.testing.assert_close(mix(states), BY_HAND["sum-last-4"](states) / 4)
    with torch.no_grad():
        mix.scores.copy_(torch.tensor([0.0, 0.0, 0.0, 3.0]).log().nan_to_num(neginf=-99))
        mix.gamma.fill_(2.0)
    torch.testing.assert_close(mix(states), 2 * states[5])


def test_a_trained_mix_can_be_extracted(bert, features):
    mix = FrozenTagger(bert, 3, layers="weighted-all").mix
    summed = extract(bert, features, layers="sum-all")
    np.testing.assert_allclose(extract(bert, features, layers=mix), summed / 5, atol=2e-6)


def test_extracting_leaves_the_mode_and_draws_no_dropout(bert, features):
    bert.train()
    first = extract(bert, features)
    assert bert.training
    np.testing.assert_array_equal(first, extract(bert, features))


def padded():
    ids, mask = torch.zeros(3, 7, dtype=torch.long), torch.zeros(3, 7, dtype=torch.long)
    for i, row in enumerate(ROWS):
        ids[i, : len(row)], mask[i, : len(row)] = torch.tensor(row), 1
    return ids, mask


@pytest.mark.parametrize("layers", LAYERS)
def test_padding_changes_no_label(layers, bert):
    tagger = FrozenTagger(bert, 3, layers=layers, hidden=6).eval()
    ids, mask = padded()
    together = tagger(ids, mask).logits
    assert together.shape == (3, 7, 3)
    for i, row in enumerate(ROWS):
        alone = tagger(torch.tensor([row])).logits
        torch.testing.assert_close(together[i, : len(row)], alone[0], atol=1e-5, rtol=0)


def test_labels_of_extracted_vectors_are_those_of_the_texts(bert, features):
    tagger = FrozenTagger(bert, 3, layers="last", hidden=6).eval()
    vectors = torch.from_numpy(extract(bert, features)[:4])[None]
    torch.testing.assert_close(
        tagger.label(vectors, torch.ones(1, 4)), tagger(torch.tensor([ROWS[0]])).logits, atol=1e-5, rtol=0
    )


def test_the_bilstm_has_two_layers_as_wide_as_the_body(bert):
    tagger = FrozenTagger(bert, 3)
    width, h = 48, 12  # four layers side by side; 4 gates, 2 directions, 2 biases
    lstm = 2 * 4 * h * (width + h + 2) + 2 * 4 * h * (2 * h + h + 2)
    assert sum(p.numel() for p in tagger.parameters() if p.requires_grad) == lstm + 2 * h * 3 + 3


def test_it_learns_and_the_body_stays(bert):
    before = {name: value.clone() for name, value in bert.state_dict().items()}
    tagger = FrozenTagger(bert, 2, layers="weighted-all", hidden=8, dropout=0.0).train()
    assert not bert.training
    ids, mask = padded()
    labels = torch.where(mask == 1, (ids > 9).long(), -100)
    optimizer = torch.optim.AdamW([p for p in tagger.parameters() if p.requires_grad], lr=0.02)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = tagger(ids, mask, labels=labels).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
    assert all(torch.equal(value, before[name]) for name, value in bert.state_dict().items())
    assert tagger.mix.scores.abs().max() > 0


def test_fine_tune_trains_it_in_place_of_the_tasks_head(bert):
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *(f"w{i}" for i in range(55))])
    examples = [TaggedExample((f"w{i}", f"w{54 - i}"), ("B-X" if i % 2 else "O", "O")) for i in range(16)]
    task = TaggingTask.of(examples)
    recipe = FineTuning(epochs=2, batch_size=8, max_length=8, learning_rate=1e-2)
    found = fine_tune(
        task, bert, tokenizer, examples, examples, recipe,
        build=lambda body: FrozenTagger(body, len(task.tags), hidden=6), progress=False,
    )  # fmt: skip
    assert found.epochs[1].loss < found.epochs[0].loss
    for name, value in bert.state_dict().items():
        assert torch.equal(found.model.bert.state_dict()[name], value)


def test_what_is_refused(bert, features):
    with pytest.raises(InputError, match="layers 'first'; expected one of embeddings, last"):
        extract(bert, features, layers="first")
    with pytest.raises(InputError, match="weights of 'weighted-all' are learned"):
        extract(bert, features, layers="weighted-all")
    small = BertModel(CONFIG.replace(num_hidden_layers=2))
    with pytest.raises(InputError, match="body of 2 blocks; expected at least 4"):
        LayerMix(small, "concat-last-4")
    with pytest.raises(InputError, match="0 labels and width 12"):
        FrozenTagger(bert, 0)
    pairs = gather([np.array([2, 3])] * 2, [2, 2], pad_id=0, choices=2)
    with pytest.raises(InputError, match="rows of 2 choices"):
        extract(bert, pairs)
    with pytest.raises(InputError, match=r"labels have shape \(1, 3\); expected \(1, 4\)"):
        FrozenTagger(bert, 2)(torch.tensor([ROWS[0]]), labels=torch.zeros(1, 3, dtype=torch.long))
