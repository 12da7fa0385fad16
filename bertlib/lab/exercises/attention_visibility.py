"""The exercise *visibility-test*: the reader writes the test, and the check tries it on modules.

One module is right; the others run without an error, have the right shapes and learn something.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from bertlib.lab.exercise import Case, Exercise, Mistake
from bertlib.lab.exercises.attention_module import config_of

Module = Callable[..., tuple[Tensor, Any]]

SOUND = "a sound one"
# name: split, axis of the softmax, merge, what becomes of the bias
KINDS: dict[str, tuple[str, int, str, str]] = {
    SOUND: ("right", -1, "right", "used"),
    "a split without its transpose": ("none", -1, "right", "fitted"),
    "no transpose, twice": ("none", -1, "poured", "fitted"),
    "a split that pours": ("poured", -1, "right", "used"),
    "a merge without its transpose": ("right", -1, "poured", "used"),
    "split and merge both pour": ("poured", -1, "poured", "used"),
    "a softmax over the questions": ("right", -2, "right", "used"),
    "a softmax over the heads": ("right", 1, "right", "used"),
    "the bias is ignored": ("right", -1, "right", "ignored"),
    "the bias hides heads": ("right", -1, "right", "heads"),
}
GROUPS: dict[str, list[str]] = {
    "sound": [SOUND],
    "wrong": [kind for kind in KINDS if kind != SOUND],
    "no transpose": ["a split without its transpose"],
}


class Suspect(nn.Module):
    """Attention with one plausible mistake, or none: ``kind`` is a key of :data:`KINDS`."""

    def __init__(self, kind: str, heads: int) -> None:
        super().__init__()
        config = config_of(heads)
        self.num_heads = heads
        self.split_kind, self.axis, self.merge_kind, self.bias_kind = KINDS[kind]
        width = config.hidden_size
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        generator = torch.Generator().manual_seed(8)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) / math.sqrt(width)

    def forward(
        self, hidden: Tensor, bias: Tensor | None = None, *, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """(B, T, H) -> (B, T, H), and the weights or None."""
        q, k, v = (self.split(layer(hidden)) for layer in (self.query, self.key, self.value))
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        weights = self.biased(scores, bias).softmax(dim=self.axis)
        mixed = self.merge(weights @ v, hidden.shape)
        return self.output(mixed), weights if need_weights else None

    def biased(self, scores: Tensor, bias: Tensor | None) -> Tensor:
        """Add the bias, or do with it what somebody did who wanted the error to go away."""
        if bias is None or self.bias_kind == "ignored":
            return scores
        if self.bias_kind == "used":
            return scores + bias
        if self.bias_kind == "fitted":  # (B, T, A, A): it fits only where T = A
            return scores + bias if scores.shape[-1] == bias.shape[-1] else scores
        per_column = bias.amin(dim=(1, 2))  # (B, T); column t silences head t, or t - A, or ...
        heads = [h % per_column.shape[1] for h in range(self.num_heads)]
        return scores + per_column[:, heads, None, None]

    def split(self, x: Tensor) -> Tensor:
        """(B, T, H) -> (B, A, T, d), if all is well."""
        if self.split_kind == "poured":
            return x.reshape(x.shape[0], self.num_heads, x.shape[1], -1)
        cut = x.reshape(*x.shape[:2], self.num_heads, -1)  # (B, T, A, d)
        return cut if self.split_kind == "none" else cut.transpose(1, 2)

    def merge(self, x: Tensor, shape: torch.Size) -> Tensor:
        """Back to (B, T, H)."""
        return (x if self.merge_kind == "poured" else x.transpose(1, 2)).reshape(shape)


def run(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Let the reader's test judge some modules; a test that stops with an error has found something, too.

    All verdicts of a case come back together: one of them alone would not tell one kind of test from another.
    """
    group, heads = arguments["modules"], [int(n) for n in arguments["heads"].split()]
    verdicts: list[Any] = [("module: verdict",)]  # a head for the table; not a str, so each has its own line
    for kind, n in ((kind, n) for kind in GROUPS[group] for n in heads):
        verdict = judge(reader, kind, n)
        if verdict is None or verdict is Ellipsis:
            return None
        name = kind if len(heads) == 1 else f"{n} heads"
        verdicts.append(f"{name}: {'sound' if verdict else 'wrong'}")
    return verdicts


