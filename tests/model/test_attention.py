import math

import pytest
import torch
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.errors import InputError
from bertlib.model import MultiHeadSelfAttention, attention_weights, padding_bias

CONFIG = BertConfig(
    vocab_size=50, hidden_size=12, num_hidden_layers=1, num_attention_heads=3, intermediate_size=48,
    attention_probs_dropout_prob=0.0,
)  # fmt: skip


@pytest.fixture
def attention():
    torch.manual_seed(0)
    return MultiHeadSelfAttention(CONFIG).double().eval()


def by_hand(attention, x):
    """One number at a time, for one text x (T, H)."""
    d = CONFIG.head_size
    query, key, value = attention.query(x), attention.key(x), attention.value(x)
    result = torch.zeros_like(x)
    for head in range(CONFIG.num_attention_heads):
        part = slice(head * d, (head + 1) * d)
        for i in range(len(x)):
            scores = [sum(query[i, part] * key[j, part]) / math.sqrt(d) for j in range(len(x))]
            weights = torch.stack(scores).softmax(0)
            result[i, part] = sum(w * value[j, part] for j, w in enumerate(weights))
    return attention.output(result)


def test_it_is_the_sum_written_out(attention):
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    assert torch.allclose(attention(x)[0][1], by_hand(attention, x[1]))


def test_the_weights_give_pytorchs_own_attention():
    query, key, value = torch.randn(3, 2, 3, 5, 4, dtype=torch.float64)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    bias = padding_bias(mask, query.dtype)
    mixed = attention_weights(query, key, bias) @ value
    reference = F.scaled_dot_product_attention(query, key, value, attn_mask=(mask == 1)[:, None, None])
    assert torch.allclose(mixed, reference)


def test_every_position_can_reach_every_other(attention):
    """The Jacobian finds a missing transpose, which raises no error and changes no shape."""
    x = torch.randn(1, 5, 12, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda y: attention(y)[0], x)[0, :, :, 0]  # (T, H, T, H)
    assert (jacobian.abs().amax(dim=(1, 3)) > 1e-9).all()


def test_what_stands_in_the_padding_changes_nothing(attention):
    x = torch.randn(1, 6, 12, dtype=torch.float64)
    other = x.clone()
    other[:, 4:] = 7.0
    bias = padding_bias(torch.tensor([[1, 1, 1, 1, 0, 0]]), x.dtype)
    assert torch.equal(attention(x, bias)[0][:, :4], attention(other, bias)[0][:, :4])


def test_a_text_of_padding_alone_gives_numbers():
    weights = attention_weights(
        torch.randn(1, 1, 3, 4), torch.randn(1, 1, 3, 4), padding_bias(torch.zeros(1, 3), torch.float32)
    )
    assert torch.allclose(weights.sum(-1), torch.ones(1, 1, 3))


def test_a_triangle_hides_the_future(attention):
    x = torch.randn(1, 5, 12, dtype=torch.float64)
    _, weights = attention(x, padding_bias(torch.ones(1, 5, 5).tril(), x.dtype), need_weights=True)
    assert weights.triu(1).abs().max() == 0


def test_a_mask_of_one_dimension_is_refused():
    with pytest.raises(InputError, match="batch, length"):
        padding_bias(torch.ones(5), torch.float32)


@pytest.mark.parametrize("hides", ["nothing", "the end", "all of one text", "the future"])
@pytest.mark.parametrize("rows", [None, torch.tensor([[0, 3], [2, 2]])])
def test_with_and_without_gradients_it_is_the_same_attention(attention, hides, rows):
    """Without them PyTorch's fused kernel does it."""
    mask = torch.ones(2, 5)
    if hides == "the end":
        mask[1, 3:] = 0
    elif hides == "all of one text":
        mask[1] = 0
    elif hides == "the future":
        mask = torch.ones(2, 5, 5).tril()
    bias, x = padding_bias(mask, torch.float64), torch.randn(2, 5, 12, dtype=torch.float64)
    plain = attention(x, bias, rows=rows)[0]
    with torch.no_grad():
        fused = attention(x, bias, rows=rows)[0]
        shown = attention(x, bias, rows=rows, need_weights=True)[0]
    assert torch.allclose(fused, plain)
    assert torch.allclose(shown, plain)


def test_the_fused_kernel_takes_the_bias_in_bf16_too(attention):
    bias, x = padding_bias(torch.tensor([[1, 1, 0]]), torch.float32), torch.randn(1, 3, 12)
    attention = attention.float()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        fused = attention(x, bias)[0]
        plain = attention(x, bias, need_weights=True)[0]
    assert torch.allclose(fused.float(), plain.float(), atol=0.02)
