"""Wrong answers of *Next sentence prediction* as readers write them, from their own code."""

import itertools
import random

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bertlib.lab import examine
from bertlib.lab.exercises.modules import STILL
from bertlib.lab.exercises.pairs_model import PRE_TRAINING_BERT, Reference, fill_by_shape
from bertlib.model import BertForPreTraining, BertModel
from bertlib.model.bert import MaskedLMHead


def until_it_differs(documents, own, rng):
    number = own
    while number == own:
        number = rng.randrange(len(documents))
    return rng.choice(documents[number])


def ten_tries(documents, own, rng):
    for _ in range(10):
        number = rng.randrange(len(documents))
        if number != own:
            break
    return rng.choice(documents[number])


def whole_document(documents, own, rng):
    return rng.choice([document for number, document in enumerate(documents) if number != own])


def seeded_inside(documents, own, rng):
    rng = random.Random(0)
    return rng.choice([s for number, document in enumerate(documents) for s in document if number != own])


def labels_as_words(documents, rng):
    return [(a, b, "IsNext") for document in documents for a, b in itertools.pairwise(document)]


def one_is_next(documents, rng):
    pairs = []
    for own, document in enumerate(documents):
        others = [s for number, other in enumerate(documents) if number != own for s in other]
        for first, second in itertools.pairwise(document):
            follows = rng.random() < 0.5
            pairs.append((first, second if follows else rng.choice(others), int(follows)))
    return pairs


def any_sentence(documents, rng):
    everything = [s for document in documents for s in document]
    pairs = []
    for document in documents:
        for first, second in itertools.pairwise(document):
            if rng.random() < 0.5:
                pairs.append((first, second, 0))
            else:
                pairs.append((first, rng.choice(everything), 1))
    return pairs


def both_of_every_pair(documents, rng):
    pairs = []
    for own, document in enumerate(documents):
        others = [s for number, other in enumerate(documents) if number != own for s in other]
        for first, second in itertools.pairwise(document):
            pairs += [(first, second, 0), (first, rng.choice(others), 1)]
    return pairs


def every_sentence_once(documents, rng):
    pairs = []
    for own, document in enumerate(documents):
        others = [s for number, other in enumerate(documents) if number != own for s in other]
        for i in range(0, len(document) - 1, 2):
            follows = rng.random() < 0.5
            pairs.append((document[i], document[i + 1] if follows else rng.choice(others), int(not follows)))
    return pairs


def shuffles_the_callers_documents(documents, rng):
    rng.shuffle(documents[0])
    return one_is_next(documents, rng)


def order_with_one_for_right(document, coins):
    pairs = zip(document, document[1:], coins, strict=False)
    return [(b, a, 0) if coin else (a, b, 1) for a, b, coin in pairs]


def swaps_in_place(document, coins):
    sentences, pairs = list(document), []
    for i, coin in enumerate(coins):
        if coin:
            sentences[i], sentences[i + 1] = sentences[i + 1], sentences[i]
        pairs.append((sentences[i], sentences[i + 1], int(coin)))
    return pairs


def halves(document, coins):
    middle = len(document) // 2
    return [(document[i], document[middle + i], int(coin)) for i, coin in enumerate(coins[:middle])]


def divides_first(first, second, common):
    one, other = set(first) - set(common), set(second) - set(common)
    return len(one & other) / len(one | other)


def common_above_only(first, second, common):
    return len((set(first) & set(second)) - set(common)) / len(set(first) | set(second))


def sum_of_both(first, second, common):
    one, other = set(first) - set(common), set(second) - set(common)
    return len(one & other) / max(len(one) + len(other), 1)


def smaller_set(first, second, common):
    one, other = set(first) - set(common), set(second) - set(common)
    return len(one & other) / max(min(len(one), len(other)), 1)


def plain_exponentials(logits, labels):
    kept = labels != -100
    p = logits[kept].exp() / logits[kept].exp().sum(1, keepdim=True)
    return -p[torch.arange(len(p)), labels[kept]].log().sum() / max(len(p), 1)


def mean_of_nothing(logits, labels):
    return F.cross_entropy(logits, labels)


def minus_hundred_as_index(logits, labels):
    return -logits.log_softmax(1)[torch.arange(len(labels)), labels].mean()


def binary_on_logit_one(logits, labels):
    kept = labels != -100
    loss = F.binary_cross_entropy_with_logits(logits[kept, 0], labels[kept].float(), reduction="sum")
    return loss / max(int(kept.sum()), 1)


def weighted_half(word_logits, word_labels, pair_logits, pair_labels):
    return 0.5 * (F.cross_entropy(word_logits, word_labels) + F.cross_entropy(pair_logits, pair_labels))


def nan_without_words(word_logits, word_labels, pair_logits, pair_labels):
    return F.cross_entropy(word_logits, word_labels) + F.cross_entropy(pair_logits, pair_labels)


def glued(word_logits, word_labels, pair_logits, pair_labels):
    words = F.cross_entropy(word_logits, word_labels, reduction="sum")
    pairs = F.cross_entropy(pair_logits, pair_labels, reduction="sum")
    return (words + pairs) / (len(word_labels) + len(pair_labels))


