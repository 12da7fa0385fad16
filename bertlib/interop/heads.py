"""Heads of tasks to and from the ``transformers`` library: live models, by the same table of names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from bertlib.errors import CheckpointError, InputError, MissingExtraError
from bertlib.finetune.heads import Head, MultipleChoiceHead, QASpanHead, SequenceClassifier, TokenClassifier
from bertlib.interop.configuration import read_config
from bertlib.interop.names import BUFFERS, weight_names
from bertlib.model import BertModel

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One task: the library's class, our layer's name (theirs is the same), how ours is made, its pooler."""

    theirs: str
    layer: str
    make: Callable[[BertModel, int], Head]
    has_pooler: bool


KINDS: dict[type[Head], Kind] = {
    SequenceClassifier: Kind(
        theirs="BertForSequenceClassification", layer="classifier", make=SequenceClassifier, has_pooler=True
    ),
    TokenClassifier: Kind(
        theirs="BertForTokenClassification", layer="classifier", make=TokenClassifier, has_pooler=False
    ),
    QASpanHead: Kind(
        theirs="BertForQuestionAnswering",
        layer="qa_outputs",
        make=lambda bert, _: QASpanHead(bert),
        has_pooler=False,
    ),
    MultipleChoiceHead: Kind(
        theirs="BertForMultipleChoice",
        layer="classifier",
        make=lambda bert, _: MultipleChoiceHead(bert),
        has_pooler=True,
    ),
}


def head_names(head: Head) -> dict[str, str]:
    """Return our names of a head's weights and theirs; a pooler that theirs does without is left out.

    Raises:
        InputError: a head that the library does not have.
    """
    kind = KINDS.get(type(head))
    if kind is None:
        known = ", ".join(item.__name__ for item in KINDS)
        raise InputError(f"transformers has no counterpart of {type(head).__name__}; it has those of {known}")
    body = weight_names(head.bert.config.num_hidden_layers)
    names = {ours: theirs for ours, theirs in body.items() if ours.startswith("bert.")}
    if not kind.has_pooler:
        names = {ours: theirs for ours, theirs in names.items() if not ours.startswith("bert.pooler.")}
    return names | {f"{kind.layer}.{part}": f"{kind.layer}.{part}" for part in ("weight", "bias")}


def head_to_transformers(head: Head) -> PreTrainedModel:
    """Copy a head and its body into the library's model of that task, in evaluation mode.

    Raises:
        MissingExtraError: ``transformers`` is not installed.
        InputError: a head that the library does not have.
    """
    names = head_names(head)
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError('transformers is not installed; pip install "bertlib[bench]"') from error
    kind, weights = KINDS[type(head)], head.state_dict()
    labels = weights[f"{kind.layer}.bias"].shape[0]
    settings: dict[str, Any] = head.bert.config.to_dict() | {"num_labels": labels}
    config = transformers.BertConfig(**settings)
    theirs: Any = getattr(transformers, kind.theirs)(config)
    theirs.load_state_dict({names[name]: weights[name] for name in names})
    return theirs.eval()


def head_from_transformers(source: PreTrainedModel) -> Head:
    """Copy a live model of one of the library's tasks into ours, in evaluation mode.

    Raises:
        CheckpointError: a model of another task, or of another kind than BERT.
    """
    found = [(ours, kind) for ours, kind in KINDS.items() if kind.theirs == type(source).__name__]
    if not found:
        known = ", ".join(kind.theirs for kind in KINDS.values())
        raise CheckpointError(f"{type(source).__name__} is no head that bertlib has; it has {known}")
    kind = found[0][1]
    weights: dict[str, Tensor] = {k: v for k, v in source.state_dict().items() if k not in BUFFERS}
    config = read_config(source.config.to_dict(), source=type(source).__name__)
    head = kind.make(BertModel(config), weights[f"{kind.layer}.bias"].shape[0])
    names = {theirs: ours for ours, theirs in head_names(head).items()}
    head.load_state_dict(head.state_dict() | {names[name]: value for name, value in weights.items()})
    return head.eval()
