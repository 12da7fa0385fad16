"""The exercise *pre-training-bert*: the body and both heads in one module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bertlib.config import BertConfig
from bertlib.lab.exercise import Case, Exercise, flawed
from bertlib.lab.exercises.modules import STILL, build, fill
from bertlib.lab.exercises.pairs_losses import total_loss
from bertlib.model import BertModel
from bertlib.model.bert import MaskedLMHead


class Reference(nn.Module):
    """Body, head for words, two logits for the pair; ``flaw`` makes the wrong versions."""

    flaw = ""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        heads = self.heads(config)
        self.bert = BertModel(config)
        # a plain list hides what is in it from the optimiser
        self.kept = list(heads) if "hidden" in self.flaw else nn.ModuleList(heads)

    def heads(self, config: BertConfig) -> list[nn.Module]:
        """Make the head for words and the one for pairs, and what a flaw adds."""
        heads = [MaskedLMHead(config), nn.Linear(768 if "768" in self.flaw else config.hidden_size, 2)]
        if "untied" in self.flaw:
            heads.append(nn.Linear(config.hidden_size, config.vocab_size, bias=False))
        if "second pooler" in self.flaw:
            heads.append(nn.Linear(config.hidden_size, config.hidden_size))
        return heads

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, *, selected: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(B, T) ids, mask, segments and booleans -> logits (N, V) and (B, 2)."""
        mask = None if "unmasked" in self.flaw else attention_mask
        kinds = None if "unsegmented" in self.flaw else token_type_ids
        if "crossed" in self.flaw:
            mask, kinds = token_type_ids, attention_mask
        output = self.bert(input_ids, mask, kinds)
        hidden, pooled = output.last_hidden_state, output.pooler_output
        if "first" in self.flaw:
            pooled = hidden[:, 0]
        if "average" in self.flaw:
            pooled = hidden.mean(dim=1)
        chosen = hidden.flatten(0, 1)[selected.flatten().nonzero()[:, 0]]  # (N, H)
        chosen = hidden if "everywhere" in self.flaw else chosen
        words = self.kept[0](chosen, self.bert.word_embeddings)
        pair = self.kept[1](pooled)
        pair = pair.softmax(dim=1) if "softmax" in self.flaw else pair
        return words, pair.flip(1) if "upside down" in self.flaw else pair


def run(module_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Build the module, count and fill its weights, run it; weights that are not all there end it early."""
    module = build(module_class, arguments["config"])
    weights = count(module)
    if weights == count(nn.Module()):
        return None  # an untouched stub
    if weights != count(Reference(arguments["config"])):
        return weights, "not asked for yet", "not asked for yet", "not asked for yet"
    fill_by_shape(module)
    inputs = (arguments[name] for name in ("input_ids", "attention_mask", "token_type_ids"))
    result = module.eval()(*inputs, selected=arguments["selected"])
    if result is None:
        return None
    words, pair = (part.detach() for part in result[:2])
    return weights, words, pair, loss_of(words, pair, arguments)


def count(module: nn.Module) -> str:
    """Return how many weights the optimiser would find."""
    sizes = [parameter.numel() for parameter in module.parameters()]
    return f"{len(sizes)} tensors, {sum(sizes):,} numbers"


def fill_by_shape(module: nn.Module) -> None:
    """Give every parameter numbers that depend only on its shape: names and order are the reader's own."""
    fill(module, key=lambda name, shape: shape)


def loss_of(words: Tensor, pair: Tensor, arguments: Mapping[str, Any]) -> Tensor | str:
    """Return the loss against the original words and the label, where the shapes allow it."""
    labels = arguments["original_ids"][arguments["selected"]]
    if words.shape[:-1] != labels.shape or pair.shape != (len(arguments["label"]), 2):
        return "cannot be taken from these shapes"
    return total_loss(words, labels, pair, arguments["label"])


def a_case(
    label: str, lengths: list[int], selected: list[list[int]], *, seed: int, because: str = ""
) -> Case:
    """Return texts of these lengths, padded, with these places hidden in each."""
    generator = torch.Generator().manual_seed(seed)
    longest = max(lengths)
    places = torch.arange(longest)
    mask = (places < torch.tensor(lengths)[:, None]).long()  # (B, T)
    original = torch.randint(5, STILL.vocab_size, mask.shape, generator=generator) * mask
    hidden = torch.stack([torch.isin(places, torch.tensor(row, dtype=torch.long)) for row in selected])
    arguments = {
        "config": STILL,
        "input_ids": original.masked_fill(hidden, 4),
        "attention_mask": mask,
        "token_type_ids": (places >= longest // 2).long() * mask,
        "selected": hidden,
        "original_ids": original,
        "label": torch.arange(len(lengths)) % 2,
    }
    return Case(label, arguments, because=because)


PRE_TRAINING_BERT = Exercise(
    name="pre-training-bert",
    difficulty="hard",
    minutes=25,
    hint="In __init__: self.bert = body(config), self.words = head(config), self.pair = nn.Linear(width, "
    "2). In forward: the first two things that the body returns are the hidden vectors (B, T, H) and the "
    "pooled C (B, H). hidden[selected] is (N, H) and goes to the head for words, together with the input "
    "table; C goes to the pair head.",
    praise="The whole of BERT's pre-training model, in your hands: body, two heads, two questions.",
    reference=Reference,
    cases=lambda: [
        a_case("two texts, the second with padding", [6, 5], [[2, 4], [3]], seed=1),
        a_case(
            "three texts, in one of them no word is hidden",
            [7, 7, 5],
            [[1], [], [2, 3]],
            seed=2,
            because="The selected vectors come text by text, from left to right: (N, H) for the batch.",
        ),
        a_case(
            "no word is hidden at all",
            [5, 6],
            [[], []],
            seed=3,
            because="No selected word: (0, V) logits for words, and still a verdict on every pair.",
        ),
    ],
    run=run,
    returns=("weights", "logits of words", "logits of pairs", "loss"),
    mistakes=flawed(
        Reference,
        {
            "hidden": "the heads are not part of the module: kept in a plain list, or owned by a loss. "
            "model.parameters() does not find them, so they are neither trained nor saved.",
            "768": "the width 768 is hard-coded. It is that of BERT-Base only; ask config.hidden_size.",
            "untied": "the output layer has a table of its own. It shares the input table: pass that to the "
            "head.",
            "second pooler": "there is a second pooler. The body has one and returns its result, C.",
            "everywhere": "logits were made at every position. Select first: only the hidden words are "
            "questions, and the output layer is the dearest part.",
            "upside down": "the two logits are upside down: column 0 speaks for IsNext.",
            "first": "the pair is judged by the raw vector of [CLS]. Between it and the two logits stands "
            "the pooler.",
            "average": "the pair is judged by the mean of all vectors. BERT takes C, from [CLS] alone.",
            "unmasked": "the attention mask is not handed on: the padding is read as text.",
            "crossed": "mask and segments changed places: the body takes ids, mask, segments, in this order.",
            "softmax": "a softmax was taken in the module. Return logits: the loss takes the softmax itself.",
            "unsegmented": "token_type_ids are not handed on: the body cannot tell A from B.",
        },
    ),
)

EXERCISES = (PRE_TRAINING_BERT,)
