"""Heads of tasks to and from the ``transformers`` library, as live models and as folders.

One table of names serves every way. What the library writes into ``config.json`` besides the sizes comes
along: the names of the labels, the dropout before the layer, and whether it is a regression.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import Tensor

from bertlib.errors import CheckpointError, InputError, MissingExtraError
from bertlib.finetune.heads import Head, MultipleChoiceHead, QASpanHead, SequenceClassifier, TokenClassifier
from bertlib.folders import write_folder
from bertlib.interop.configuration import read_config, write_config
from bertlib.interop.names import BUFFERS, check_names, modern_name, weight_names
from bertlib.interop.reading import fresh
from bertlib.interop.vocabulary import read_tokenizer, write_tokenizer
from bertlib.interop.weights import read_weights
from bertlib.model import BertModel
from bertlib.model_folder import CONFIG, build, check_replaceable, check_vocabulary, read_object
from bertlib.tokenizer import WordPieceTokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

POOLER = "bert.pooler"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One task: the library's class, our layer's name (theirs is the same), and how ours is made."""

    theirs: str
    layer: str
    make: Callable[[BertModel, int, float | None], Head]  # of a body, so many labels, this dropout
    has_pooler: bool
    has_labels: bool  # a fixed number of them, each with a name


KINDS: dict[type[Head], Kind] = {
    SequenceClassifier: Kind(
        theirs="BertForSequenceClassification",
        layer="classifier",
        make=lambda bert, labels, dropout: SequenceClassifier(bert, labels, dropout=dropout),
        has_pooler=True,
        has_labels=True,
    ),
    TokenClassifier: Kind(
        theirs="BertForTokenClassification",
        layer="classifier",
        make=lambda bert, labels, dropout: TokenClassifier(bert, labels, dropout=dropout),
        has_pooler=False,
        has_labels=True,
    ),
    QASpanHead: Kind(
        theirs="BertForQuestionAnswering",
        layer="qa_outputs",
        make=lambda bert, _labels, _dropout: QASpanHead(bert),
        has_pooler=False,
        has_labels=False,
    ),
    MultipleChoiceHead: Kind(
        theirs="BertForMultipleChoice",
        layer="classifier",
        make=lambda bert, _labels, dropout: MultipleChoiceHead(bert, dropout=dropout),
        has_pooler=True,
        has_labels=False,
    ),
}


class HeadFolder(NamedTuple):
    """What a folder with a fine-tuned model holds; the labels are names in the order of the logits."""

    head: Head
    tokenizer: WordPieceTokenizer
    labels: tuple[str, ...]  # empty for questions and choices, which have no fixed ones


def head_names(head: Head) -> dict[str, str]:
    """Return our names of a head's weights and theirs; a pooler that theirs does without is left out.

    Raises:
        InputError: a head that the library does not have, or a body with parts that BERT has not.
    """
    kind = kind_of(head)
    names = _names(kind, head.bert.config.num_hidden_layers)
    check_names(head, names)
    return {our: their for our, their in names.items() if kind.has_pooler or not our.startswith(POOLER)}


def kind_of(head: Head) -> Kind:
    """Return the row of the table that a head belongs to.

    Raises:
        InputError: a head that the library does not have.
    """
    kind = KINDS.get(type(head))
    if kind is None:
        known = ", ".join(known.__name__ for known in KINDS)
        raise InputError(f"transformers has no counterpart of {type(head).__name__}; it has those of {known}")
    return kind


def head_to_transformers(head: Head, *, labels: Sequence[str] | None = None) -> PreTrainedModel:
    """Copy a head and its body into the library's model of that task, in evaluation mode.

    Args:
        head: with or without training behind it.
        labels: their names in the order of the logits; None: ``LABEL_0`` and so on, as in the library.

    Raises:
        MissingExtraError: ``transformers`` is not installed.
        InputError: a head that the library does not have, or another number of labels.
    """
    names, settings = head_names(head), head_config(head, labels)
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError('transformers is not installed; pip install "bertlib[bench]"') from error
    theirs: Any = getattr(transformers, kind_of(head).theirs)(transformers.BertConfig(**settings))
    weights = head.state_dict()
    theirs.load_state_dict({names[name]: weights[name] for name in names})
    return theirs.eval()


def head_from_transformers(source: PreTrainedModel) -> Head:
    """Copy a live model of one of the library's tasks into ours, in evaluation mode.

    A pooler that it does without is drawn afresh (from PyTorch's generator); our head does not use it.

    Raises:
        CheckpointError: a model of another task, or of another kind than BERT.
    """
    name = type(source).__name__
    return _make(_kind_called(name, source=name), source.config.to_dict(), source.state_dict(), source=name)