def judge(reader: Callable[..., Any], kind: str, heads: int) -> Any:
    """Return the reader's verdict; on a sound module an error is the reader's own and is shown."""
    try:
        return reader(Suspect(kind, heads).eval())
    except Exception:
        if kind == SOUND:
            raise
        return False


def moves(module: Module, length: int, width: int, bias: Tensor | None = None) -> Tensor:
    """Return (T, T): may input column j move output column i? Found by moving one column at a time."""
    hidden = torch.randn(1, length, width, generator=torch.Generator().manual_seed(9))
    before = module(hidden, bias)[0]
    found = []
    for j in range(length):
        other = hidden.clone()
        other[0, j] += 1
        found.append((module(other, bias)[0] - before)[0].abs().amax(-1) > 1e-6)
    return torch.stack(found, dim=1)


def all_connected(module: Any, length: int) -> bool:
    """Tell whether every column reaches every column."""
    return bool(moves(module, length, module.query.in_features).all())


def hidden_stays_hidden(module: Any, length: int, *, low: float = torch.finfo(torch.float32).min) -> bool:
    """Tell whether a hidden last column moves nobody else."""
    bias = torch.zeros(1, 1, 1, length)
    bias[..., -1] = low
    return not bool(moves(module, length, module.query.in_features, bias)[:-1, -1].any())


def is_sound(module: Any, *, low: float = torch.finfo(torch.float32).min) -> bool:
    """Ask both questions, at lengths that are, and are not, the number of heads."""
    lengths = (module.num_heads, module.num_heads + 2)
    return all(all_connected(module, n) and hidden_stays_hidden(module, n, low=low) for n in lengths)


def right_shape(module: Any) -> bool:
    """Look at the shape alone, as most tests do."""
    hidden = torch.randn(2, 5, module.query.in_features, generator=torch.Generator().manual_seed(9))
    return bool(module(hidden)[0].shape == hidden.shape)


def cases() -> list[Case]:
    """Return sound modules, the wrong ones, and the worst of these with 2 to 8 heads."""
    return [
        Case(
            "three sound modules",
            {"modules": "sound", "heads": "2 3 5"},
            because="These are sound. A test that rejects what is right will be switched off by Friday.",
        ),
        Case(
            "one of each wrong kind",
            {"modules": "wrong", "heads": "3"},
            because="All of these have a mistake. Who reaches whom, and does a hidden column stay hidden?",
        ),
        Case(
            "a split without its transpose, once more",
            {"modules": "no transpose", "heads": "2 3 4 5 6 7 8"},
            because="With T = A columns in the place of heads still reach everybody: choose a T that is not "
            "module.num_heads, and hide a column as well.",
        ),
    ]


VISIBILITY_TEST = Exercise(
    name="visibility-test",
    difficulty="hard",
    minutes=25,
    hint="Ask two questions. Without a bias: does every column of the output change when I change any one "
    "column of the input? With a bias that hides the last column: does nobody else change when I change that "
    "one? Choose a length that differs from module.num_heads.",
    praise="A test that accepts the right module and none of the others. Keep it: it takes milliseconds, and "
    "finds what a month of training would only hint at.",
    reference=is_sound,
    cases=cases,
    run=run,
    mistakes=(
        Mistake("only the shape was tested. All of these have the right shape.", right_shape),
        Mistake(
            "the test asks who is reached, and never hides anybody.", lambda module: all_connected(module, 5)
        ),
        Mistake(
            "the test asks who is reached, at a length that is the number of heads.",
            lambda module: all_connected(module, module.num_heads),
        ),
        Mistake(
            "the test only asks whether the hidden stays hidden. A module that connects nobody passes that.",
            lambda module: hidden_stays_hidden(module, module.num_heads + 2),
        ),
        Mistake(
            "the column was hidden with minus infinity. In a module that leaks, scores of nothing but minus "
            "infinity become NaN; NaN > 0 is False, so a NaN looks like no change. Hide with a "
            "finite number: torch.finfo(torch.float32).min.",
            partial(is_sound, low=-math.inf),
        ),
        Mistake("the test rejects everything, what is right as well.", lambda module: False),
    ),
)
