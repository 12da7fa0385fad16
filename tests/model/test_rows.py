"""Work that nobody looks at is left out: the last block at some positions only, with the same result."""

import pytest
import torch
from torch import nn

from bertlib.config import BertConfig
from bertlib.model import BertForPreTraining, BertModel, MultiHeadSelfAttention
from bertlib.model.attention import take_rows
from bertlib.model.bert import rows_of
from bertlib.objectives import MaskedLMLoss, NSPLoss

CONFIG = BertConfig.from_preset("tiny", vocab_size=300, max_position_embeddings=32)


@pytest.fixture
def ids():
    return torch.randint(5, 300, (3, 10), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def selected():
    chosen = torch.zeros(3, 10, dtype=torch.bool)
    chosen[0, [2, 5, 9]] = chosen[1, 4] = True  # the third text has none
    return chosen


def model(**parts):
    torch.manual_seed(0)
    bert = BertModel(CONFIG, **parts)
    return BertForPreTraining(CONFIG, bert=bert).eval()


def gradients(net, ids, mask, selected, *, everywhere):
    net.zero_grad()
    output = net(ids, mask, selected=None if everywhere else selected)
    logits = output.prediction_logits[selected] if everywhere else output.prediction_logits
    loss = MaskedLMLoss()(logits, ids[selected])
    loss = loss + NSPLoss()(output.seq_relationship_logits, torch.tensor([0, 1, 1]))
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in net.named_parameters()}


def test_rows_are_picked_text_by_text():
    x = torch.arange(24.0).view(2, 4, 3)
    assert take_rows(x, torch.tensor([[3, 0], [1, 1]])).tolist() == [
        [[9, 10, 11], [0, 1, 2]],
        [[15, 16, 17], [15, 16, 17]],
    ]


def test_selected_positions_come_in_order_and_say_which_count(selected):
    rows, counted = rows_of(selected)
    assert rows.tolist() == [[2, 5, 9], [4, 0, 0], [0, 0, 0]]
    assert counted.tolist() == [[True] * 3, [True, False, False], [False] * 3]


def test_the_first_position_can_be_selected_too(ids):
    chosen = torch.zeros(3, 10, dtype=torch.bool)
    chosen[:, 0] = True
    net = model()
    logits = net(ids, selected=chosen).prediction_logits
    assert torch.allclose(logits, net(ids).prediction_logits[:, 0], atol=1e-6)


@pytest.mark.parametrize("mask", ["none", "padding", "causal"])
def test_loss_and_every_gradient_stay_the_same(ids, selected, mask):
    masks = {
        "none": None,
        "padding": (torch.arange(10) < torch.tensor([[10], [7], [10]])).long(),
        "causal": torch.ones(10, 10).tril().expand(3, -1, -1),
    }
    net = model()
    full_loss, full = gradients(net, ids, masks[mask], selected, everywhere=True)
    loss, some = gradients(net, ids, masks[mask], selected, everywhere=False)
    assert loss == pytest.approx(full_loss, abs=1e-6)
    for name, gradient in full.items():
        assert torch.allclose(gradient, some[name], atol=1e-6), name


def test_the_last_block_works_on_these_rows_alone(ids, selected):
    net, seen = model(), {}
    for number, block in enumerate(net.bert.encoder.blocks):
        block.feed_forward.register_forward_hook(lambda m, i, o, n=number: seen.update({n: o.shape[1]}))
    net(ids, selected=selected)
    assert seen == {0: 10, 1: 4}  # [CLS] and at most three words


def test_who_asks_for_attention_gets_all_of_it(ids, selected):
    output = model()(ids, selected=selected, output_attentions=True)
    assert [weights.shape for weights in output.body.attentions] == [(3, 2, 10, 10)] * 2
    plain = model()(ids, selected=selected)
    assert torch.allclose(output.prediction_logits, plain.prediction_logits, atol=1e-6)


def test_parts_of_your_own_need_not_know_rows(ids, selected):
    class MyAttention(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.inside = MultiHeadSelfAttention(config)

        def forward(self, hidden, bias=None, *, need_weights=False):
            return self.inside(hidden, bias, need_weights=need_weights)

    own, ours = model(attention=MyAttention), model()
    own.load_state_dict(
        {
            name: ours.state_dict()[name.replace("attention.inside.", "attention.")]
            for name in own.state_dict()
        }
    )
    logits = own(ids, selected=selected).prediction_logits
    assert torch.allclose(logits, ours(ids, selected=selected).prediction_logits, atol=1e-6)


def test_dropout_still_learns(ids, selected):
    """In training the rows are dropped out like any others: outputs differ from draw to draw."""
    net = model().train()
    a, b = (net(ids, selected=selected).prediction_logits for _ in range(2))
    assert a.shape == (4, 300)
    assert not torch.equal(a, b)
