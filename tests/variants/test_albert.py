import pytest
import torch
from safetensors.torch import load, save

from bertlib.config import BertConfig
from bertlib.errors import ConfigError
from bertlib.flops import flops_by_part
from bertlib.model import BertForPreTraining, BertModel
from bertlib.train import BertTrainer, TrainingConfig
from bertlib.variants.albert import albert, count_albert, measured_flops

TINY = BertConfig.from_preset("tiny", vocab_size=300, max_position_embeddings=32)
ALBERT_BASE = BertConfig.from_preset("base", vocab_size=30_000)
SWITCHES = [(None, False), (None, True), (16, False), (16, True)]


def size(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("embedding_size", "share_layers"), SWITCHES)
def test_the_formula_counts_the_model(embedding_size, share_layers):
    switches = {"embedding_size": embedding_size, "share_layers": share_layers}
    model, counted = albert(TINY, **switches), count_albert(TINY, **switches)
    assert size(model) == sum(counted.values())
    assert size(model.bert) == sum(count_albert(TINY, **switches, heads=False).values())


def test_base_has_the_twelve_million_of_the_paper():
    """By hand: tables (30,000 + 512 + 2 + 2) 128, matrix 128 x 768, one block, pooler."""
    block = 4 * (768**2 + 768) + 2 * 768 * 3072 + 3072 + 768 + 4 * 768
    by_hand = 30_516 * 128 + 129 * 768 + block + 768**2 + 768
    assert by_hand == 11_683_584
    assert sum(count_albert(ALBERT_BASE, heads=False).values()) == by_hand
    with torch.device("meta"):
        assert size(albert(ALBERT_BASE).bert) == by_hand


@pytest.mark.parametrize(
    ("layers", "width", "millions"), [(24, 1024, 17.7), (24, 2048, 58.7), (12, 4096, 222.6)]
)
def test_the_released_configurations(layers, width, millions):
    """Table 1 of the paper says 18, 60 and 235."""
    config = ALBERT_BASE.replace(
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
    )
    assert round(sum(count_albert(config, heads=False).values()) / 1e6, 1) == millions


def test_with_both_switches_off_it_is_bert():
    torch.manual_seed(0)
    ours = albert(TINY, embedding_size=None, share_layers=False)
    torch.manual_seed(0)
    assert [*ours.state_dict()] == [*BertForPreTraining(TINY).state_dict()]


def test_a_shared_block_is_a_bert_whose_blocks_are_equal():
    torch.manual_seed(0)
    shared, bert = albert(TINY, embedding_size=None).bert.eval(), BertModel(TINY).eval()
    for block in bert.encoder.blocks:
        block.load_state_dict(shared.encoder.block.state_dict())
    bert.embedding.load_state_dict(shared.embedding.state_dict())
    ids = torch.randint(5, 300, (2, 9))
    ours = shared(ids, output_hidden_states=True, output_attentions=True)
    assert len(ours.hidden_states) == 3
    assert len(ours.attentions) == 2
    assert torch.equal(ours.last_hidden_state, bert(ids).last_hidden_state)


def test_logits_at_selected_positions_are_those_of_all_positions():
    torch.manual_seed(0)
    model = albert(TINY, embedding_size=16).eval()
    ids, selected = torch.randint(5, 300, (3, 10)), torch.rand(3, 10) < 0.4
    every, some = model(ids), model(ids, selected=selected)
    assert torch.allclose(every.prediction_logits[selected], some.prediction_logits, atol=1e-6)


def test_the_shared_block_is_saved_once():
    model = albert(TINY, embedding_size=16)
    weights = load(save(model.state_dict()))
    assert sum(value.numel() for value in weights.values()) == size(model)
    model.load_state_dict(weights)


def test_it_computes_as_much_as_bert():
    """The blocks' FLOPs are BERT's to the last one; the matrix from E to H comes on top."""
    with torch.device("meta"):
        bert, small = BertModel(ALBERT_BASE), albert(ALBERT_BASE).bert
    computed = flops_by_part(ALBERT_BASE, length=128, selected=None, training=False)
    pooler = 2 * 768**2
    assert measured_flops(bert, length=128) == 128 * sum(computed.values()) + pooler
    assert measured_flops(small, length=128) == measured_flops(bert, length=128) + 128 * 2 * 128 * 768


