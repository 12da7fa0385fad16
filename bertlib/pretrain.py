"""From a folder of txt files to a pre-trained BERT: every stage in one place, in order.

::

    RUN/tokenizer/     the vocabulary, learned from the text (or the one that was given)
    RUN/corpus/        the text as token arrays;  RUN/valid/ likewise when held-out text was given
    RUN/checkpoints/   the newest two
    RUN/log.jsonl      losses, rates, evaluations
    RUN/model/         the result: what `bertlib fill-mask` and load_pretrained read
    RUN/run.json       what was asked for, so that `--resume RUN` needs nothing else
    RUN/.run.lock      locked while a process is at work here, see bertlib.lock
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list

from bertlib.blanks import LONGEST, choose_blanks, fill_blanks
from bertlib.config import BertConfig
from bertlib.data.arrays import META, TokenCorpus
from bertlib.data.batches import BatchConfig, PreTrainingBatches, SpecialIds
from bertlib.data.corpus import sample_texts
from bertlib.data.holdout import hold_out
from bertlib.data.prepare import prepare_corpus
from bertlib.data.story import write_corpus
from bertlib.data.whole_words import continues_word
from bertlib.device import pick_device
from bertlib.errors import CheckpointError, CorpusError
from bertlib.lock import sole_user
from bertlib.model import BertForPreTraining
from bertlib.recipes import Recipe
from bertlib.request import Request, Result
from bertlib.seeds import mix_seed
from bertlib.start import check_start, starting_model, with_its_positions
from bertlib.store import save_pretrained
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.train import BertTrainer, CountingBaselines
from bertlib.train.checkpoint import fill_model
from bertlib.train.processes import process_state, whole_model

VALID_SHIFT = 1_000_003  # keeps the seeds of held-out batches away from those of training
VOCABULARY_SAMPLE_MB = 25.0  # text that a vocabulary is learned from; more changes little
STORY_MB, STORY_VALID_MB = 2.0, 0.15
TRIAL_STEPS = 10, 30  # to get warm, and to measure


def pretrain(
    request: Request, *, resume: bool = False, progress: bool = True, say: Callable[[str], None] = print
) -> Result:
    """Do all of it: text, vocabulary, token arrays, training, evaluation, three blanks.

    Args:
        request: what to do.
        resume: go on with the run in ``request.out``.
        progress: show progress bars.
        say: is given a line at each stage.

    Raises:
        BertlibError: bad input, a full disk, a checkpoint of another run.
    """
    state = process_state(pick_device(request.device))
    say = say if state.is_main_process else _silent
    with sole_user(request.out) if state.is_main_process else nullcontext():
        return _pretrain(request, state, resume=resume, progress=progress, say=say)


def _pretrain(
    request: Request, state: PartialState, *, resume: bool, progress: bool, say: Callable[[str], None]
) -> Result:
    """Do it, in a folder that is ours alone."""
    began, device = time.perf_counter(), state.device
    start, source = starting_model(request), str(request.start)
    if start:
        recipe = with_its_positions(request.recipe, start[0], source)
        request = dataclasses.replace(request, recipe=recipe)
    with state.main_process_first():  # the others find everything made and only open it
        _claim(request, state, resume=resume)
        made = resume or not state.is_main_process
        sources, valid_sources = _texts(request, say)
        tokenizer = _tokenizer(request, sources, start[1] if start else None, made, progress, say)
        if start:
            check_start(request.recipe, tokenizer, start, source)
        train, valid = _corpora(request, sources, valid_sources, tokenizer, made, progress, say)
    batches, valid_batches = make_batches(request.recipe, train, valid, tokenizer, device)
    if request.minutes is not None:
        request = _steps_for_minutes(request, batches, len(tokenizer), say)
    if state.is_main_process:
        request.save()

    model, config = new_model(request.recipe, len(tokenizer)), request.recipe.training_config()
    trainer = BertTrainer(model, batches, config, out=request.out, valid=valid_batches, progress=progress)
    for line in trainer.resume() if resume else []:
        say(line)
    if start and trainer.step == 0:
        fill_model(trainer.plain_model, start[0].state_dict(), source=source)
        say(f"starting from the weights of {source}")
    parameters = sum(p.numel() for p in trainer.plain_model.parameters())
    say(
        f"training a {request.recipe.preset} with {parameters:,} parameters on {device} for "
        f"{request.recipe.steps:,} steps" + (f", from step {trainer.step:,}" if trainer.step else "")
    )
    before = time.perf_counter()
    evaluation = trainer.fit()
    training_seconds = time.perf_counter() - before

    model = whole_model(trainer.plain_model).eval()
    if state.is_main_process:
        save_pretrained(request.out / "model", model, tokenizer)
    dice, chosen = np.random.default_rng(request.recipe.seed), []
    room = request.recipe.positions >= LONGEST + 2  # [CLS] and [SEP]
    if room and request.recipe.objective == "mlm":  # left to right nobody learns to fill a blank
        chosen = choose_blanks(valid, tokenizer, count=3, generator=dice)
    counted = CountingBaselines.count(train.tokens, len(tokenizer))
    return Result(
        out=request.out,
        steps=trainer.step,
        parameters=parameters,
        vocab_size=len(tokenizer),
        baselines=counted.accuracy(map(valid_batches.batch, range(trainer.config.eval_batches))),
        evaluation=evaluation,
        blanks=fill_blanks(model, tokenizer, chosen),
        training_seconds=training_seconds,
        seconds=time.perf_counter() - began,
    )


def make_batches(
    recipe: Recipe,
    train: TokenCorpus,
    valid: TokenCorpus,
    tokenizer: WordPieceTokenizer,
    device: torch.device,
) -> tuple[PreTrainingBatches, PreTrainingBatches]:
    """Return training and held-out batches."""
    return (
        _batches(train, recipe.batch_config(), tokenizer, device),
        held_out_batches(recipe, valid, tokenizer, device),
    )


def held_out_batches(
    recipe: Recipe, valid: TokenCorpus, tokenizer: WordPieceTokenizer, device: torch.device
) -> PreTrainingBatches:
    """Return batches as in training but of held-out text; where it has no pairs, none are asked about.

    That is so of a single document with ``nsp``, and of documents of one sentence with ``sop``.
    """
    config = recipe.batch_config(seed_shift=VALID_SHIFT)
    try:
        batches = _batches(valid, config, tokenizer, device)
        for step in range(0, recipe.eval_batches, batches.steps_per_epoch):
            batches.batch(step, 0, 1)  # little text is cut anew for each pass that an evaluation makes
        return batches
    except CorpusError:
        return _batches(valid, dataclasses.replace(config, nsp=False), tokenizer, device)


def _batches(
    corpus: TokenCorpus, config: BatchConfig, tokenizer: WordPieceTokenizer, device: torch.device
) -> PreTrainingBatches:
    special = SpecialIds(
        tokenizer.pad_id, tokenizer.unk_id, tokenizer.cls_id, tokenizer.sep_id, tokenizer.mask_id
    )
    continues = continues_word(tokenizer.vocab)
    return PreTrainingBatches(corpus, config, special=special, device=device, continues=continues)


def new_model(
    recipe: Recipe,
    vocab_size: int,
    *,
    build: Callable[[BertConfig], BertForPreTraining] = BertForPreTraining,
) -> BertForPreTraining:
    """Build a model whose first weights follow from the recipe's seed; PyTorch's own seed stays as it is.

    Args:
        recipe: sizes and seed.
        vocab_size: word pieces.
        build: makes the model from its sizes; with parts of your own, for instance.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(recipe.seed, 0))
        return build(recipe.model_config(vocab_size))


