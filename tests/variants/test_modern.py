import pytest
import torch

from bertlib.config import BertConfig
from bertlib.errors import ConfigError
from bertlib.model import BertModel
from bertlib.variants.modern import GatedFeedForward, RotaryAttention, modern, rotate

SMALL = BertConfig(
    vocab_size=100,
    hidden_size=32,
    num_hidden_layers=4,
    num_attention_heads=2,
    intermediate_size=48,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    layer_norm_eps=1e-5,
)


def test_a_quarter_turn_by_hand():
    """Width 2 has one plane of speed 1: at position 1 (1, 0) becomes (cos 1, sin 1)."""
    turned = rotate(torch.tensor([[1.0, 0.0]] * 3))
    assert turned[0].tolist() == [1, 0]
    assert turned[1].tolist() == pytest.approx([0.5403, 0.8415], abs=1e-4)
    assert turned[2].tolist() == pytest.approx([-0.4161, 0.9093], abs=1e-4)


def test_scores_depend_on_the_distance_alone():
    torch.manual_seed(0)
    query, key = torch.randn(8).expand(10, 8), torch.randn(8).expand(10, 8)
    scores = rotate(query) @ rotate(key).T  # (10, 10): one word everywhere
    for distance in range(-9, 10):
        diagonal = scores.diagonal(distance)
        assert torch.allclose(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-5)
    assert not torch.allclose(scores[0, 1], scores[0, 2])
    shifted = rotate(query, first=500) @ rotate(key, first=500).T
    assert torch.allclose(scores, shifted, atol=1e-3)


def test_rotation_keeps_lengths():
    x = torch.randn(2, 3, 7, 8)
    assert torch.allclose(rotate(x).norm(dim=-1), x.norm(dim=-1), atol=1e-5)


def test_a_window_shows_neighbours_only():
    torch.manual_seed(0)
    _, weights = RotaryAttention(SMALL, window=2)(torch.randn(1, 5, 32), need_weights=True)
    seen = [(row > 0).int().tolist() for row in weights[0, 0]]
    assert seen == [[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 1, 1]]


def test_rotary_attention_alone_drops_into_bert():
    torch.manual_seed(0)
    bert = BertModel(SMALL.replace(max_position_embeddings=16), attention=RotaryAttention).eval()
    assert bert(torch.randint(5, 100, (2, 9))).last_hidden_state.shape == (2, 9, 32)


def test_every_third_block_is_global_and_the_last_one_ends_with_a_norm():
    blocks = modern(SMALL.replace(num_hidden_layers=5)).bert.encoder.blocks
    assert [block.attention.window for block in blocks] == [None, 128, 128, None, 128]
    assert [block.attention.theta for block in blocks] == [160_000, 10_000, 10_000, 160_000, 10_000]
    assert [hasattr(block.final_norm, "weight") for block in blocks] == [False] * 4 + [True]
    assert [hasattr(block.attention_norm, "weight") for block in blocks] == [False] + [True] * 4


def test_the_gate_by_hand():
    """GELU(1) x 3 = 0.8413 x 3 with the identity on the way out."""
    layer = GatedFeedForward(SMALL.replace(hidden_size=2, num_attention_heads=1, intermediate_size=2))
    layer.inner.weight.data = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    layer.output.weight.data = torch.eye(2)
    assert layer(torch.tensor([1.0, 3.0])).tolist() == pytest.approx([2.5240, 0.0], abs=1e-4)


def test_a_text_may_be_longer_than_any_table():
    bert = modern(SMALL.replace(max_position_embeddings=4), window=2).bert.eval()
    assert bert(torch.randint(5, 100, (1, 300))).last_hidden_state.shape == (1, 300, 32)


def test_it_learns_and_everything_but_the_sentence_head_does(toy_config, story_batches, fit):
    model = modern(toy_config, window=4)
    losses = fit(model, story_batches())
    assert sum(losses[-5:]) / 5 < losses[0] - 0.7
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert all("pooler" in name or "nsp_head" in name for name in idle)


@pytest.mark.parametrize("changes", [{"window": 3}, {"window": -2}, {"global_every": 0}])
def test_bad_switches_are_refused(changes):
    with pytest.raises(
        ConfigError, match="expected an even window, global_every of at least 1, and heads of"
    ):
        modern(SMALL, **changes)


def test_heads_of_an_odd_width_are_refused():
    odd = SMALL.replace(hidden_size=10, num_attention_heads=2)
    with pytest.raises(ConfigError, match="heads 5 wide"):
        modern(odd)
    with pytest.raises(ConfigError, match="a head is 5 wide"):
        rotate(torch.ones(2, 5))


def their_weights(ours):
    """Our weights under the names of the transformers library; its query, key and value are one matrix."""
    bert = ours.bert
    named = {
        "model.embeddings.tok_embeddings.weight": bert.word_embeddings,
        "model.embeddings.norm.weight": bert.embedding.norm.weight,
        "model.final_norm.weight": bert.encoder.blocks[-1].final_norm.weight,
        "head.dense.weight": ours.mlm_head.transform.weight,
        "head.norm.weight": ours.mlm_head.norm.weight,
        "decoder.weight": bert.word_embeddings,
        "decoder.bias": ours.mlm_head.bias,
    }
    for i, block in enumerate(bert.encoder.blocks):
        at = block.attention
        named |= {
            f"model.layers.{i}.attn.Wqkv.weight": torch.cat(
                [at.query.weight, at.key.weight, at.value.weight]
            ),
            f"model.layers.{i}.attn.Wo.weight": at.output.weight,
            f"model.layers.{i}.mlp_norm.weight": block.feed_forward_norm.weight,
            f"model.layers.{i}.mlp.Wi.weight": block.feed_forward.inner.weight,
            f"model.layers.{i}.mlp.Wo.weight": block.feed_forward.output.weight,
        }
        if i:
            named[f"model.layers.{i}.attn_norm.weight"] = block.attention_norm.weight
    return named


def test_it_is_the_modernbert_of_the_transformers_library():
    """But for two biases of the output layer, which BERT has and which are 0 here."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    ours = modern(SMALL, window=4).eval()
    with torch.no_grad():
        for p in (p for p in ours.parameters() if p.dim() == 2 or p.min() > 0):  # matrices and scales
            p += 0.1 * torch.randn_like(p)
    config = transformers.ModernBertConfig(
        vocab_size=100, hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=48,
        local_attention=4, max_position_embeddings=64, pad_token_id=0, bos_token_id=2, eos_token_id=3,
        cls_token_id=2, sep_token_id=3,
    )  # fmt: skip
    theirs = transformers.ModernBertForMaskedLM(config).eval()
    theirs.load_state_dict(their_weights(ours))
    ids, mask = torch.randint(5, 100, (2, 20)), torch.tensor([[1] * 20, [1] * 13 + [0] * 7])
    mine, right = ours(ids, mask).prediction_logits, theirs(ids, mask).logits
    assert torch.allclose(mine[mask.bool()], right[mask.bool()], atol=1e-4)
