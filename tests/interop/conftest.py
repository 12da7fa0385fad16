"""Two models of the same weights, ours and theirs, for every test of this room."""

import pytest
import torch

from bertlib.config import BertConfig
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.tokenizer.pieces import SPECIAL_TOKENS

WORDS = ["the", "dog", "sang", "play", "##ing", "é", "e", "É", "Dog", "##s", "d", "##og", "狗", ".", "s"]
VOCABULARY = [*SPECIAL_TOKENS, *WORDS]


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "identity: Base and Large against transformers; ask for it with -m identity"
    )


def pytest_collection_modifyitems(config, items):
    """Leave out what needs gigabytes, unless it is asked for."""
    if "identity" in config.option.markexpr:
        return
    dear = [item for item in items if item.get_closest_marker("identity")]
    config.hook.pytest_deselected(items=dear)
    items[:] = [item for item in items if item not in dear]


@pytest.fixture(scope="session")
def transformers():
    return pytest.importorskip("transformers")


@pytest.fixture(scope="session")
def shaken():
    """Move every number of a model, so that no bias hides behind 0 and no norm behind 1."""

    def shake(model, seed=0):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                spread = 0.1 if parameter.dim() == 1 else 0.02
                parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=spread)
        return model.eval()

    return shake


@pytest.fixture(scope="session")
def small_config():
    return BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=24,
    )  # fmt: skip


@pytest.fixture(scope="session")
def tokenizer():
    return WordPieceTokenizer(VOCABULARY)


@pytest.fixture(scope="session")
def theirs(transformers, shaken, small_config):
    """A very small model of theirs; to be read only."""
    return shaken(transformers.BertForPreTraining(transformers.BertConfig(**small_config.to_dict())))


@pytest.fixture
def folder(theirs, tokenizer, tmp_path):
    """The same in a folder as they write it, with the vocabulary."""
    theirs.save_pretrained(tmp_path / "theirs")
    tokenizer.save(tmp_path / "theirs")
    return tmp_path / "theirs"
