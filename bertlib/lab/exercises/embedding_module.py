"""The exercise *input-embedding*: the first module of the reader's own BERT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bertlib.config import BertConfig
from bertlib.errors import InputError
from bertlib.lab.exercise import Case, Exercise, flawed
from bertlib.lab.exercises.modules import SMALL, build, fill, missing_dropout

CONFIG = SMALL.replace(hidden_dropout_prob=0.5)
OTHER = CONFIG.replace(type_vocab_size=3, layer_norm_eps=0.1)


class Reference(nn.Module):
    """Three tables, the sum, the norm, the dropout; ``flaw`` makes the wrong versions."""

    flaw = ""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        eps = 1e-5 if self.flaw == "own eps" else config.layer_norm_eps
        self.norm = nn.LayerNorm(config.hidden_size, eps=eps)
        self.dropout = nn.Dropout(0.1 if self.flaw == "own p" else config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor) -> Tensor:
        """(B, T) twice -> (B, T, H)."""
        end = self.position_embeddings.num_embeddings
        if self.flaw == "cut":
            input_ids, token_type_ids = input_ids[:, :end], token_type_ids[:, :end]
        if input_ids.shape[1] > end:
            raise InputError(f"{input_ids.shape[1]} pieces, {end} positions")
        words = self.word_embeddings(input_ids)
        kinds = self.token_type_embeddings(token_type_ids * (self.flaw != "blind"))
        places = self.position_embeddings(torch.arange(input_ids.shape[1]).expand(input_ids.shape))
        total = words + kinds + places
        if self.flaw == "norm first":
            return self.dropout(self.norm(words) + kinds + places)
        if self.flaw == "drop first":
            return self.norm(self.dropout(total))
        total = total if self.flaw == "no norm" else self.norm(total)
        return total if self.flaw == "no dropout" else self.dropout(total)


def run(module_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Build the module, fill its parameters by their shapes, run it, and see where its dropout falls."""
    config = arguments["config"]
    module, quiet = build(module_class, config), build(module_class, config.replace(hidden_dropout_prob=0.0))
    for each in (module, quiet):
        fill(each, key=lambda name, shape: (shape, name.endswith("bias")))
    result = module.eval()(arguments["input_ids"], arguments["token_type_ids"])
    if result is None:
        return None
    texts = arguments["input_ids"], arguments["token_type_ids"]
    falls = where_dropout_falls(module, quiet, texts, result)
    parameters = [described(*item) for item in module.named_parameters()]
    return sorted(parameters, key=lambda line: (line.startswith("norm"), line)), result, falls


def described(name: str, parameter: Tensor) -> str:
    """Return name and shape; the names of the tables are fixed, the norm may be called what you like."""
    return f"{name.partition('.')[0] if parameter.dim() == 2 else 'norm'} {tuple(parameter.shape)}"


def where_dropout_falls(
    half: nn.Module, none: nn.Module, texts: tuple[Tensor, Tensor], result: Tensor
) -> str:
    """Compare a module that drops half of its numbers with itself, and with one that should drop none."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        missing = missing_dropout(half, none, lambda module: module(*texts))
        shaken = half.train()(*texts)
    if missing:
        return missing
    kept = torch.isclose(shaken, 2 * result, atol=1e-5)  # with p = 0.5 what is kept is doubled
    return "on the result, p from config" if bool((kept | (shaken == 0)).all()) else "before the norm"


def cases() -> list[Case]:
    """Return a short batch, one as long as the table, and one piece more than that."""
    generator = torch.Generator().manual_seed(4)
    short, full, long = (
        torch.randint(5, 23, shape, generator=generator) for shape in [(2, 6), (3, 12), (1, 13)]
    )
    kinds = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1]])
    return [
        Case("two texts of six pieces", inputs(short, kinds)),
        Case("three texts as long as the position table", inputs(full, torch.ones_like(full))),
        Case(
            "another configuration: three kinds of segment, eps = 0.1",
            {**inputs(short, kinds), "config": OTHER},
            because="All sizes come from config, and so does eps: type_vocab_size need not be 2.",
        ),
        Case(
            "thirteen pieces, twelve positions",
            inputs(long, torch.zeros_like(long)),
            raises=ValueError,
            because="There is no row for position 12. Say so in words (raise ValueError) before PyTorch "
            "says `index out of range in self`; and never cut in silence.",
        ),
    ]


def inputs(input_ids: Tensor, token_type_ids: Tensor) -> dict[str, Any]:
    """Name the three arguments."""
    return {"config": CONFIG, "input_ids": input_ids, "token_type_ids": token_type_ids}


INPUT_EMBEDDING = Exercise(
    name="input-embedding",
    difficulty="hard",
    minutes=20,
    hint="In __init__: three nn.Embedding, one nn.LayerNorm, one nn.Dropout, with the sizes from config. "
    "In forward: refuse a text that is longer than the position table, add the three look-ups, "
    "then norm, then dropout.",
    praise="The first part of your own BERT. It will be trained, as it stands, when you pre-train.",
    reference=Reference,
    cases=cases,
    run=run,
    returns=("parameters", "output", "dropout falls"),
    mistakes=flawed(
        Reference,
        {
            "no norm": "the layer norm is there but is not used.",
            "norm first": "the norm was applied to the tokens alone. It comes after the sum.",
            "no dropout": "nothing is dropped in training: dropout is missing.",
            "own p": "the dropout has a probability of its own, 0.1 for instance. Take "
            "config.hidden_dropout_prob.",
            "drop first": "dropout comes before the norm. It comes last.",
            "own eps": "the norm has an eps of its own. PyTorch's is 1e-5, BERT's 1e-12: take "
            "config.layer_norm_eps.",
            "blind": "token_type_ids are not used: both sentences look alike.",
            "cut": "a long text is cut in silence. Its end is lost unseen.",
        },
    ),
)
