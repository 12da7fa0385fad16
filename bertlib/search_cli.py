"""``bertlib search``: a question to a folder of texts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertlib.console import Encoding, Errors, Json, show, whisper
from bertlib.errors import InputError

if TYPE_CHECKING:
    from bertlib.search import Hit, Passage, VectorIndex
    from bertlib.variants.sentence import SentenceEncoder

METHODS = "vectors, words (BM25, needs no model) or both (the two rankings joined)"


def add_search(app: typer.Typer) -> None:
    """Give the command line its search."""
    app.command("search")(search)


def search(
    source: Annotated[str, typer.Argument(help="A folder of .txt (.gz, .xz), .md and .ipynb, or one file.")],
    question: Annotated[str, typer.Argument(help="What to look for.")],
    model: Annotated[
        str, typer.Option(help="Folder of a sentence encoder or a model, or the name of a shipped one.")
    ] = "mini-books",
    method: Annotated[str, typer.Option(help=f"{METHODS}.")] = "both",
    top: Annotated[int, typer.Option(help="Passages to print.", min=1)] = 5,
    rerank: Annotated[
        Path | None, typer.Option(help="Folder of a cross-encoder that looks at the best again.")
    ] = None,
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
    from bertlib.search import BM25, CrossEncoder, Searcher, read_passages
    from bertlib.search.engine import check_search

    check_search(question, method)
    passages = read_passages(source, sentences=sentences, encoding=encoding, errors=errors)
    encoder = vectors = None
    if method != "words":
        encoder, trained = open_encoder(model)
        if not trained:
            whisper(f"{model} was pre-trained only: its vectors have not learned to search")
        vectors = open_index(index, encoder, passages)
    searcher = Searcher(
        passages=passages,
        words=BM25([passage.text for passage in passages]),
        encoder=encoder,
        index=vectors,
        reranker=CrossEncoder.load(rerank) if rerank else None,
    )
    hits = searcher.search(question, top=top, method=method)
    values = {
        "question": question,
        "method": method,
        "model": None if encoder is None else model,
        "rerank": str(rerank) if rerank else None,
        "passages": len(passages),
        "hits": [hit.passage._asdict() | {"score": hit.score} for hit in hits],
    }
    lines = report(hits, lambda text: searcher.mark(text, question, marked))
    show(values, lines or ["no passage shares a word with the question"], as_json=as_json)


def open_encoder(model: str) -> tuple[SentenceEncoder, bool]:
    """Return a sentence encoder, and whether it was trained as one; else a body with mean pooling."""
    from bertlib.store import load_pretrained
    from bertlib.variants.sentence import FACTS, SentenceEncoder

    if (Path(model) / FACTS).exists():
        encoder = SentenceEncoder.load(model)
        if not encoder.normalise:
            raise InputError(f"{model} gives vectors of any length; expected one saved with normalise=True")
        return encoder, True
    body, tokenizer = load_pretrained(model)
    return SentenceEncoder(body.bert, tokenizer).eval(), False


def open_index(file: Path | None, encoder: SentenceEncoder, passages: list[Passage]) -> VectorIndex:
    """Return the vectors of the passages: read from ``file``, made anew where the texts have changed."""
    from bertlib.search import VectorIndex, build_index

    old = VectorIndex.load(file) if file and file.exists() else None
    if old is not None:
        old.check(encoder)
        if old.passages == passages:
            return old
        whisper(f"the texts have changed since {file} was written; what is new is read")
    made = build_index(encoder, passages, old=old)
    if file:
        whisper(f"index: {made.save(file)}")
    return made


def report(hits: list[Hit], mark: Callable[[str], str]) -> list[str]:
    """Return file, line, score and text of each hit, as lines."""
    lines: list[str] = []
    for (text, file, first, last), score in hits:
        place = f"{file}:{first}" + (f"-{last}" if last > first else "")
        lines += [f"{place}  {score:.3f}", f"  {mark(text)}", ""]
    return lines[:-1]


def marked(word: str) -> str:
    """Bold on a terminal, between asterisks in a file."""
    return typer.style(word, bold=True) if sys.stdout.isatty() else f"*{word}*"