class Right(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.bert = BertModel(config)
        self.words = MaskedLMHead(config)
        self.pair = nn.Linear(config.hidden_size, 2)

    def table(self):
        return self.bert.embedding.word_embeddings.weight

    def forward(self, input_ids, attention_mask, token_type_ids, *, selected):
        hidden, pooled = self.bert(input_ids, attention_mask, token_type_ids)[:2]
        return self.words(hidden[selected], self.table()), self.pair(pooled)


class HeadInTheLoss(Right):
    """The two-way layer lives in a loss that the model does not own (Part C, 11)."""

    def __init__(self, config):
        super().__init__(config)
        self.__dict__["judge"] = self._modules.pop("pair")

    def forward(self, input_ids, attention_mask, token_type_ids, *, selected):
        hidden, pooled = self.bert(input_ids, attention_mask, token_type_ids)[:2]
        return self.words(hidden[selected], self.table()), self.__dict__["judge"](pooled)


class BaseOnly(Right):
    def __init__(self, config):
        super().__init__(config)
        self.pair = nn.Linear(768, 2)


class OwnOutputTable(Right):
    def __init__(self, config):
        super().__init__(config)
        self.words = nn.Linear(config.hidden_size, config.vocab_size)

    def forward(self, input_ids, attention_mask, token_type_ids, *, selected):
        hidden, pooled = self.bert(input_ids, attention_mask, token_type_ids)[:2]
        return self.words(hidden[selected]), self.pair(pooled)


class EveryPosition(Right):
    def forward(self, input_ids, attention_mask, token_type_ids, *, selected):
        hidden, pooled = self.bert(input_ids, attention_mask, token_type_ids)[:2]
        return self.words(hidden, self.table()), self.pair(pooled)


class MasksAndSegmentsCrossed(Right):
    def forward(self, input_ids, attention_mask, token_type_ids, *, selected):
        return super().forward(input_ids, token_type_ids, attention_mask, selected=selected)


class Softmaxed(Right):
    def forward(self, input_ids, attention_mask, token_type_ids, *, selected):
        words, pair = super().forward(input_ids, attention_mask, token_type_ids, selected=selected)
        return words, pair.softmax(-1)


class OneLogit(Right):
    def __init__(self, config):
        super().__init__(config)
        self.pair = nn.Linear(config.hidden_size, 1)


class PairAtEveryPosition(Right):
    def forward(self, input_ids, attention_mask, token_type_ids, *, selected):
        hidden = self.bert(input_ids, attention_mask, token_type_ids)[0]
        return self.words(hidden[selected], self.table()), self.pair(hidden)


WRONG = {
    "other-document": [until_it_differs, ten_tries, whole_document, seeded_inside],
    "make-pairs": [
        labels_as_words,
        one_is_next,
        any_sentence,
        both_of_every_pair,
        every_sentence_once,
        shuffles_the_callers_documents,
    ],
    "swap-order": [order_with_one_for_right, swaps_in_place, halves],
    "word-overlap": [divides_first, common_above_only, sum_of_both, smaller_set],
    "nsp-loss": [plain_exponentials, mean_of_nothing, minus_hundred_as_index, binary_on_logit_one],
    "total-loss": [weighted_half, nan_without_words, glued],
    "pre-training-bert": [
        HeadInTheLoss,
        BaseOnly,
        OwnOutputTable,
        EveryPosition,
        MasksAndSegmentsCrossed,
        Softmaxed,
        OneLogit,
        PairAtEveryPosition,
    ],
}
CASES = [(name, wrong) for name, answers in WRONG.items() for wrong in answers]


def said(name, wrong):
    return " ".join(examine(name, wrong).text.split())


@pytest.mark.parametrize(("name", "wrong"), CASES, ids=[wrong.__name__ for _, wrong in CASES])
def test_it_is_rejected(name, wrong):
    report = examine(name, wrong)
    assert report.status in ("wrong", "error"), report.text
    assert "tried" in report.text


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("other-document", until_it_differs, "this loop never ends"),
        ("other-document", whole_document, "is no sentence of the documents"),
        ("make-pairs", every_sentence_once, "each sentence was used once only"),
        ("make-pairs", labels_as_words, "is no (first, second, label)"),
        ("make-pairs", one_is_next, "the labels are upside down"),
        ("make-pairs", any_sentence, "called NotNext although they fit"),
        ("make-pairs", shuffles_the_callers_documents, "changed `documents`"),
        ("swap-order", swaps_in_place, "exchanged in the document itself"),
        ("word-overlap", divides_first, "nothing to divide by"),
        ("word-overlap", common_above_only, "above the line only"),
        ("word-overlap", sum_of_both, "counted twice below the line"),
        ("nsp-loss", plain_exponentials, "too large for a float"),
        ("nsp-loss", mean_of_nothing, "No question, no loss"),
        ("total-loss", nan_without_words, "one NaN and the run is over"),
        ("total-loss", glued, "all questions went into one mean"),
        ("pre-training-bert", BaseOnly, "768 is hard-coded"),
        ("pre-training-bert", MasksAndSegmentsCrossed, "mask and segments changed places"),
        ("pre-training-bert", Softmaxed, "a softmax was taken"),
        ("pre-training-bert", EveryPosition, "logits were made at every position"),
    ],
)
def test_the_reason_is_given(name, wrong, words):
    assert words in said(name, wrong)


def test_a_right_module_under_other_names_passes():
    assert examine("pre-training-bert", Right).status == "right"


def test_the_reference_is_the_librarys_model():
    case = PRE_TRAINING_BERT.cases()[0]
    mine, ours = Reference(STILL).eval(), BertForPreTraining(STILL).eval()
    fill_by_shape(mine)
    fill_by_shape(ours)
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = [case.arguments[name] for name in names]
    words, pair = mine(*inputs, selected=case.arguments["selected"])
    theirs = ours(*inputs, selected=case.arguments["selected"])
    torch.testing.assert_close(words, theirs.prediction_logits)
    torch.testing.assert_close(pair, theirs.seq_relationship_logits)