@pytest.mark.parametrize(("embedding_size", "share_layers"), SWITCHES[1:])
def test_it_learns_and_everything_does(embedding_size, share_layers, toy_config, story_batches, fit):
    model = albert(toy_config, embedding_size=embedding_size and 8, share_layers=share_layers)
    losses = fit(model, story_batches(pairs="sop", max_length=48))
    assert sum(losses[-5:]) / 5 < losses[0] - 0.7
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_run_goes_on_from_its_checkpoint(toy_config, story_batches, tmp_path):
    config, batches = TrainingConfig(steps=4, warmup_steps=1), story_batches()
    trainers = [
        BertTrainer(albert(toy_config, embedding_size=8), batches, config, out=tmp_path, progress=False)
        for _ in range(2)
    ]
    trainers[0].train_steps(2)
    trainers[0].save()
    trainers[1].resume()
    weights = [trainer.plain_model.state_dict() for trainer in trainers]
    assert trainers[1].step == 2
    assert [name for name in weights[0] if not torch.equal(weights[0][name], weights[1][name])] == []


@pytest.mark.parametrize("embedding_size", [0, 129])
def test_a_table_wider_than_the_model_is_refused(embedding_size):
    with pytest.raises(ConfigError, match=f"embedding_size is {embedding_size}; expected 1 to 128"):
        albert(TINY, embedding_size=embedding_size)


def their_names(weights):
    """Our names for a folder of the transformers library."""
    inside = "albert.encoder.albert_layer_groups.0.albert_layers.0."
    pairs = [
        ("bert.embedding.tables.norm", "albert.embeddings.LayerNorm"),
        ("bert.embedding.tables", "albert.embeddings"),
        ("bert.embedding.projection", "albert.encoder.embedding_hidden_mapping_in"),
        ("bert.encoder.block.attention_norm", inside + "attention.LayerNorm"),
        ("bert.encoder.block.attention.output", inside + "attention.dense"),
        ("bert.encoder.block.attention", inside + "attention"),
        ("bert.encoder.block.feed_forward_norm", inside + "full_layer_layer_norm"),
        ("bert.encoder.block.feed_forward.inner", inside + "ffn"),
        ("bert.encoder.block.feed_forward.output", inside + "ffn_output"),
        ("bert.pooler.dense", "albert.pooler"),
        ("mlm_head.transform", "predictions.dense"),
        ("mlm_head.norm", "predictions.LayerNorm"),
        ("mlm_head.bias", "predictions.bias"),
        ("nsp_head", "sop_classifier.classifier"),
    ]
    named = {}
    for name, value in weights.items():
        ours, theirs = next(pair for pair in pairs if name.startswith(pair[0]))
        named[theirs + name.removeprefix(ours)] = value
    table, bias = named["albert.embeddings.word_embeddings.weight"], named["predictions.bias"]
    return named | {"predictions.decoder.weight": table, "predictions.decoder.bias": bias}


def test_it_is_the_albert_of_the_transformers_library():
    """But for the GELU, which both are given exactly."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    ours = albert(TINY, embedding_size=16).eval()
    for parameter in ours.parameters():  # norms and biases too, so that none can be mixed up
        parameter.data += 0.1 * torch.randn_like(parameter)
    sizes = {name: getattr(TINY, name) for name in ("vocab_size", "hidden_size", "num_hidden_layers")}
    sizes |= {"num_attention_heads": 2, "intermediate_size": 512, "max_position_embeddings": 32}
    config = transformers.AlbertConfig(**sizes, embedding_size=16, hidden_act="gelu", type_vocab_size=2)
    theirs = transformers.AlbertForPreTraining(config).eval()
    theirs.load_state_dict(their_names(ours.state_dict()))
    ids, mask = torch.randint(5, 300, (2, 12)), torch.tensor([[1] * 12, [1] * 7 + [0] * 5])
    segments = torch.randint(0, 2, (2, 12))
    mine, right = ours(ids, mask, segments), theirs(ids, mask, segments)
    text = mask.bool()
    assert torch.allclose(mine.prediction_logits[text], right.prediction_logits[text], atol=1e-4)
    assert torch.allclose(mine.seq_relationship_logits, right.sop_logits, atol=1e-5)
