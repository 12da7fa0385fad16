"""Wrong answers about masked words as readers write them, not taken from the check's imitations."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bertlib.lab import examine


def a_coin_for_every_word(candidates, share, generator):
    return candidates & (torch.rand(candidates.shape, generator=generator) < share)


def filling_is_welcome(candidates, share, generator):
    wanted = round(share * candidates.shape[1])
    chosen = torch.zeros_like(candidates)
    for row in chosen:
        row[torch.randperm(len(row), generator=generator)[:wanted]] = True
    return chosen


def one_number_for_all_rows(candidates, share, generator):
    wanted = max(1, int(candidates[0].sum() * share))
    lots = torch.rand(candidates.shape, generator=generator).masked_fill(~candidates, 2.0)
    return (lots.argsort(1).argsort(1) < wanted) & candidates


def global_dice(candidates, share, generator):
    wanted = (candidates.sum(1, keepdim=True) * share).round().clamp(min=1)
    lots = torch.rand(candidates.shape).masked_fill(~candidates, 2.0)
    return (lots.argsort(1).argsort(1) < wanted) & candidates


def argsort_only_once(candidates, share, generator):
    wanted = (candidates.sum(1, keepdim=True) * share).round().clamp(min=1)
    lots = torch.rand(candidates.shape, generator=generator).masked_fill(~candidates, 2.0)
    return (lots.argsort(1) < wanted) & candidates


def places_instead_of_booleans(candidates, share, generator):
    return torch.tensor([[int(row.nonzero()[0])] for row in candidates])


def everything_becomes_mask(ids, selected, fate, words, mask_id):
    return ids.masked_fill(selected, mask_id)


def in_place(ids, selected, fate, words, mask_id):
    ids[selected & (fate < 0.8)] = mask_id
    swapped = selected & (fate >= 0.8) & (fate < 0.9)
    ids[swapped] = words[swapped]
    return ids


def ten_percent_from_the_bottom(ids, selected, fate, words, mask_id):
    inputs = torch.where(selected & (fate < 0.1), words, ids)
    return torch.where(selected & (fate >= 0.1) & (fate < 0.9), mask_id, inputs)


def swapped_without_selected(ids, selected, fate, words, mask_id):
    inputs = torch.where((fate >= 0.8) & (fate < 0.9), words, ids)
    return inputs.masked_fill(selected & (fate < 0.8), mask_id)


def fixed_mask_id(ids, selected, fate, words, mask_id):
    swapped = selected & (fate >= 0.8) & (fate < 0.9)
    return torch.where(swapped, words, ids).masked_fill(selected & (fate < 0.8), 4)


def zeros_elsewhere(original, inputs, selected):
    return original * selected


def minus_one_elsewhere(original, inputs, selected):
    return torch.where(selected, original, -1)


def where_something_changed(original, inputs, selected):
    return original.masked_fill(inputs == original, -100)


def only_the_answers(original, inputs, selected):
    return original[selected]


def two_logarithms(vector, table, bias, answer):
    return -F.log_softmax((table @ vector + bias).softmax(0), 0)[answer]


def bias_after_softmax(vector, table, bias, answer):
    return -((table @ vector).softmax(0) + bias)[answer].log()


def the_surest_word(vector, table, bias, answer):
    return -(table @ vector + bias).softmax(0).max().log()


def base_ten(vector, table, bias, answer):
    return -(table @ vector + bias).softmax(0)[answer].log10()


def over_all_positions(logits, labels):
    asked = labels != -100
    picked = logits.log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    return -(picked * asked).sum() / labels.numel()


def row_by_row(logits, labels):
    rows = [
        F.cross_entropy(row[y != -100], y[y != -100])
        for row, y in zip(logits, labels, strict=True)
        if (y != -100).any()
    ]
    return torch.stack(rows).mean() if rows else torch.tensor(0.0)


def plain_cross_entropy(logits, labels):
    return F.cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))


def naive_exponentials(logits, labels):
    asked = labels != -100
    p = logits[asked].exp() / logits[asked].exp().sum(1, keepdim=True)
    prices = -p.gather(1, labels[asked][:, None]).log()
    return prices.sum() / max(len(prices), 1)


def all_answers_at_each_question(logits, labels):
    asked = labels != -100
    scores, answers = logits[asked], labels[asked]
    return (scores.logsumexp(1) - scores[:, answers]).sum() / max(len(answers), 1)


def skips_word_zero(logits, labels):
    asked = labels > 0
    prices = F.cross_entropy(logits[asked], labels[asked], reduction="sum")
    return prices / max(int(asked.sum()), 1)


class Untied(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)

    def forward(self, hidden, word_embeddings):
        return self.decoder(self.norm(F.gelu(self.transform(hidden))))


class NoBias(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden, word_embeddings):
        return self.norm(F.gelu(self.transform(hidden))) @ word_embeddings.T


class Width768(NoBias):
    def __init__(self, config):
        super().__init__(config)
        self.transform = nn.Linear(768, 768)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))


class RandomBias(NoBias):
    def __init__(self, config):
        super().__init__(config)
        self.bias = nn.Parameter(torch.randn(config.vocab_size))

    def forward(self, hidden, word_embeddings):
        return super().forward(hidden, word_embeddings) + self.bias


class OtherNames(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden, word_embeddings):
        return F.linear(self.layer_norm(F.gelu(self.dense(hidden))), word_embeddings, self.bias)


class ApproximateGelu(NoBias):
    def __init__(self, config):
        super().__init__(config)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden, word_embeddings):
        hidden = self.norm(F.gelu(self.transform(hidden), approximate="tanh"))
        return F.linear(hidden, word_embeddings, self.bias)


class OwnsTheTable(NoBias):
    def __init__(self, config):
        super().__init__(config)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden, word_embeddings):
        self.table = nn.Parameter(word_embeddings.detach())
        return F.linear(self.norm(F.gelu(self.transform(hidden))), self.table, self.bias)


def words_between_blanks(pieces):
    groups, word = [], []
    for place, piece in enumerate(pieces):
        if not piece.startswith("##") and word:
            groups.append(word)
            word = []
        if not piece.startswith("["):
            word.append(place)
    return groups


def glued_to_the_last_group(pieces):
    groups = []
    for place, piece in enumerate(pieces):
        if piece in ("[CLS]", "[SEP]", "[PAD]"):
            continue
        if piece.startswith("##") and groups:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def tokens_as_they_come(pieces):
    return [[place] for place in range(len(pieces))]


def two_throws(input_ids, candidates, generator, vocab_size, mask_id):
    selected = candidates & (torch.rand(input_ids.shape, generator=generator) < 0.15)
    inputs = input_ids.masked_fill(
        selected & (torch.rand(input_ids.shape, generator=generator) < 0.8), mask_id
    )
    words = torch.randint(5, vocab_size, input_ids.shape, generator=generator)
    swapped = selected & (torch.rand(input_ids.shape, generator=generator) < 0.5)
    return torch.where(swapped, words, inputs), selected, input_ids


def no_dice_for_the_words(input_ids, candidates, generator, vocab_size, mask_id):
    selected = candidates & (torch.rand(input_ids.shape, generator=generator) < 0.15)
    fate = torch.rand(input_ids.shape, generator=generator)
    inputs = input_ids.masked_fill(selected & (fate < 0.8), mask_id)
    word = int(torch.randint(5, vocab_size, (), generator=generator))
    return inputs.masked_fill(selected & (fate >= 0.8) & (fate < 0.9), word), selected, input_ids


def any_id_at_all(input_ids, candidates, generator, vocab_size, mask_id):
    selected = candidates & (torch.rand(input_ids.shape, generator=generator) < 0.15)
    fate = torch.rand(input_ids.shape, generator=generator)
    words = torch.randint(0, vocab_size + 1, input_ids.shape, generator=generator)
    inputs = torch.where(selected & (fate >= 0.8) & (fate < 0.9), words, input_ids)
    return inputs.masked_fill(selected & (fate < 0.8), mask_id), selected, input_ids


def marks_too(input_ids, candidates, generator, vocab_size, mask_id):
    selected = torch.rand(input_ids.shape, generator=generator) < 0.15
    fate = torch.rand(input_ids.shape, generator=generator)
    words = torch.randint(5, vocab_size, input_ids.shape, generator=generator)
    inputs = torch.where(selected & (fate >= 0.8) & (fate < 0.9), words, input_ids)
    return inputs.masked_fill(selected & (fate < 0.8), mask_id), selected, input_ids


def labels_instead_of_the_original(input_ids, candidates, generator, vocab_size, mask_id):
    selected = candidates & (torch.rand(input_ids.shape, generator=generator) < 0.15)
    fate = torch.rand(input_ids.shape, generator=generator)
    words = torch.randint(5, vocab_size, input_ids.shape, generator=generator)
    inputs = torch.where(selected & (fate < 0.9), words, input_ids)
    inputs = inputs.masked_fill(selected & (fate < 0.8), mask_id)
    return inputs, selected, input_ids.masked_fill(~selected, -100)


def two_values_only(input_ids, candidates, generator, vocab_size, mask_id):
    selected = candidates & (torch.rand(input_ids.shape, generator=generator) < 0.15)
    return input_ids.masked_fill(selected, mask_id), selected


WRONG = {
    "select-positions": [
        a_coin_for_every_word,
        filling_is_welcome,
        one_number_for_all_rows,
        global_dice,
        argsort_only_once,
        places_instead_of_booleans,
    ],
    "corrupt": [
        everything_becomes_mask,
        swapped_without_selected,
        in_place,
        ten_percent_from_the_bottom,
        fixed_mask_id,
    ],
    "labels": [zeros_elsewhere, minus_one_elsewhere, where_something_changed, only_the_answers],
    "surprise": [two_logarithms, bias_after_softmax, the_surest_word, base_ten],
    "masked-lm-loss": [
        over_all_positions,
        row_by_row,
        plain_cross_entropy,
        naive_exponentials,
        all_answers_at_each_question,
        skips_word_zero,
    ],
    "prediction-head": [Untied, NoBias, Width768, RandomBias, ApproximateGelu, OtherNames, OwnsTheTable],
    "word-groups": [words_between_blanks, glued_to_the_last_group, tokens_as_they_come],
    "mask-tokens": [
        two_throws,
        no_dice_for_the_words,
        any_id_at_all,
        marks_too,
        labels_instead_of_the_original,
        two_values_only,
    ],
}
CASES = [(name, wrong) for name, answers in WRONG.items() for wrong in answers]


@pytest.mark.parametrize(("name", "wrong"), CASES, ids=[wrong.__name__ for _, wrong in CASES])
def test_it_is_rejected(name, wrong):
    report = examine(name, wrong)
    assert report.status in ("wrong", "error"), report.text
    assert "tried" in report.text


def said(name: str, wrong) -> str:
    """Return the report in one line."""
    return " ".join(examine(name, wrong).text.split())


def test_the_changed_argument_is_noticed():
    assert "changed `ids`" in said("corrupt", in_place)


def test_the_classic_labels_are_named():
    assert "stands a 0" in said("labels", zeros_elsewhere)
    assert "stands a -1" in said("labels", minus_one_elsewhere)


def test_nothing_selected_is_explained():
    assert "became NaN" in said("masked-lm-loss", plain_cross_entropy)


def test_the_mean_of_means_is_named():
    assert "each row was averaged first" in said("masked-lm-loss", row_by_row)


def test_a_coin_for_every_word_is_named():
    assert "a coin was tossed" in said("select-positions", a_coin_for_every_word)


def test_a_head_with_other_names_hears_the_right_ones():
    assert "transform.weight" in said("prediction-head", OtherNames)


def test_selecting_with_a_coin_is_good_enough_for_the_whole_function():
    def with_a_coin(input_ids, candidates, generator, vocab_size, mask_id):
        selected = candidates & (torch.rand(input_ids.shape, generator=generator) < 0.15)
        fate = torch.rand(input_ids.shape, generator=generator)
        words = torch.randint(5, vocab_size, input_ids.shape, generator=generator)
        inputs = torch.where(selected & (fate >= 0.8) & (fate < 0.9), words, input_ids)
        return inputs.masked_fill(selected & (fate < 0.8), mask_id), selected, input_ids

    assert examine("mask-tokens", with_a_coin).status == "right"


def test_the_common_slips_are_named():
    assert "taken twice it gives the rank" in said("select-positions", argsort_only_once)
    assert "needs its `selected &`" in said("corrupt", swapped_without_selected)
    assert "gather picks one each" in said("masked-lm-loss", all_answers_at_each_question)
    assert "approximated with tanh" in said("prediction-head", ApproximateGelu)
    assert "without -100 in it" in said("mask-tokens", labels_instead_of_the_original)
