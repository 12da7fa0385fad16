import torch
from torch.nn import functional as F

from bertlib.lab import toy, toy_attention, toy_block


def test_the_functions_are_what_the_block_computes():
    with torch.no_grad():
        out, weights = toy_block.block()(toy_attention.embedded()[None], need_weights=True)
    assert torch.allclose(out[0], toy_block.encoded(), atol=1e-5)
    assert torch.allclose(weights[0], toy_attention.weights(), atol=1e-5)


def test_a_column_by_hand():
    it = toy_attention.embedded()[6] + toy_attention.attended()[6]
    it = (it - it.mean()) / it.var(correction=0).sqrt()
    answer = F.gelu(it[0] + it[1] - 1)  # "a thing that does?"
    assert torch.allclose(toy_block.answers()[6, 8], answer, atol=1e-5)
    assert torch.allclose(toy_block.thought()[6, 1], answer + toy_block.answers()[6, 11], atol=1e-5)


def test_there_are_4h_questions_and_each_is_one_row():
    assert len(toy_block.QUESTIONS) == toy.config().intermediate_size == 16
    assert toy_block.inner_weight().shape == (16, 4)
    assert toy_block.output_weight().shape == (4, 16)


def test_the_whole_model_is_made_of_the_toy_numbers():
    with torch.no_grad():
        out = toy_block.model()(toy.ids()[None], token_type_ids=toy.segments()[None])
    assert torch.allclose(out.body.last_hidden_state[0], toy_block.encoded(), atol=1e-5)
    assert torch.allclose(out.body.pooler_output[0], toy_block.encoded()[0].tanh(), atol=1e-5)
    assert out.seq_relationship_logits.tolist() == [[0, 0]]


def test_the_columns_keep_mean_zero_and_variance_one():
    columns = toy_block.encoded()
    assert torch.allclose(columns.mean(1), torch.zeros(10), atol=1e-5)
    assert torch.allclose(columns.var(1, correction=0), torch.ones(10), atol=1e-4)