def _silent(_: str) -> None:
    """Say nothing: what every process but the first does."""


def _claim(request: Request, state: PartialState, *, resume: bool) -> None:
    """Make the run's folder, or refuse one in which there is a run already; the others see it made."""
    if not state.is_main_process:
        if not (request.out / "corpus" / META).exists():
            raise CheckpointError(
                f"process {state.process_index} finds no corpus in {request.out}, where the first has made "
                "one; all processes have to see the same folder"
            )
    elif not resume and (request.out / "run.json").exists():
        raise CheckpointError(
            f"{request.out} holds a run already; go on with `bertlib pretrain --resume {request.out}`, or "
            "choose another folder with --out"
        )
    request.out.mkdir(parents=True, exist_ok=True)


def _texts(request: Request, say: Callable[[str], None]) -> tuple[list[str], list[str]]:
    """Return the sources to train and test on; without any, write stories first."""
    if request.sources:
        return list(request.sources), list(request.valid)
    paths = {split: request.out / "text" / f"{split}.txt" for split in ("train", "valid")}
    for (split, path), size in zip(paths.items(), (STORY_MB, STORY_VALID_MB), strict=True):
        if not path.exists():
            write_corpus(
                path, megabytes=size, seed=request.recipe.seed, language=request.language, split=split,
                world=request.world,
            )  # fmt: skip
            say(f"wrote {size:g} MB of stories into {path}")
    return [str(paths["train"])], [str(paths["valid"])]


