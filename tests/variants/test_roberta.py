import numpy as np
import pytest
import torch

from bertlib.data.batches import BatchConfig, PreTrainingBatches
from bertlib.errors import ConfigError
from bertlib.model import BertForPreTraining
from bertlib.recipes import Recipe
from bertlib.variants.roberta import across_documents, roberta_recipe


def test_base_and_large_have_the_papers_numbers():
    """Liu et al. 2019, table 9."""
    for preset, rate, warmup in [("base", 6e-4, 24_000), ("large", 4e-4, 30_000)]:
        recipe = roberta_recipe(preset)
        training = recipe.training_config()
        assert (recipe.batch_size, recipe.max_length, recipe.positions) == (8192, 512, 512)
        assert (training.steps, training.learning_rate, training.warmup_steps) == (500_000, rate, warmup)
        assert training.betas == (0.9, 0.98)


def test_there_is_no_sentence_task_and_masks_are_new():
    batches = roberta_recipe("tiny").batch_config()
    assert batches.pair_kind == "none"
    assert batches.static_masks == 0


@pytest.mark.parametrize("preset", ["tiny", "mini", "small", "medium"])
def test_smaller_sizes_see_sixteen_times_the_texts(preset):
    bert, roberta = Recipe.for_preset(preset), roberta_recipe(preset)
    assert roberta.batch_size * roberta.steps == 16 * bert.batch_size * bert.steps
    assert roberta.learning_rate == 2 * bert.learning_rate
    assert roberta.max_length == bert.max_length


def test_so_does_base():
    bert, roberta = Recipe.for_preset("base"), roberta_recipe("base")
    assert roberta.batch_size * roberta.steps == 16 * bert.batch_size * bert.steps


def test_what_is_given_goes_before():
    recipe = roberta_recipe("tiny", story=True, steps=7, beta2=0.9, vocab_size=None)
    assert (recipe.steps, recipe.beta2, recipe.vocab_size) == (7, 0.9, 1024)


@pytest.mark.parametrize("change", [{"pairs": "nsp"}, {"nsp": True}, {"static_masks": 10}])
def test_berts_habits_are_refused(change):
    with pytest.raises(ConfigError, match=f"{next(iter(change))} is .*RoBERTa has no sentence task"):
        roberta_recipe("tiny", **change)


def test_texts_end_with_their_document_unless_they_run_on(story_corpus):
    config = BatchConfig(batch_size=64, max_length=48, pairs="none", short_share=0)
    stop, run_on = (
        PreTrainingBatches(corpus, config).batch(0).attention_mask.sum(1)
        for corpus in (story_corpus, across_documents(story_corpus))
    )
    assert (stop < 48).any()
    assert (run_on == 48).float().mean() > 0.98  # all but the very end of the corpus
    assert np.array_equal(across_documents(story_corpus).tokens, story_corpus.tokens)


def test_it_learns(toy_config, story_corpus, fit):
    recipe = roberta_recipe("tiny", max_length=24, batch_size=16)
    batches = PreTrainingBatches(across_documents(story_corpus), recipe.batch_config())
    torch.manual_seed(0)
    losses = fit(BertForPreTraining(toy_config), batches)
    assert sum(losses[-5:]) / 5 < losses[0] - 0.7
