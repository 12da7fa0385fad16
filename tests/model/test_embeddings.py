import pytest
import torch
from torch import nn

from bertlib.config import BertConfig
from bertlib.errors import InputError
from bertlib.model import BertEmbedding

CONFIG = BertConfig(
    vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
    max_position_embeddings=6,
)  # fmt: skip


@pytest.fixture
def embedding():
    torch.manual_seed(0)
    return BertEmbedding(CONFIG).eval()


def test_it_is_the_normalised_sum_of_three_rows(embedding):
    ids, segments = torch.tensor([[2, 7, 3]]), torch.tensor([[0, 0, 1]])
    result = embedding(ids, segments)
    for position in range(3):
        row = (
            embedding.word_embeddings.weight[ids[0, position]]
            + embedding.token_type_embeddings.weight[segments[0, position]]
            + embedding.position_embeddings.weight[position]
        )
        expected = (row - row.mean()) / (row.var(correction=0) + 1e-12).sqrt()
        assert torch.allclose(result[0, position], expected, atol=1e-5)


def test_segments_default_to_sentence_a(embedding):
    ids = torch.tensor([[2, 7, 3]])
    assert torch.equal(embedding(ids), embedding(ids, torch.zeros_like(ids)))


def test_a_text_longer_than_the_position_table(embedding):
    with pytest.raises(InputError, match="has 7 tokens but the position table ends at 6"):
        embedding(torch.zeros(1, 7, dtype=torch.long))


@pytest.mark.parametrize(
    ("ids", "segments", "message"),
    [((4,), None, "batch axis"), ((1, 4), (1, 3), "token_type_ids have shape")],
)
def test_wrong_shapes(embedding, ids, segments, message):
    segments = None if segments is None else torch.zeros(segments, dtype=torch.long)
    with pytest.raises(InputError, match=message):
        embedding(torch.zeros(ids, dtype=torch.long), segments)


def test_dropout_zeroes_its_share_and_keeps_the_mean():
    from bertlib.model.dropout import Dropout

    torch.manual_seed(0)
    x = torch.ones(1000, 999, requires_grad=True)  # not a multiple of four
    y = Dropout(0.1).train()(x)
    assert (y == 0).float().mean().item() == pytest.approx(0.1, abs=0.002)
    assert y.mean().item() == pytest.approx(1.0, abs=0.003)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())  # the same mask on the way back
    assert Dropout(0.1).eval()(x) is x
    assert isinstance(Dropout(0.1), nn.Module)
