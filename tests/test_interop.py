import pytest
import torch

from bertlib.config import BertConfig
from bertlib.interop import from_transformers, to_transformers, weight_names
from bertlib.model import BertForPreTraining
from bertlib.objectives import MaskedLMLoss, NSPLoss

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module", params=["tiny", "mini"])
def both(request):
    torch.manual_seed(0)
    config = BertConfig.from_preset(request.param, vocab_size=500)
    theirs = transformers.BertForPreTraining(transformers.BertConfig(**config.to_dict())).eval()
    for parameter in theirs.parameters():  # biases and norms too, so that none can hide behind 0 and 1
        torch.nn.init.normal_(parameter, std=0.05)
    return from_transformers(theirs), theirs


@pytest.fixture(scope="module")
def inputs():
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 500, (3, 20), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 12:] = 0
    segments = (torch.arange(20) > 9).long().expand(3, -1)
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}


def close(a, b):
    return (a - b).abs().max().item() < 1e-5


def test_outputs_hidden_states_and_attentions_are_theirs(both, inputs):
    ours, theirs = both
    theirs.set_attn_implementation("eager")
    mine = ours.bert(**inputs, output_hidden_states=True, output_attentions=True)
    other = theirs.bert(**inputs, output_hidden_states=True, output_attentions=True)
    assert close(mine.last_hidden_state, other.last_hidden_state)
    assert close(mine.pooler_output, other.pooler_output)
    assert len(mine.hidden_states) == len(other.hidden_states) == ours.config.num_hidden_layers + 1
    assert all(map(close, mine.hidden_states, other.hidden_states))
    assert all(map(close, mine.attentions, other.attentions))


def test_loss_and_gradients_are_theirs(both, inputs):
    ours, theirs = both
    generator = torch.Generator().manual_seed(2)
    selected = (torch.rand(3, 20, generator=generator) < 0.3) & (inputs["attention_mask"] == 1)
    labels = torch.randint(5, 500, (3, 20), generator=generator)
    follows = torch.tensor([0, 1, 1])
    output = ours(**inputs, selected=selected)
    loss = MaskedLMLoss()(output.prediction_logits, labels[selected])
    loss = loss + NSPLoss()(output.seq_relationship_logits, follows)
    reference = theirs(**inputs, labels=labels.masked_fill(~selected, -100), next_sentence_label=follows).loss
    assert loss.item() == pytest.approx(reference.item(), abs=1e-5)
    ours.zero_grad()
    theirs.zero_grad()
    loss.backward()
    reference.backward()
    gradients = dict(theirs.named_parameters())
    for name, other in weight_names(ours.config.num_hidden_layers).items():
        assert close(ours.get_parameter(name).grad, gradients[other].grad), name


def test_there_and_back_changes_nothing(both):
    ours, _ = both
    again = from_transformers(to_transformers(ours))
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), again.parameters(), strict=True))


def test_another_activation_is_refused():
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        hidden_act="relu",
    )  # fmt: skip
    with pytest.raises(ValueError, match="relu"):
        from_transformers(transformers.BertForPreTraining(config))


def test_the_table_names_every_weight_once():
    config = BertConfig.from_preset("tiny", vocab_size=50)
    names = weight_names(config.num_hidden_layers)
    assert set(names) == set(BertForPreTraining(config).state_dict())
    assert len(set(names.values())) == len(names)
