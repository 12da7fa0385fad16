"""``lab.my_bert``: BERT built from what the reader wrote, and from the library where something is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from torch import nn

from bertlib.config import BertConfig
from bertlib.errors import InputError
from bertlib.lab.keeping import FOLDER, file_of, keep, kept
from bertlib.model import (
    BertEmbedding,
    BertForPreTraining,
    BertModel,
    MultiHeadSelfAttention,
    TransformerBlock,
)
from bertlib.model.bert import MaskedLMHead

Whose = Literal["yours", "ours"]
# exercise: the argument of my_bert, and the library's part in that place
PLACES: dict[str, tuple[str, type[nn.Module]]] = {
    "input-embedding": ("embedding", BertEmbedding),
    "self-attention": ("attention", MultiHeadSelfAttention),
    "encoder-block": ("block", TransformerBlock),
    "prediction-head": ("prediction_head", MaskedLMHead),
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One place in the model: who fills it, with what, and a remark for the reader."""

    whose: Whose
    factory: Callable[..., nn.Module]
    remark: str = ""


def keep_part(name: str, reader: Any) -> str:
    """Keep a right answer if it is a part of BERT; return the line that says so, or nothing."""
    if name not in PLACES or getattr(reader, "__module__", "").startswith("bertlib."):
        return ""
    try:
        return f"  Kept as {keep(name, reader)} for chapter 09."
    except (InputError, OSError, SyntaxError) as error:
        return f"  It could not be kept for chapter 09: {error}"


def my_bert(
    config: BertConfig, *, folder: Path | str = FOLDER, quiet: bool = False, **parts: type[nn.Module]
) -> BertForPreTraining:
    """Build a BERT for pre-training from the reader's parts.

    A part is looked for among the arguments, then in ``folder``, where ``lab.check`` keeps what it accepts.
    What is missing is the library's.

    Args:
        config: sizes.
        folder: where the parts are kept.
        quiet: do not print whose parts they are.
        **parts: classes by place: embedding, attention, block, prediction_head.

    Raises:
        InputError: a place that does not exist (the places are listed).
    """
    places = {place: exercise for exercise, (place, _) in PLACES.items()}
    unknown = sorted(set(parts) - set(places))
    if unknown:
        raise InputError(f"there is no place called {unknown[0]!r}; the places are {', '.join(places)}")
    found = {
        place: pick(exercise, parts.get(place), Path(folder), config) for place, exercise in places.items()
    }
    if not quiet:
        print(report(found))
    return assemble(config, found)


def assemble(config: BertConfig, found: Mapping[str, Part]) -> BertForPreTraining:
    """Put four parts together; a block takes the attention it is to use as an argument."""
    block = partial(found["block"].factory, attention=found["attention"].factory)
    body = BertModel(config, embedding=found["embedding"].factory, block=block)
    return BertForPreTraining(config, bert=body, mlm_head=found["prediction_head"].factory)


def pick(exercise: str, given: type[nn.Module] | None, folder: Path, config: BertConfig) -> Part:
    """Return the reader's part if there is one that fits, else the library's with the reason."""
    _, ours = PLACES[exercise]
    try:
        reader = given if given is not None else kept(exercise, folder)
        problem = "" if reader is None else misfit(reader, ours, config)
    except Exception as error:  # whatever the reader's own file raises
        reader, problem = None, f"{file_of(exercise, folder)} does not run ({type(error).__name__}: {error})"
    if reader is None or problem:
        return Part(whose="ours", factory=ours, remark=problem)
    return Part(whose="yours", factory=reader)


def misfit(reader: type[nn.Module], ours: type[nn.Module], config: BertConfig) -> str:
    """Say which weight has another name or shape than everybody else's; nothing if all is well.

    The names matter: under them weights are saved, loaded and moved to other libraries.
    """
    theirs, expected = (
        {name: tuple(weight.shape) for name, weight in part(config).state_dict().items()}
        for part in (reader, ours)
    )
    missing, extra = sorted(set(expected) - set(theirs)), sorted(set(theirs) - set(expected))
    if missing or extra:
        return f"weights have other names: {', '.join(extra) or 'none'} for {', '.join(missing) or 'none'}"
    wrong = [name for name in expected if theirs[name] != expected[name]]
    return f"{wrong[0]} is {theirs[wrong[0]]}, expected {expected[wrong[0]]}" if wrong else ""


def report(found: Mapping[str, Part]) -> str:
    """Return one line a part: yours or ours, and why if the reader's does not fit."""
    lines = []
    for place, part in found.items():
        line = f"{place.replace('_', ' '):<16}{part.whose}"
        lines.append(f"{line}: {part.remark}" if part.remark else line)
    return "\n".join(lines)
