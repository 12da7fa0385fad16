"""The exercise *bert-model*: embeddings, L blocks, pooler - the body of BERT in one module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bertlib.config import BertConfig
from bertlib.lab.exercise import Case, Exercise, flawed
from bertlib.lab.exercises.blocks_modules import CONFIG, OTHER, WIDTHS
from bertlib.lab.exercises.modules import build, two
from bertlib.model import BertEmbedding, BertModel, TransformerBlock, padding_bias
from bertlib.model.bert import initialise

SPREADS = (0.01, 0.03)  # matrices drawn from N(0, 0.02), cut at two deviations or not, lie between


class Reference(nn.Module):
    """The body, written with plain loops; words in ``flaw`` make the wrong versions."""

    flaw = ""

    def __init__(
        self,
        config: BertConfig,
        *,
        embedding: Callable[..., Any] = BertEmbedding,
        block: Callable[..., Any] = TransformerBlock,
    ) -> None:
        super().__init__()
        self.embedding = embedding(config)
        count = config.num_hidden_layers - ("eleven" in self.flaw)
        blocks = (
            [block(config)] * count if "one block" in self.flaw else [block(config) for _ in range(count)]
        )
        self.blocks = nn.ModuleList(blocks)
        self.pooler = nn.ModuleDict({"dense": nn.Linear(config.hidden_size, config.hidden_size)})
        if "default" not in self.flaw:
            initialise(self, config)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(B, T) three times -> (B, T, H) and (B, H)."""
        if "cut" in self.flaw:
            input_ids, token_type_ids = input_ids[:, :12], token_type_ids[:, :12]
        kinds = token_type_ids * ("one segment" not in self.flaw)
        x = self.embedding(input_ids, kinds)
        bias = padding_bias(None if "unmasked" in self.flaw else attention_mask[:, : x.shape[1]], x.dtype)
        if "raw mask" in self.flaw:
            bias = attention_mask[:, None, None, :].to(x.dtype)
        for block in self.blocks:
            x = block(x, bias)[0]
        if "last norm" in self.flaw:
            x = nn.functional.layer_norm(x, x.shape[-1:])
        first = x.mean(1) if "mean" in self.flaw else x[:, 0]
        pooled = first if "no pooler" in self.flaw else self.pooler["dense"](first)
        return x, pooled if "straight" in self.flaw else torch.tanh(pooled)


def run(model_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Build the body, look at its first weights, give it known ones by their names, run it.

    Raises:
        TypeError: the blocks are in a plain list.
    """
    inputs = [arguments[name] for name in ("input_ids", "attention_mask", "token_type_ids")]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build(model_class, arguments["config"]).eval()
    if model(*inputs) is None:
        return None
    if isinstance(getattr(model, "blocks", None), list):
        raise TypeError("the blocks are in a plain list, where PyTorch sees no weights; use nn.ModuleList")
    spreads = [p.std().item() for p in model.parameters() if p.dim() == 2 and p.shape[0] > 2]
    small = all(SPREADS[0] < spread < SPREADS[1] for spread in spreads)
    lend_weights(model, arguments["config"])
    last, pooled = two(model(*inputs))
    return sum(p.numel() for p in model.parameters()), small, last, pooled


def lend_weights(model: nn.Module, config: BertConfig) -> None:
    """Copy the weights of a library model, all different, into the reader's, name by name.

    Raises:
        TypeError: a weight of the reader's has a name that the library's does not have.
    """
    with torch.random.fork_rng(devices=[]):
        library = BertModel(config)
    weights = library.state_dict()
    generator = torch.Generator().manual_seed(12)
    for value in weights.values():
        value.copy_(torch.randn(value.shape, generator=generator) / 2)
    weights |= {name.replace("encoder.", "", 1): value for name, value in weights.items()}
    unknown = [name for name in model.state_dict() if name not in weights]
    if unknown:
        raise TypeError(
            f"your model has a weight called {unknown[0]}; call the parts embedding, blocks (or "
            "encoder.blocks) and pooler.dense, so that weights can move"
        )
    model.load_state_dict({name: weights[name] for name in model.state_dict()})


def inputs(config: BertConfig, ids: Tensor, mask: Tensor, kinds: Tensor) -> dict[str, Any]:
    """Name the arguments."""
    return {"config": config, "input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}


def cases() -> list[Case]:
    """Return pairs, a padded batch, another width, and a text that is too long."""
    generator = torch.Generator().manual_seed(8)
    ids, long = (torch.randint(5, 23, shape, generator=generator) for shape in [(2, 6), (1, 13)])
    kinds = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])
    return [
        Case("two pairs of six columns, three blocks", inputs(CONFIG, ids, torch.ones_like(ids), kinds)),
        Case("the same, half of the second is filling", inputs(CONFIG, ids, mask, kinds)),
        Case("H = 12", inputs(OTHER, ids, mask, kinds), because=WIDTHS),
        Case(
            "thirteen columns, twelve positions",
            inputs(CONFIG, long, torch.ones_like(long), torch.zeros_like(long)),
            raises=ValueError,
            because="There is no row for position 12. The embedding says so (raise ValueError); let it, and "
            "never cut in silence.",
        ),
    ]


BERT_MODEL = Exercise(
    name="bert-model",
    difficulty="hard",
    minutes=25,
    hint="embedding(config); nn.ModuleList of config.num_hidden_layers blocks, each made anew; a pooler; "
    "then initialise(self, config). In forward: padding_bias(attention_mask, hidden.dtype) for each block.",
    praise="The whole body of BERT. From here on there are only heads.",
    reference=Reference,
    cases=cases,
    run=run,
    returns=("number of parameters", "first weights are small", "last_hidden_state", "pooled"),
    mistakes=flawed(
        Reference,
        {
            "eleven": "one block is missing. L blocks means L: twelve in Base, not eleven.",
            "one block": "one and the same block is used every time. Each has weights of its own.",
            "default": "the weights start as PyTorch draws them: N(0, 1) in the tables. BERT starts at "
            "0.02: initialise(self, config).",
            "unmasked": "attention_mask is not used: the filling is looked at.",
            "raw mask": "the mask was added as ones and zeros. padding_bias turns it into 0 and a very "
            "negative number.",
            "one segment": "token_type_ids are not used: all is sentence A.",
            "last norm": "there is a norm after the last block. In BERT each block ends with one already.",
            "mean": "the pooler reads the mean of all columns. It reads the first, [CLS].",
            "straight": "the tanh of the pooler is missing.",
            "no pooler": "the linear layer of the pooler is missing.",
            "cut": "a long text is cut in silence. Its end is lost unseen.",
        },
    ),
)

EXERCISES = (BERT_MODEL,)