def save_head_to_transformers(
    folder: Path | str, head: Head, tokenizer: WordPieceTokenizer, *, labels: Sequence[str] | None = None
) -> Path:
    """Write a fine-tuned model as the library does, all or nothing; the library itself is not needed.

    ``AutoModelForSequenceClassification.from_pretrained(folder)``, or that of another task, opens it.

    Args:
        folder: is made, or replaced whole if it holds a model.
        head: on any device.
        tokenizer: of its body.
        labels: see :func:`head_to_transformers`.

    Raises:
        InputError: a head that the library does not have, or another number of labels.
        CheckpointError: the vocabulary is not the body's, or something else stands in the folder.
        BertlibError: the disk is full.
    """
    folder, names, settings = Path(folder), head_names(head), head_config(head, labels)
    check_vocabulary(head.bert.config, tokenizer, folder)
    check_replaceable(folder)
    weights = {their: head.state_dict()[our].float() for our, their in names.items()}
    vocabulary = partial(
        write_tokenizer, tokenizer=tokenizer, longest=head.bert.config.max_position_embeddings
    )
    return write_folder(folder, weights, {CONFIG: settings}, vocabulary, metadata={"format": "pt"})


def load_head_from_transformers(folder: Path | str) -> HeadFolder:
    """Read a fine-tuned BERT in the library's layout: fp32, evaluation mode, on the CPU.

    Raises:
        CheckpointError: no such model, of no task that bertlib has, or damaged.
        VocabularyError: a vocabulary that is not BERT's.
    """
    folder = Path(folder)
    values, source = read_object(folder / CONFIG), str(folder)
    kind = _kind_called(*(values.get("architectures") or ["a model of no named class"])[:1], source=source)
    tokenizer, notes = read_tokenizer(folder, read_config(values, source=source))
    head = _make(kind, values, read_weights(folder), source=source)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return HeadFolder(head, tokenizer, _labels(values, head, source=source))


def head_config(head: Head, labels: Sequence[str] | None = None) -> dict[str, Any]:
    """Return what the library expects in the ``config.json`` of a task.

    Raises:
        InputError: a head that the library does not have, or another number of labels.
    """
    kind = kind_of(head)
    settings = write_config(head.bert.config) | {"architectures": [kind.theirs]}
    if not isinstance(head, QASpanHead):
        settings["classifier_dropout"] = head.dropout.p
    size = _size(head)
    if labels is not None and not kind.has_labels:
        raise InputError(
            f"{len(labels)} labels for a {type(head).__name__}, which has no labels of its own; omit them"
        )
    if labels is not None and len(labels) != size:
        raise InputError(
            f"{len(labels)} labels for a {type(head).__name__} that has {size} logits; give one name for each"
        )
    if kind.has_labels:
        names = labels or [f"LABEL_{number}" for number in range(size)]
        settings["id2label"] = dict(enumerate(names))
        settings["label2id"] = {name: number for number, name in enumerate(names)}
    if isinstance(head, SequenceClassifier):
        settings["problem_type"] = _problem(size)
    return settings


def _names(kind: Kind, num_hidden_layers: int) -> dict[str, str]:
    """Return our names and theirs, those of a pooler among them."""
    body = {our: their for our, their in weight_names(num_hidden_layers).items() if our.startswith("bert.")}
    return body | {f"{kind.layer}.{part}": f"{kind.layer}.{part}" for part in ("weight", "bias")}


def _kind_called(name: str, *, source: str) -> Kind:
    for kind in KINDS.values():
        if kind.theirs == name:
            return kind
    known = ", ".join(kind.theirs for kind in KINDS.values())
    where = "" if source == name else f"{source}: "
    raise CheckpointError(f"{where}{name} is no head that bertlib has; it has {known}")


def _make(kind: Kind, values: Mapping[str, Any], weights: Mapping[str, Tensor], *, source: str) -> Head:
    """Build our head of the library's config and weights."""
    config = read_config(values, source=source)
    theirs = {modern_name(name): value for name, value in weights.items()}
    names = {their: our for our, their in _names(kind, config.num_hidden_layers).items()}
    ours = {names.get(name, name): value for name, value in theirs.items() if name not in BUFFERS}
    if not kind.has_pooler and not any(name.startswith(POOLER) for name in ours):
        ours |= fresh(POOLER, config)
    bias = ours.get(f"{kind.layer}.bias")
    if bias is None:
        raise CheckpointError(f"{source} has no {kind.layer}.bias; it belongs to another task")
    problem = values.get("problem_type")
    if kind is KINDS[SequenceClassifier] and problem not in (None, _problem(len(bias))):
        raise CheckpointError(
            f"{source}: problem_type is {problem!r} with {len(bias)} labels; expected {_problem(len(bias))!r}"
        )
    dropout = values.get("classifier_dropout")
    return build(lambda: kind.make(BertModel(config), len(bias), dropout), ours, source=source)


def _labels(values: Mapping[str, Any], head: Head, *, source: str) -> tuple[str, ...]:
    """Return the names of the labels, in the order of the logits."""
    if not kind_of(head).has_labels:
        return ()
    size = _size(head)
    named = {int(number): str(name) for number, name in (values.get("id2label") or {}).items()}
    if named and sorted(named) != list(range(size)):
        raise CheckpointError(f"{source}: id2label names {len(named)} labels; expected 0 to {size - 1}")
    return tuple(named.get(number, f"LABEL_{number}") for number in range(size))


def _size(head: Head) -> int:
    return len(head.get_parameter(f"{kind_of(head).layer}.bias"))


def _problem(labels: int) -> str:
    return "regression" if labels == 1 else "single_label_classification"
