"""What a fine-tuning starts from: what was asked for, the examples, body and vocabulary."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bertlib.device import pick_device
from bertlib.errors import ConfigError, CorpusError, InputError
from bertlib.finetune.augment import WAYS, augment
from bertlib.finetune.builders import parsed
from bertlib.finetune.features import Features
from bertlib.finetune.folder import TASK, load_body
from bertlib.finetune.formats import Columns, format_of, looked_for, read_examples
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.questions import WindowCounts
from bertlib.finetune.search import PAPER_GRID, SMALL_GRID, Space, check_method, grid, make_points
from bertlib.finetune.splits import hold_out
from bertlib.finetune.task import Inputs, Task
from bertlib.finetune.telling import counted
from bertlib.model import BertModel
from bertlib.seeds import mix_seed, seeded
from bertlib.tokenizer import WordPieceTokenizer

Say = Callable[[str], None]
UNKNOWN = 0.1  # more [UNK] among the pieces than this is said
SMALL = 512  # up to this width a model is tried with the small models' rates


class Data(NamedTuple):
    """A task with examples to learn from and to mark."""

    task: Task
    train: list[Any]
    dev: list[Any]


class Start(NamedTuple):
    """Where fine-tuning begins."""

    body: BertModel
    tokenizer: WordPieceTokenizer


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be done.

    Attributes:
        name: of the task, a key of :data:`bertlib.finetune.formats.FORMATS`.
        out: folder of the fine-tuned model.
        data: folder, or the file to train on; None: the story world.
        dev: file or folder with held-out examples; None: found in ``data``, or set aside.
        columns: where things stand in the files.
        model: folder or name of the pre-trained model.
        scratch: forget its weights and begin with random ones.
        build: what is put on the body, see :func:`bertlib.finetune.builders.builder`.
        stride: pieces between the beginnings of two windows on a long context; None: the task's own.
        augment: train on a changed copy of each example too: a name in :data:`bertlib.finetune.augment.WAYS`.
        changes: fields of :class:`FineTuning` that differ from what suits the model.
        limit: train on so many examples only.
        hold_out: share set aside where there are no held-out examples.
        seeds: runs that differ in their seed alone; the best one is kept.
        search: recipes to try first; 0: none.
        method: of the search: grid, random or bayesian.
        device: where to train.
    """

    name: str
    out: Path
    data: Path | None = None
    dev: Path | None = None
    columns: Columns = field(default_factory=Columns)
    model: str = "mini-books"
    scratch: bool = False
    build: str = ""
    stride: int | None = None
    augment: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    hold_out: float = 0.1
    seeds: int = 1
    search: int = 0
    method: str = "random"
    device: str = "auto"

    @property
    def seed(self) -> int:
        """The first seed; it also decides what is held out and what a limit leaves."""
        return int(self.changes.get("seed") or 0)


def check_request(request: Request) -> None:
    """See what can be seen before anything is read.

    Raises:
        InputError: no such task, columns that are one, nothing that can be built, no such augmentation.
        ConfigError: a number of seeds or a stride below 1, no such device, a search that cannot be.
        MissingExtraError: a Bayesian search without Optuna.
    """
    format_of(request.name)
    columns = request.columns
    if columns.label is not None and columns.label in (columns.text, columns.pair):
        raise InputError(
            f"the column {columns.label!r} is both text and label, and would give the answer away; name "
            "another with --text, --pair or --label"
        )
    if columns.tag == columns.word:
        raise InputError(f"column {columns.tag} is both word and tag; name another with --word or --tag")
    parsed(request.build)
    QuestionTask(stride=request.stride)  # refuses one below 1
    if request.augment and request.augment not in WAYS:
        raise InputError(f"augment is {request.augment!r}; expected {', '.join(WAYS)}")
    if request.seeds < 1:
        raise ConfigError(f"{request.seeds} seeds; expected at least 1")
    if request.limit is not None and request.limit < 1:
        raise InputError(f"limit is {request.limit}; expected at least 1 example")
    pick_device(request.device)
    check_method(request.method)
    if request.search:
        space = unfixed(PAPER_GRID, request.changes)
        make_points(space, request.method, trials_of(request, space), request.seed)


def unfixed(space: Space, changes: Mapping[str, Any]) -> Space:
    """Return a space without the fields that somebody has fixed.

    Raises:
        ConfigError: nothing is left.
    """
    left = {name: values for name, values in space.items() if changes.get(name) is None}
    if not left:
        raise ConfigError(f"nothing is left to search: {', '.join(space)} are given; leave one out")
    return left


def space_for(body: BertModel, changes: Mapping[str, Any]) -> Space:
    """Return what suits a model of this size, without the fields that somebody has fixed."""
    return unfixed(SMALL_GRID if body.config.hidden_size <= SMALL else PAPER_GRID, changes)


