"""``bertlib search``: a question to a folder of texts; ``bertlib search-train``: a model for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertlib.console import Encoding, Errors, Json, show, whisper
from bertlib.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from bertlib.search import Hit, Passage, VectorIndex
    from bertlib.variants.sentence import SentenceEncoder

SHOWN = 1000  # characters of a passage that are printed
METHODS = "vectors, words (BM25, needs no model) or both (the two rankings joined)"


def add_search(app: typer.Typer) -> None:
    """Give the command line its two commands."""
    app.command("search")(search)
    app.command("search-train")(search_train)


def search(
    source: Annotated[str, typer.Argument(help="A folder of .txt (.gz, .xz), .md and .ipynb, or one file.")],
    question: Annotated[str, typer.Argument(help="What to look for.")],
    model: Annotated[
        str, typer.Option(help="Folder of a sentence encoder or a model, or the name of a shipped one.")
    ] = "mini-books",
    method: Annotated[str, typer.Option(help=f"{METHODS}.")] = "both",
    top: Annotated[int, typer.Option(help="Passages to print.")] = 5,
    rerank: Annotated[
        Path | None, typer.Option(help="Folder of a cross-encoder that looks at the best again.")
    ] = None,
    blend: Annotated[
        bool, typer.Option("--blend/--no-blend", help="Add the words' score (BM25) to the cross-encoder's.")
    ] = True,
    index: Annotated[
        Path | None, typer.Option(help="File to keep the vectors in, so that the next search is quick.")
    ] = None,
    sentences: Annotated[
        int | None, typer.Option(help="Sentences a passage [default: a paragraph, of 80 words at most].")
    ] = None,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    as_json: Json = False,
) -> None:
    """Find the passages that answer a question.

    **Examples**

    `bertlib search chapters/ "What does [CLS] know before fine-tuning?"`

    `bertlib search texts/ "Who built the ship?" --method words`

    `bertlib search texts/ "Who built the ship?" --index texts.index --top 10 --json`
    """
    from bertlib.finetune.telling import counted, cut
    from bertlib.search import BM25, CrossEncoder, Searcher, read_passages
    from bertlib.search.bm25 import words_of
    from bertlib.search.engine import check_search

    check_search(question, method, top)
    skipped: list[str] = []
    passages = read_passages(source, sentences=sentences, encoding=encoding, errors=errors, skipped=skipped)
    if skipped:
        what = f"{counted(len(skipped), 'file')} skipped that cannot be read; search one alone to see why"
        whisper(f"{what}: {cut(', '.join(skipped), SHOWN)}")
    encoder = vectors = None
    if method != "words":
        encoder, trained = open_encoder(model)
        if not trained:
            whisper(f"the vectors of {model} have not learned to search; `bertlib search-train` teaches them")
        vectors = open_index(index, encoder, passages)
    searcher = Searcher(
        passages=passages,
        words=BM25([passage.text for passage in passages]),
        encoder=encoder,
        index=vectors,
        reranker=CrossEncoder.load(rerank) if rerank else None,
        blended=blend,
    )
    hits = searcher.search(question, top=top, method=method)
    values = {
        "question": question,
        "method": method,
        "model": None if encoder is None else model,
        "rerank": str(rerank) if rerank else None,
        "blend": blend if rerank else None,
        "passages": len(passages),
        "skipped": skipped,
        "hits": [hit.passage._asdict() | {"score": hit.score} for hit in hits],
    }
    lines = report(hits, lambda text: searcher.mark(text, question, marked))
    if method != "vectors" and not any(map(searcher.words.frequency, words_of(question))):
        nearest = "; the nearest by vectors:" if hits else ""
        lines = [f"no passage shares a word with the question{nearest}", *lines]
    show(values, lines, as_json=as_json)


def search_train(
    pairs: Annotated[Path, typer.Argument(help="Lines of question, tab, passage that answers it.")],
    out: Annotated[Path, typer.Option(help="Folder for the sentence encoder.")],
    rerank: Annotated[Path | None, typer.Option(help="Folder for a cross-encoder, trained as well.")] = None,
    model: Annotated[str, typer.Option(help="Folder or name of the model to begin with.")] = "mini-books",
    epochs: Annotated[int, typer.Option(help="Passes over the pairs.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the order.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    as_json: Json = False,
) -> None:
    """Teach a model to search, from questions and the passages that answer them.

    **Examples**

    `bertlib search-train questions.tsv --out runs/searcher --rerank runs/judge`

    `bertlib search texts/ "Who built the ship?" --model runs/searcher --rerank runs/judge`
    """
    from bertlib.device import pick_device
    from bertlib.files import check_writable
    from bertlib.finetune.folder import load_body
    from bertlib.folders import check_replaceable
    from bertlib.search import rerank as reranking
    from bertlib.search import teaching
    from bertlib.search.matching import MatchingHead
    from bertlib.variants.sentence import FACTS

    recipes = [replace(one, epochs=epochs, seed=seed) for one in (teaching.ENCODING, teaching.RERANKING)]
    if rerank and rerank.resolve() == out.resolve():
        raise InputError(f"--out and --rerank are both {out}; expected a folder for each model")
    taught = teaching.read_questions(pairs)
    examples = teaching.judged_pairs(taught) if rerank else []
    for folder, name in [(out, FACTS), *([(rerank, reranking.FACTS)] if rerank else [])]:
        check_replaceable(folder, name)
        check_writable(folder)
    body, tokenizer = load_body(model)
    body = body.to(pick_device(device))
    teaching.taught_encoder(body, tokenizer, taught, recipe=recipes[0], progress=not quiet).save(out)
    if rerank:
        judge = reranking.CrossEncoder(MatchingHead(body), tokenizer)
        reranking.train_reranker(judge, examples, recipe=recipes[1], progress=not quiet)
        judge.save(rerank)
    options = f"--model {out}" + (f" --rerank {rerank}" if rerank else "")
    values = {
        "questions": len(taught), "model": model, "out": str(out), "rerank": str(rerank) if rerank else None,
    }  # fmt: skip
    lines = [f"learned from {len(taught):,} questions", f'next: bertlib search FOLDER "question" {options}']
    show(values, lines, as_json=as_json)


def open_encoder(model: str) -> tuple[SentenceEncoder, bool]:
    """Return a sentence encoder, and whether it was trained as one; else a body with mean pooling."""
    from bertlib.finetune.folder import load_body
    from bertlib.variants.sentence import FACTS, SentenceEncoder

    if (Path(model) / FACTS).exists():
        encoder = SentenceEncoder.load(model)
        if not encoder.normalise:
            raise InputError(f"{model} gives vectors of any length; expected one saved with normalise=True")
        return encoder, True
    return SentenceEncoder(*load_body(model)).eval(), False


def open_index(file: Path | None, encoder: SentenceEncoder, passages: list[Passage]) -> VectorIndex:
    """Return the vectors of the passages: read from ``file``, made anew where the texts have changed.

    Raises:
        CheckpointError: ``file`` is no index, or one of other texts or by another model.
        BertlibError: it cannot be written.
    """
    from bertlib.files import check_writable
    from bertlib.search import VectorIndex, build_index

    old = VectorIndex.load(file) if file and file.exists() else None
    if old is not None:
        old.check(encoder)
        if old.passages == passages:
            return old
        if {passage.text for passage in old.passages}.isdisjoint(passage.text for passage in passages):
            raise CheckpointError(
                f"{file} holds the vectors of other texts, and writing would replace them; name another file"
            )
        whisper(f"the texts have changed since {file} was written; what is new is read")
    if file:
        check_writable(file)
    made = build_index(encoder, passages, old=old)
    if file:
        whisper(f"index: {made.save(file)}")
    return made


def report(hits: list[Hit], mark: Callable[[str], str]) -> list[str]:
    """Return file, line, score and text of each hit, as lines."""
    from bertlib.finetune.telling import cut

    lines: list[str] = []
    for (text, file, first, last), score in hits:
        place = f"{file}:{first}" + (f"-{last}" if last > first else "")
        lines += [f"{place}  {score:.3f}", f"  {mark(cut(text, SHOWN))}", ""]
    return lines[:-1]


def marked(word: str) -> str:
    """Bold on a terminal, between asterisks in a file."""
    return typer.style(word, bold=True) if sys.stdout.isatty() else f"*{word}*"
