import math

import pytest
import torch
from torch import nn

from bertlib.config import BertConfig
from bertlib.errors import ConfigError
from bertlib.model import BertEmbedding, BertForPreTraining, BertModel, TransformerBlock
from bertlib.objectives import MaskedLMLoss

CONFIG = BertConfig.from_preset("tiny", vocab_size=300, max_position_embeddings=32)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return BertForPreTraining(CONFIG).eval()


def test_shapes(model):
    ids = torch.randint(5, 300, (3, 10))
    output = model.bert(ids, output_hidden_states=True, output_attentions=True)
    assert output.last_hidden_state.shape == (3, 10, 128)
    assert output.pooler_output.shape == (3, 128)
    assert [h.shape for h in output.hidden_states] == [(3, 10, 128)] * 3
    assert [a.shape for a in output.attentions] == [(3, 2, 10, 10)] * 2
    assert model(ids).prediction_logits.shape == (3, 10, 300)


def test_logits_at_selected_positions_are_those_of_all_positions(model):
    ids = torch.randint(5, 300, (3, 10))
    selected = torch.rand(3, 10) < 0.4
    every, some = model(ids), model(ids, selected=selected)
    assert torch.allclose(every.prediction_logits[selected], some.prediction_logits, atol=1e-6)


def test_the_first_loss_is_that_of_a_blind_guess(model):
    """Embeddings drawn from N(0, 1) instead of N(0, 0.02) would start near 50."""
    ids = torch.randint(5, 300, (16, 30))
    loss = MaskedLMLoss()(model(ids).prediction_logits, torch.randint(5, 300, (16, 30)))
    assert loss.item() == pytest.approx(math.log(300), abs=0.1)


def test_the_output_layer_is_the_input_table(model):
    assert not any(p.shape == (300, 128) for name, p in model.mlm_head.named_parameters())
    output = model(torch.randint(5, 300, (2, 8)))
    output.prediction_logits.sum().backward()
    assert model.bert.embedding.word_embeddings.weight.grad.abs().sum() > 0


def test_padding_does_not_change_the_text(model):
    ids = torch.randint(5, 300, (1, 6))
    padded = torch.cat([ids, torch.zeros(1, 4, dtype=torch.long)], dim=1)
    alone = model(ids).prediction_logits
    beside = model(padded, torch.tensor([[1] * 6 + [0] * 4])).prediction_logits[:, :6]
    assert torch.allclose(alone, beside, atol=1e-5)


def test_blocks_normalise_after_the_sum():
    block = TransformerBlock(CONFIG).eval()
    out, _ = block(100 * torch.randn(2, 4, 128))
    assert torch.allclose(out.mean(-1), torch.zeros(2, 4), atol=1e-4)
    assert torch.allclose(out.var(-1, correction=0), torch.ones(2, 4), atol=1e-3)


def test_parts_of_your_own_drop_in():
    class MyEmbedding(BertEmbedding):
        pass

    class MyBlock(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.linear = nn.Linear(config.hidden_size, config.hidden_size)

        def forward(self, hidden, bias=None, *, need_weights=False):
            return self.linear(hidden), None

    bert = BertModel(CONFIG, embedding=MyEmbedding, block=MyBlock)
    model = BertForPreTraining(CONFIG, bert=bert)
    assert isinstance(model.bert.embedding, MyEmbedding)
    assert isinstance(model.bert.encoder.blocks[1], MyBlock)
    assert model(torch.randint(5, 300, (2, 8))).prediction_logits.shape == (2, 8, 300)


def test_one_batch_can_be_learned_by_heart(model):
    ids, answers = torch.randint(5, 300, (4, 8)), torch.randint(5, 300, (4, 8))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(80):
        loss = MaskedLMLoss()(model(ids).prediction_logits, answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1


def test_an_embedding_without_the_shared_table_is_named():
    class Nameless(torch.nn.Module):
        def __init__(self, config):
            super().__init__()
            self.words = torch.nn.Embedding(config.vocab_size, config.hidden_size)

    bert = BertModel(BertConfig.from_preset("tiny", vocab_size=50), embedding=Nameless)
    with pytest.raises(ConfigError, match=r"Nameless has no nn.Embedding called word_embeddings"):
        _ = bert.word_embeddings


def test_a_mask_that_hides_nothing_costs_nothing(model, monkeypatch):
    ids = torch.randint(5, 50, (2, 6))
    expected = model.bert(ids).last_hidden_state
    seen = []
    encode = model.bert.encoder.forward
    monkeypatch.setattr(
        model.bert.encoder,
        "forward",
        lambda hidden, bias, **kw: seen.append(bias) or encode(hidden, bias, **kw),
    )
    assert torch.equal(model.bert(ids, torch.ones_like(ids)).last_hidden_state, expected)
    model.bert(ids, torch.tensor([[1] * 6, [1] * 5 + [0]]))
    assert seen[0] is None
    assert seen[1].shape == (2, 1, 1, 6)


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
def test_a_model_recorded_on_a_full_mask_keeps_its_mask(model):
    ids, part = torch.randint(5, 50, (1, 6)), torch.tensor([[1, 1, 1, 1, 0, 0]])
    body = model.bert.requires_grad_(False)
    recorded = torch.jit.trace(body, (ids, torch.ones_like(ids)), check_trace=False, strict=False)
    assert torch.allclose(recorded(ids, part)[0], body(ids, part).last_hidden_state, atol=1e-6)
    assert not torch.allclose(body(ids).last_hidden_state, body(ids, part).last_hidden_state, atol=1e-3)