def trials_of(request: Request, space: Space) -> int:
    """Return how many recipes are tried: as many as were asked for, if there are so many."""
    return request.search if request.method == "bayesian" else min(request.search, len(grid(space)))


def load_data(request: Request) -> Data:
    """Read what is to train on and what is held out, and make the task."""
    known = format_of(request.name)
    train = read_examples(request.name, request.data, "train", request.columns)
    if train is None:
        raise CorpusError(
            f"{request.data} has no file to train on; name it, or put 'train' into its name "
            f"{looked_for(request.name, request.data)}"
        )
    task = known.task(train, request.columns)  # with the labels of all of them, whatever the limit
    if request.stride is not None:
        if not isinstance(task, QuestionTask):
            raise InputError(f"--stride is for questions, and {request.name} is {task.kind}; leave it out")
        task = replace(task, stride=request.stride)
    dev = dev_of(request)
    if dev is None:
        train, dev = hold_out(train, request.hold_out, request.seed)
    if request.limit is not None:
        random.Random(request.seed).shuffle(train)  # files are often sorted by label
        train = train[: request.limit]
    return Data(task, train, dev)


def dev_of(request: Request) -> list[Any] | None:
    """Return the held-out examples that are named, or lie beside those to train on; None: there are none."""
    if request.dev is None and request.data and format_of(request.name).is_split(request.data):
        return None
    dev = read_examples(request.name, request.dev or request.data, "dev", request.columns)
    if dev is None and request.dev is not None:
        raise CorpusError(
            f"{request.dev} has no held-out file; name it, or put 'dev' into its name "
            f"{looked_for(request.name, request.dev)}"
        )
    return dev


def augmented(request: Request, data: Data, *, progress: bool) -> Data:
    """Return the data with changed copies of the training examples, if that is asked for."""
    if not request.augment:
        return data
    way, dice = WAYS[request.augment](request.model), random.Random(mix_seed(request.seed, 2))
    return data._replace(train=augment(data.train, way, dice=dice, progress=progress))


def load_start(request: Request) -> Start:
    """Return body and vocabulary, with random weights if that is asked for."""
    body, tokenizer = load_body(request.model)
    return Start(random_body(body, request.seed) if request.scratch else body, tokenizer)


def random_body(body: BertModel, seed: int) -> BertModel:
    """Return a body of the same shape that has learned nothing."""
    with seeded(mix_seed(seed, 1), pick_device("cpu")):
        return BertModel(body.config)


def featured(data: Data, start: Start, max_length: int) -> tuple[Features, WindowCounts | None]:
    """Return the training examples as numbers, once for all runs, and what became of long contexts."""
    inputs = Inputs(data.train, start.tokenizer, max_length)
    if isinstance(data.task, QuestionTask):
        return data.task.counted(inputs)
    return data.task.features(inputs, training=True), None


def tell_start(request: Request, data: Data, say: Say) -> None:
    """Say what begins: the model, the examples, and what is likely to be a mistake."""
    say(f"model: {request.model}{', its weights replaced by random ones' if request.scratch else ''}")
    say(f"{counted(len(data.train), 'example')} to train on, {len(data.dev):,} held out; {data.task.kind}")
    if (request.out / TASK).exists():
        say(f"{request.out} holds a model of the same task and data; it will be replaced")
    if request.scratch and (request.build or request.changes.get("freeze") == "body"):
        say("the body is frozen (--build or --freeze) and random (--from-scratch); leave one of the two out")


def tell_windows(counts: WindowCounts, say: Say) -> None:
    """Say into how many windows the contexts were cut, and what became of the answers."""
    say(
        f"{counted(counts.questions, 'question')}, {counted(counts.windows, 'window')}; "
        f"{counts.without_answer:,} of them without the answer to their question, "
        f"{counted(counts.lost, 'answer')} in no window"
    )
    if counts.skipped:
        say(f"{counted(counts.skipped, 'question')} left out: the answer is not where its offset says")
    if counts.widened:
        say(f"{counted(counts.widened, 'answer')} widened to whole pieces")


def tell_unknown(request: Request, start: Start, features: Features, say: Say) -> None:
    """Warn of texts in a language that the vocabulary does not know."""
    tokenizer, ids = start.tokenizer, features.ids
    share = np.mean(ids[~np.isin(ids, (tokenizer.cls_id, tokenizer.sep_id))] == tokenizer.unk_id)
    if share > UNKNOWN:
        say(
            f"{share:.0%} of the pieces are unknown to {Path(request.model).name}; try --model with one "
            "that knows the language, such as tiny-zh for Chinese"
        )
