"""The exercise *input-embedding*: the first module of the reader's own BERT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bertlib.config import BertConfig
from bertlib.errors import InputError
from bertlib.lab.exercise import Case, Exercise, Mistake

CONFIG = BertConfig(
    vocab_size=23,
    hidden_size=8,
    num_attention_heads=2,
    max_position_embeddings=12,
    hidden_dropout_prob=0.5,
)
OTHER = CONFIG.replace(type_vocab_size=3, layer_norm_eps=0.1)


class Reference(nn.Module):
    """Three tables, the sum, the norm, the dropout; ``order`` makes the wrong versions."""

    order = "add norm drop"
    eps: float | None = None  # None: what the configuration says

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=self.eps or config.layer_norm_eps)
        self.dropout = nn.Dropout(0.1 if "own" in self.order else config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor) -> Tensor:
        """(B, T) twice -> (B, T, H)."""
        end = self.position_embeddings.num_embeddings
        if "cut" in self.order:
            input_ids, token_type_ids = input_ids[:, :end], token_type_ids[:, :end]
        if input_ids.shape[1] > end:
            raise InputError(f"{input_ids.shape[1]} pieces, {end} positions")
        words = self.word_embeddings(input_ids)
        kinds = self.token_type_embeddings(token_type_ids * ("blind" not in self.order))
        places = self.position_embeddings(torch.arange(input_ids.shape[1]).expand(input_ids.shape))
        if "early" in self.order:
            return self.dropout(self.norm(words) + kinds + places)
        total = words + kinds + places
        total = self.dropout(total) if "first" in self.order else total
        total = self.norm(total) if "norm" in self.order else total
        return self.dropout(total) if "drop" in self.order else total


def version(order: str, **more: Any) -> type[Reference]:
    """Return the reference with another order of steps."""
    return type("Version", (Reference,), {"order": order, **more})


def run(module_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Build the module, fill its parameters by their shapes, run it, and see where its dropout falls."""
    config = arguments["config"]
    module = module_class(config)
    if not isinstance(module, nn.Module):
        raise TypeError("the class must be an nn.Module: class InputEmbedding(nn.Module)")
    fill(module)
    result = module.eval()(arguments["input_ids"], arguments["token_type_ids"])
    if result is None:
        return None
    quiet = module_class(config.replace(hidden_dropout_prob=0.0))
    fill(quiet)
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
        if not torch.allclose(half.eval()(*texts), result, atol=1e-5):
            raise ValueError("two calls in eval() gave two results: dropout must rest there (self.training)")
        shaken = half.train()(*texts)
        if torch.allclose(shaken, result, atol=1e-5):
            return "nowhere"
        if not torch.allclose(none.train()(*texts), none.eval()(*texts), atol=1e-5):
            return "somewhere with a p of its own"
    kept = torch.isclose(shaken, 2 * result, atol=1e-5)  # with p = 0.5 what is kept is doubled
    return "on the result, p from config" if bool((kept | (shaken == 0)).all()) else "before the norm"


def fill(module: nn.Module) -> None:
    """Give every parameter numbers that depend only on its shape and on being a bias or not."""
    for name, parameter in module.named_parameters():
        generator = torch.Generator().manual_seed(parameter.shape[0] + 7 * name.endswith("bias"))
        parameter.data = torch.rand(parameter.shape, generator=generator)


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
    mistakes=(
        Mistake("the layer norm is there but is not used.", version("add drop")),
        Mistake("the norm was applied to the tokens alone. It comes after the sum.", version("early")),
        Mistake("nothing is dropped in training: dropout is missing.", version("add norm")),
        Mistake(
            "the dropout has a probability of its own, 0.1 for instance. Take config.hidden_dropout_prob.",
            version("add norm drop own"),
        ),
        Mistake("dropout comes before the norm. It comes last.", version("first norm")),
        Mistake(
            "the norm has an eps of its own. PyTorch's is 1e-5, BERT's 1e-12: take config.layer_norm_eps.",
            version("add norm drop", eps=1e-5),
        ),
        Mistake("token_type_ids are not used: both sentences look alike.", version("add norm drop blind")),
        Mistake("a long text is cut in silence. Its end is lost unseen.", version("cut add norm drop")),
    ),
)
