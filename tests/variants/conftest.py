import pytest
import torch

from bertlib.config import BertConfig
from bertlib.data.arrays import TokenCorpus
from bertlib.data.batches import BatchConfig, PreTrainingBatches
from bertlib.data.story import story_text
from bertlib.data.whole_words import continues_word
from bertlib.tokenizer import WordPieceTokenizer


@pytest.fixture(scope="session")
def story_tokenizer():
    return WordPieceTokenizer.train([story_text(megabytes=0.05, seed=0)], 800, progress=False)


@pytest.fixture(scope="session")
def story_corpus(story_tokenizer):
    """Stories as token arrays: a few hundred documents, 800 word pieces."""
    documents = [
        [story_tokenizer.words_to_ids(line) for line in document.splitlines()]
        for document in story_text(megabytes=0.05, seed=0).split("\n\n")
    ]
    return TokenCorpus.from_documents(documents, vocab_size=len(story_tokenizer))


@pytest.fixture(scope="session")
def story_batches(story_corpus, story_tokenizer):
    """Make batches of stories; the arguments are those of BatchConfig."""

    def make(**changes):
        config = BatchConfig(**({"batch_size": 16, "max_length": 24, "pairs": "none"} | changes))
        return PreTrainingBatches(story_corpus, config, continues=continues_word(story_tokenizer.vocab))

    return make


@pytest.fixture
def toy_config(story_tokenizer):
    """The smallest config that learns something: H = 32, two heads, two blocks, no dropout."""
    torch.manual_seed(0)
    return BertConfig(
        vocab_size=len(story_tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=48,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.08,
    )


@pytest.fixture(scope="session")
def fit():
    """Train with the package's own trainer; return the losses of all steps."""
    from bertlib.train import BertTrainer, TrainingConfig

    def run(model, batches, *, steps=40, learning_rate=8e-3):
        config = TrainingConfig(steps=steps, learning_rate=learning_rate, warmup_steps=4)
        trainer = BertTrainer(model, batches, config, progress=False)
        model.train()
        return [trainer.train_batch(batches.batch(step)).total.item() for step in range(steps)]

    return run
