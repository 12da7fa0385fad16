import pytest

from bertlib.config import PRESETS, BertConfig
from bertlib.errors import ConfigError
from bertlib.model import BertModel

# 30,522-word vocabulary, no heads: the sizes of the released models
PARAMETERS = {"tiny": 4_385_920, "mini": 11_170_560, "small": 28_763_648, "medium": 41_373_184}


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_presets_have_the_published_number_of_parameters(name, count):
    assert sum(p.numel() for p in BertModel(BertConfig.from_preset(name)).parameters()) == count


def test_an_unknown_preset_lists_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        BertConfig.from_preset("huge")
    assert all(name in str(caught.value) for name in ["huge", *PRESETS])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 100, "num_attention_heads": 3}, "evenly among 3 heads"),
        ({"vocab_size": 0}, "vocab_size is 0"),
        ({"hidden_dropout_prob": 1.0}, "probability"),
        ({"pad_token_id": 40_000}, "outside the vocabulary"),
        ({"pad_token_id": None}, "pad_token_id None"),
        ({"hidden_dropout_prob": "0.1"}, "hidden_dropout_prob is '0.1'"),
        ({"num_hidden_layers": True}, "num_hidden_layers is True"),
        ({"layer_norm_eps": None}, "layer_norm_eps is None"),
        ({"layer_norm_eps": 0}, "expected a number above 0"),
    ],
)
def test_configs_that_describe_no_bert(changes, message):
    with pytest.raises(ConfigError, match=message):
        BertConfig(**changes)


def test_an_unknown_field_is_named():
    with pytest.raises(ConfigError, match="'hidden'"):
        BertConfig.from_preset("tiny", hidden=3)


def test_a_config_survives_a_dict_and_is_frozen():
    config = BertConfig.from_preset("mini", vocab_size=99)
    assert BertConfig.from_dict(config.to_dict()) == config
    assert config.replace(vocab_size=100).vocab_size == 100
    with pytest.raises(AttributeError):
        config.vocab_size = 1