def _tokenizer(
    request: Request,
    sources: list[str],
    starting: WordPieceTokenizer | None,
    made: bool,
    progress: bool,
    say: Callable[[str], None],
) -> WordPieceTokenizer:
    """Load the vocabulary that was given or made before, or take the starting model's; else learn one.

    A run that goes on (``made``) has its own, whatever has become of the one that was given.
    """
    home = request.out / "tokenizer"
    if home.exists() and (made or not request.tokenizer):
        tokenizer = WordPieceTokenizer.load(home)
        say(f"using the vocabulary of {len(tokenizer):,} word pieces in {home}")
        return tokenizer
    if request.tokenizer:
        tokenizer = WordPieceTokenizer.load(request.tokenizer)
    elif starting:
        tokenizer = starting
    else:
        texts = sample_texts(sources, VOCABULARY_SAMPLE_MB, encoding=request.encoding, errors=request.errors)
        tokenizer = WordPieceTokenizer.train(
            texts, request.recipe.vocab_size, lowercase=request.recipe.lowercase, progress=progress
        )
        say(f"learned a vocabulary of {len(tokenizer):,} word pieces")
    tokenizer.save(home)
    return tokenizer


def _corpora(
    request: Request,
    sources: list[str],
    valid_sources: list[str],
    tokenizer: WordPieceTokenizer,
    made: bool,
    progress: bool,
    say: Callable[[str], None],
) -> tuple[TokenCorpus, TokenCorpus]:
    """Prepare the text, and the held-out text or a part set aside for it; open what is ``made``."""

    def prepare(texts: list[str], name: str) -> TokenCorpus:
        if made and (request.out / name / META).exists():  # the texts may be gone
            corpus = TokenCorpus.load(request.out / name)
            corpus.check_tokenizer(tokenizer)
            return corpus
        return prepare_corpus(
            texts, tokenizer, request.out / name, encoding=request.encoding, errors=request.errors,
            progress=progress,
        )  # fmt: skip

    corpus = prepare(sources, "corpus")
    say(f"prepared {corpus}")
    return (corpus, prepare(valid_sources, "valid")) if valid_sources else hold_out(corpus)


def _steps_for_minutes(
    request: Request, batches: PreTrainingBatches, vocab_size: int, say: Callable[[str], None]
) -> Request:
    """Measure a few steps on a throw-away model and turn minutes into a number of steps, once."""
    seconds = 60 * float(request.minutes or 0)
    config = request.recipe.replace(steps=TRIAL_STEPS[0] + TRIAL_STEPS[1]).training_config()
    trial = BertTrainer(new_model(request.recipe, vocab_size), batches, config, progress=False)
    trial.train_steps(TRIAL_STEPS[0])  # the first steps are slower
    before = time.perf_counter()
    trial.train_steps(TRIAL_STEPS[1])
    rate = (time.perf_counter() - before) / TRIAL_STEPS[1]
    steps = broadcast_object_list([max(int(seconds / rate), 20)])[0]  # the first process decides
    say(f"{1 / rate:.1f} steps/s measured: {request.minutes:g} minutes are {steps:,} steps")
    return dataclasses.replace(request, recipe=request.recipe.replace(steps=steps), minutes=None)
