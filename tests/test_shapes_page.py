"""The cheat sheet of shapes says what really flows: both models are run, and every line is compared."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from bertlib.config import BertConfig
from bertlib.lab import toy
from bertlib.model import BertForPreTraining
from bertlib.model import attention as attention_module
from bertlib.model.attention import MultiHeadSelfAttention
from bertlib.objectives import MaskedLMLoss, NSPLoss

PAGE = (Path(__file__).resolve().parents[1] / "book" / "shapes.md").read_text("utf8")
MODELS = ("tiny", "base")
B, T, N, P = 2, 10, 3, 512
Shape = tuple[int, ...]


def rows(section: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    table = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(text: str) -> list[str]:
    """The tensors that a line is about: the names in code with which it begins."""
    leading = re.match(r"`\w+`(?:, `\w+`)*", text)
    return re.findall(r"\w+", leading[0]) if leading else []


def shape(text: str) -> Shape:
    """Read ``(2, 10)``."""
    return tuple(map(int, re.findall(r"\d+", text)))


def letters(config: BertConfig) -> dict[str, int]:
    """What each letter stands for."""
    return {
        "B": B, "T": T, "N": N, "P": P, "H": config.hidden_size, "A": config.num_attention_heads,
        "d": config.head_size, "L": config.num_hidden_layers, "V": config.vocab_size,
    }  # fmt: skip


def in_numbers(text: str, values: dict[str, int]) -> Shape:
    """Put numbers in for the letters of ``(B, T, 4H)``."""
    found = []
    for part in filter(None, (part.strip() for part in text.strip("()").split(","))):
        times, letter = re.fullmatch(r"(\d*)([A-Za-z]?)", part).groups()
        found.append(int(times or 1) * values.get(letter, 1))
    return tuple(found)


@cache
def model(preset: str) -> BertForPreTraining:
    """A model with numbers of no meaning in it: only their places matter."""
    with torch.device("meta"):
        empty = BertForPreTraining(BertConfig.from_preset(preset))
    return empty.to_empty(device="cpu").eval()


class Recorder:
    """Notes the shape of everything that passes by."""

    def __init__(self) -> None:
        self.seen: dict[str, Shape] = {}

    def note(self, name: str, value: Any) -> None:
        tensor = value[0] if isinstance(value, tuple) else value
        self.seen.setdefault(name, tuple(tensor.shape))

    def hook(self, name: str, module: torch.nn.Module) -> None:
        module.register_forward_hook(lambda _module, _given, output: self.note(name, output))


def listen(net: BertForPreTraining, record: Recorder) -> None:
    """Note what leaves each part of the embedding, the first block and the heads."""
    embedding, block = net.bert.embedding, net.bert.encoder.blocks[0]
    for name, module in {
        "token_vectors": embedding.word_embeddings,
        "segment_vectors": embedding.token_type_embeddings,
        "position_vectors": embedding.position_embeddings,
        "embedding": embedding,
        "query": block.attention.query,
        "key": block.attention.key,
        "value": block.attention.value,
        "attended": block.attention,
        "attention_norm": block.attention_norm,
        "inner": block.feed_forward.inner,
        "feed_forward": block.feed_forward,
        "block": block,
        "pooler_output": net.bert.pooler,
        "transform": net.mlm_head.transform,
    }.items():
        record.hook(name, module)
    net.mlm_head.register_forward_pre_hook(lambda _module, given: record.note("picked", given[0]))


def listen_inside(monkeypatch: pytest.MonkeyPatch, record: Recorder) -> None:
    """Note what passes between the linear layers of the attention, where no module stands."""
    weigh, join = attention_module.attention_weights, MultiHeadSelfAttention._join

    def weighed(query: torch.Tensor, key: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        record.note("bias", bias)
        record.note("split", query)
        weights = weigh(query, key, bias)
        record.note("weights", weights)
        return weights

    def joined(self: MultiHeadSelfAttention, x: torch.Tensor) -> torch.Tensor:
        record.note("mixed", x)
        return join(self, x)

    monkeypatch.setattr(attention_module, "attention_weights", weighed)
    monkeypatch.setattr(MultiHeadSelfAttention, "_join", joined)


@pytest.fixture(params=MODELS)
def flow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, Shape]]:
    """The shapes that two pairs have on their way through a model."""
    record, net = Recorder(), model(request.param)
    listen(net, record)
    listen_inside(monkeypatch, record)
    first = " ".join(toy.FIRST), " ".join(toy.SECOND)
    batch = toy.tokenizer().encode_batch([first, ("my dog", "it likes playing")])
    inputs = [torch.tensor(rows) for rows in (batch.ids, batch.attention_mask, batch.token_type_ids)]
    selected = torch.zeros(B, T, dtype=torch.bool)
    selected[0, [2, 4]] = selected[1, 2] = True
    labels, next_sentence_label = inputs[0][selected], torch.tensor([0, 1])
    output = net(
        *inputs, selected=selected
    )  # with gradients: without, a fused kernel keeps the weights to itself
    last_hidden_state = net.bert(*inputs).last_hidden_state
    loss = MaskedLMLoss()(output.prediction_logits, labels) + NSPLoss()(
        output.seq_relationship_logits, next_sentence_label
    )
    input_ids, attention_mask, token_type_ids = inputs
    for name, tensor in {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "token_type_ids": token_type_ids,
        "selected": selected,
        "last_hidden_state": last_hidden_state,
        "prediction_logits": output.prediction_logits,
        "labels": labels,
        "seq_relationship_logits": output.seq_relationship_logits,
        "next_sentence_label": next_sentence_label,
        "loss": loss,
    }.items():
        record.note(name, tensor)
    return request.param, record.seen


def test_every_line_of_the_way_up_is_what_flows(flow: tuple[str, dict[str, Shape]]) -> None:
    preset, seen = flow
    values = letters(BertConfig.from_preset(preset))
    told = set()
    for _, what, in_letters, *numbers, _ in rows("The way up"):
        stated = shape(numbers[MODELS.index(preset)])
        assert in_numbers(in_letters, values) == stated, what
        assert names(what), what
        for name in names(what):
            assert seen[name] == stated, name
            told.add(name)
    assert told == set(seen)


@pytest.mark.parametrize("preset", MODELS)
def test_every_kind_of_weight_is_there_and_of_that_shape(preset: str) -> None:
    net = model(preset)
    values = letters(net.config)
    matrices: dict[tuple[str, Shape], int] = {}
    for name, weight in net.named_parameters():
        if weight.dim() == 2:
            kind = name.split(".")[-2], tuple(weight.shape)
            matrices[kind] = matrices.get(kind, 0) + 1
    stated: dict[tuple[str, Shape], int] = {}
    for what, in_letters, *numbers, often in rows("What is learned"):
        size = shape(numbers[MODELS.index(preset)])
        assert in_numbers(in_letters, values) == size, what
        for name in names(what):
            stated[name, size] = values["L"] if often.startswith("L") else int(often)
    assert stated == matrices


@pytest.mark.parametrize("preset", MODELS)
def test_the_letters_are_those_of_the_model(preset: str) -> None:
    values = letters(BertConfig.from_preset(preset))
    stated = {row[0]: int(row[2 + MODELS.index(preset)]) for row in rows("The letters")}
    assert stated == values
    assert BertConfig.from_preset(preset).max_position_embeddings == P
