import json

import pytest
import torch

from bertlib.bench.gallery import (
    PATIENTS,
    ChangedBatches,
    every_word,
    gallery,
    nothing_hidden,
    shuffled_verdicts,
)
from bertlib.bench.provenance import provenance, write_results
from bertlib.bench.real_text import summary
from bertlib.data.arrays import TokenCorpus
from bertlib.data.batches import BatchConfig
from bertlib.recipes import Recipe


@pytest.fixture
def spoiled(finished_run):
    """Make batches with a change, and the right ones beside them."""
    corpus = TokenCorpus.load(finished_run.out / "corpus")

    def make(change):
        batches = ChangedBatches(corpus, BatchConfig(batch_size=8, max_length=32))
        batches.change = change
        right = super(ChangedBatches, batches).batch(3)
        return batches.batch(3), right

    return make


def test_every_word_is_asked_for_and_the_input_stays(spoiled):
    batch, right = spoiled(every_word)
    assert torch.equal(batch.selected, right.original_ids >= 5)
    assert torch.equal(batch.input_ids, right.input_ids)


def test_nothing_is_hidden_and_the_questions_stay(spoiled):
    batch, right = spoiled(nothing_hidden)
    assert not (batch.input_ids == 4).any()
    assert torch.equal(batch.labels, right.labels)


def test_verdicts_belong_to_the_pair_before(spoiled):
    batch, right = spoiled(shuffled_verdicts)
    assert batch.next_sentence_label.tolist()[1:] == right.next_sentence_label.tolist()[:-1]


@pytest.mark.slow
def test_the_gallery_has_every_patient_with_both_curves(tmp_path):
    recipe = Recipe.for_preset(
        "tiny", story=True, steps=2, eval_every=1, eval_batches=1, batch_size=8, log_every=1
    )
    said = []
    found = gallery(recipe, tmp_path, say=said.append)
    assert [run["name"] for run in found["runs"]] == [patient.name for patient in PATIENTS]
    assert all(run["train"]["step"] == run["valid"]["step"] == [1, 2] for run in found["runs"])
    first = {run["name"]: run["train"]["mlm_loss"][0] for run in found["runs"]}
    assert first["large start"] > found["start"] + 5 > first["healthy"]
    assert len(said) == len(PATIENTS)


def test_results_say_where_they_come_from(tmp_path):
    write_results(tmp_path / "deep" / "x.json", {"provenance": provenance("some command", seed=7)})
    found = json.loads((tmp_path / "deep" / "x.json").read_text())["provenance"]
    assert found["command"] == "some command"
    assert found["seed"] == 7
    assert found["device"]
    assert found["threads"] >= 1


def test_a_run_is_summed_up_for_the_book(finished_run):
    values = json.loads(json.dumps(summary(finished_run)))
    assert values["steps"] == 4
    assert set(values["accuracy"]) == {"unigram", "bigram", "BERT"}
    assert [len(blank["guesses"]) for blank in values["blanks"]] == [3, 3, 3]
