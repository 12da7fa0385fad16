"""The model of this book *is* BERT: same numbers as the transformers library, forwards and backwards."""

import pytest
import torch

from bertlib.config import BertConfig
from bertlib.interop import from_transformers, to_transformers, weight_names
from bertlib.objectives import MaskedLMLoss, NSPLoss
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.tokenizer.pieces import SPECIAL_TOKENS

LENGTHS = (24, 13, 5)  # of the texts in a batch
LARGE = [pytest.param(name, marks=pytest.mark.identity) for name in ("base", "large")]
PRESETS = ["tiny", "mini", "small", "medium", *LARGE]


@pytest.fixture(scope="module", params=PRESETS)
def both(request, transformers, shaken):
    """Theirs with random weights and ours made of it: (ours, theirs)."""
    torch.manual_seed(0)
    vocab_size = 30_522 if request.param in ("base", "large") else 300
    config = BertConfig.from_preset(request.param, vocab_size=vocab_size)
    theirs = shaken(transformers.BertForPreTraining(transformers.BertConfig(**config.to_dict())))
    return from_transformers(theirs), theirs


def batch(lengths=LENGTHS, vocab_size=300):
    """Texts of several lengths in two segments, with padding behind them."""
    generator = torch.Generator().manual_seed(1)
    places = torch.arange(max(lengths)).expand(len(lengths), -1)
    ends = torch.tensor(lengths)[:, None]
    ids = torch.randint(5, vocab_size, places.shape, generator=generator)
    mask = (places < ends).long()
    return {
        "input_ids": ids * mask,
        "attention_mask": mask,
        "token_type_ids": (places > ends // 2).long() * mask,
    }


def gap(a, b):
    assert a.shape == b.shape
    return (a - b).abs().max().item()


def losses(ours, theirs):
    """The loss of both tasks by each model; in each text another number of words is masked."""
    inputs = batch()
    generator = torch.Generator().manual_seed(2)
    selected = torch.rand(inputs["input_ids"].shape, generator=generator) < 0.3
    selected &= inputs["attention_mask"] == 1
    assert selected.sum(1).unique().numel() > 1
    labels = torch.randint(5, 300, selected.shape, generator=generator)
    follows = torch.tensor([0, 1, 1])
    output = ours(**inputs, selected=selected)
    mine = MaskedLMLoss()(output.prediction_logits, labels[selected])
    mine = mine + NSPLoss()(output.seq_relationship_logits, follows)
    ignored = labels.masked_fill(~selected, -100)
    return mine, theirs(**inputs, labels=ignored, next_sentence_label=follows).loss


def gradient_gaps(ours, theirs):
    """For each weight its name, the largest difference of the gradients, the largest gradient."""
    gradients = {name: weight.grad for name, weight in theirs.named_parameters()}
    for name, other in weight_names(ours.config.num_hidden_layers).items():
        yield name, gap(ours.get_parameter(name).grad, gradients[other]), gradients[other].abs().max().item()


@torch.no_grad()
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_outputs_and_hidden_states_are_theirs(both, attention):
    ours, theirs = both
    theirs.set_attn_implementation(attention)
    inputs = batch()
    mine = ours.bert(**inputs, output_hidden_states=True)
    other = theirs.bert(**inputs, output_hidden_states=True)
    assert gap(mine.last_hidden_state, other.last_hidden_state) < 1e-5
    assert gap(mine.pooler_output, other.pooler_output) < 1e-5
    assert len(mine.hidden_states) == len(other.hidden_states) == ours.config.num_hidden_layers + 1
    assert max(map(gap, mine.hidden_states, other.hidden_states)) < 1e-5
    mine, other = ours(**inputs), theirs(**inputs)
    assert gap(mine.prediction_logits, other.prediction_logits) < 1e-5
    assert gap(mine.seq_relationship_logits, other.seq_relationship_logits) < 1e-5


@torch.no_grad()
def test_attentions_are_theirs(both):
    ours, theirs = both
    theirs.set_attn_implementation("eager")
    mine = ours.bert(**batch(), output_attentions=True).attentions
    other = theirs.bert(**batch(), output_attentions=True).attentions
    assert len(mine) == len(other) == ours.config.num_hidden_layers
    assert max(map(gap, mine, other)) < 1e-5


@torch.no_grad()
def test_without_mask_and_segments_as_well(both):
    ours, theirs = both
    ids = batch((20, 20))["input_ids"]
    assert gap(ours(ids).prediction_logits, theirs(ids).prediction_logits) < 1e-5


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_loss_and_gradients_are_theirs(both, attention):
    ours, theirs = both
    theirs.set_attn_implementation(attention)
    mine, other = losses(ours, theirs)
    assert mine.item() == pytest.approx(other.item(), abs=1e-5)
    mine.backward()
    other.backward()
    for name, difference, size in gradient_gaps(ours, theirs):
        assert difference < 1e-5, name
        assert difference < 1e-3 * size + 1e-7, name  # what fp32 leaves of the small ones
    ours.zero_grad()
    theirs.zero_grad()


def test_in_double_precision_the_gradients_agree_to_six_digits(transformers, shaken):
    """Even the smallest of them; the loss itself is taken in fp32, or it would be more digits."""
    config = BertConfig.from_preset("mini", vocab_size=300)
    theirs = shaken(transformers.BertForPreTraining(transformers.BertConfig(**config.to_dict()))).double()
    ours = from_transformers(theirs).double()
    mine, other = losses(ours, theirs)
    (mine + other).backward()
    for name, difference, size in gradient_gaps(ours, theirs):
        if not name.endswith("attention.key.bias"):  # it shifts all scores alike: 0 in theory
            assert difference < 1e-6 * size, name


def test_there_and_back_changes_nothing(both):
    ours, _ = both
    again = from_transformers(to_transformers(ours)).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in ours.state_dict().items())


@torch.no_grad()
def test_what_we_save_is_what_they_open(both, transformers, tmp_path):
    ours, _ = both
    words = [*SPECIAL_TOKENS, *(f"w{number}" for number in range(ours.config.vocab_size - 5))]
    to_transformers(ours, tokenizer=WordPieceTokenizer(words), folder=tmp_path / "saved")
    opened, found = transformers.AutoModelForPreTraining.from_pretrained(
        tmp_path / "saved", output_loading_info=True
    )
    assert not any(found.values()), found
    mine, other = ours(**batch()), opened.eval()(**batch(), output_hidden_states=True)
    assert gap(mine.prediction_logits, other.prediction_logits) < 1e-5
    assert gap(mine.seq_relationship_logits, other.seq_relationship_logits) < 1e-5
    assert gap(mine.body.last_hidden_state, other.hidden_states[-1]) < 1e-5


@torch.no_grad()
def test_all_512_positions(transformers, shaken):
    config = BertConfig.from_preset("tiny", vocab_size=300)
    theirs = shaken(transformers.BertForPreTraining(transformers.BertConfig(**config.to_dict())))
    ours = from_transformers(theirs)
    inputs = batch((512, 300))
    assert gap(ours(**inputs).prediction_logits, theirs(**inputs).prediction_logits) < 1e-5


@torch.no_grad()
def test_the_comparison_can_fail(transformers, shaken):
    """A single bias moved by a thousandth is seen."""
    config = BertConfig.from_preset("tiny", vocab_size=300)
    theirs = shaken(transformers.BertForPreTraining(transformers.BertConfig(**config.to_dict())))
    ours = from_transformers(theirs)
    ours.bert.encoder.blocks[0].attention.output.bias[3] += 1e-3
    assert gap(ours(**batch()).prediction_logits, theirs(**batch()).prediction_logits) > 1e-5
