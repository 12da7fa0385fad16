"""``bertlib finetune``, ``bertlib evaluate`` and ``bertlib predict``: one body, many tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from bertlib.console import Json, show, whisper
from bertlib.errors import InputError

Run = Annotated[Path, typer.Argument(help="Folder that `bertlib finetune` wrote.")]
Ensemble = Annotated[
    list[Path] | None,
    typer.Option(help="Folder of another run on the same data, to answer together; may be repeated."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        help="By how much no answer must beat the best one (google-research/bert: "
        "null_score_diff_threshold) [default: as tuned]."
    ),
]


def add_finetuning(app: typer.Typer) -> None:
    """Give the command line its three commands."""
    app.command("finetune")(finetune)
    app.command("evaluate")(evaluate)
    app.command("predict")(predict)


def finetune(
    task: Annotated[str, typer.Argument(help="Name of the task; `bertlib finetune list` tells them all.")],
    data: Annotated[
        Path | None, typer.Argument(help="Folder, or file to train on; none for story-… tasks.")
    ] = None,
    dev: Annotated[
        Path | None, typer.Option(help="Held-out file or folder [default: beside DATA, or set aside].")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write [default: runs/TASK].")] = None,
    model: Annotated[
        str | None, typer.Option(help="Folder or name of a pre-trained model [default: your newest run].")
    ] = None,
    from_scratch: Annotated[
        bool,
        typer.Option("--from-scratch", help="Begin with random weights: what is pre-training good for?"),
    ] = False,
    epochs: Annotated[int | None, typer.Option(help="Passes over the examples [default: 3].")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="At its peak [default: by the model's size].")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples a step [default: 32].")] = None,
    max_length: Annotated[int | None, typer.Option(help="Pieces a text [default: 128].")] = None,
    dropout: Annotated[float | None, typer.Option(help="In body and head [default: 0.1].")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of matrices [default: 0.01].")] = None,
    layer_decay: Annotated[
        float | None, typer.Option(help="Rate of a layer over that of the one above [default: 1].")
    ] = None,
    freeze: Annotated[
        str | None, typer.Option(help="Keep as it is: embeddings, a number of lowest blocks, or body.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a better score [default: never].")
    ] = None,
    build: Annotated[
        str, typer.Option(help="Instead of a head on all of it: adapters:16, lora:4, bilstm:concat-last-4.")
    ] = "",
    stride: Annotated[
        int | None,
        typer.Option(
            help="Pieces from window to window of a long context, for questions (google-research/bert: "
            "doc_stride) [default: a third of --max-length]."
        ),
    ] = None,
    augment: Annotated[
        str, typer.Option(help="Learn from a changed copy of each text too: drop, swap or replace words.")
    ] = "",
    seed: Annotated[int | None, typer.Option(help="Decides head, dropout and order [default: 0].")] = None,
    seeds: Annotated[int, typer.Option(help="Number of runs, with a seed each; the best is kept.")] = 1,
    search: Annotated[int, typer.Option(help="Number of recipes to try; the best is kept.")] = 0,
    method: Annotated[str, typer.Option(help="Of the search: random, grid or bayesian (Optuna).")] = "random",
    limit: Annotated[int | None, typer.Option(help="Train on so many examples only.")] = None,
    hold_out: Annotated[float, typer.Option(help="Share set aside where nothing is held out.")] = 0.1,
    text: Annotated[str, typer.Option(help="Column with the text (classify, regress).")] = "text",
    pair: Annotated[str | None, typer.Option(help="Column with the second text.")] = None,
    label: Annotated[str, typer.Option(help="Column with the label.")] = "label",
    no_header: Annotated[bool, typer.Option("--no-header", help="Columns are called 0, 1, 2 …")] = False,
    word: Annotated[int, typer.Option(help="Column of the words, from 0 (tag).")] = 0,
    tag: Annotated[int, typer.Option(help="Column of the tags; -1 is the last (tag).")] = -1,
    language: Annotated[str, typer.Option(help="en or zh: of the story world, and of answers.")] = "en",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar, no stages.")] = False,
    as_json: Json = False,
) -> None:
    """Fine-tune a pre-trained BERT on a task, and keep the best epoch.

    **Examples**

    `bertlib finetune list`

    `bertlib finetune story-sentiment`

    `bertlib finetune sst2 glue/SST-2 --seeds 3`

    `bertlib finetune classify mails.csv --text body --label topic --epochs 5`

    `bertlib finetune tag wnut17/ --build bilstm:concat-last-4`

    `bertlib finetune squad squad_v1.1/ --limit 20000 --out runs/answers`

    `bertlib finetune rte glue/RTE --search 8 --method bayesian`
    """
    from bertlib.finetune.formats import FORMATS, Columns, suited_model
    from bertlib.finetune.qa import Language
    from bertlib.finetune.run import Request, report, run
    from bertlib.pretrained import default_model

    if task == "list":
        about = {name: one.about for name, one in FORMATS.items()}
        show(about, [f"{name:<20} {line}" for name, line in about.items()], as_json=as_json)
        return
    changes = {
        "epochs": epochs, "learning_rate": learning_rate, "batch_size": batch_size, "max_length": max_length,
        "dropout": dropout, "weight_decay": weight_decay, "layer_decay": layer_decay, "freeze": freeze,
        "patience": patience, "seed": seed,
    }  # fmt: skip
    chosen = model or str(default_model(suited=suited_model(task, language)))
    request = Request(
        name=task, data=data, dev=dev, out=out or Path("runs") / task, model=chosen, scratch=from_scratch,
        build=build, stride=stride, augment=augment, changes=changes, limit=limit, hold_out=hold_out,
        seeds=seeds, search=search, method=method, device=device, columns=Columns(
            text=text, pair=pair, label=label, header=not no_header, word=word, tag=tag,
            language=cast(Language, language),
        ),
    )  # fmt: skip
    say = (lambda _: None) if quiet else whisper
    result = run(request, say=say, progress=not quiet)
    show(result.to_dict(), report(result), as_json=as_json)


def evaluate(
    run: Run,
    data: Annotated[
        Path | None, typer.Argument(help="Folder or file with labels; none for story-… tasks.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="Of a folder: dev or test; of MNLI also dev_mismatched …")
    ] = "dev",
    predictions: Annotated[
        Path | None,
        typer.Option(help="Mark these instead, as `bertlib predict --out` wrote them."),
    ] = None,
    ensemble: Ensemble = None,
    threshold: Threshold = None,
    as_json: Json = False,
) -> None:
    """Mark a fine-tuned model on examples whose labels are known.

    **Examples**

    `bertlib evaluate runs/sst2 glue/SST-2`

    `bertlib evaluate runs/classify more-mails.csv`

    `bertlib evaluate runs/imdb aclImdb/ --split test --json`

    `bertlib evaluate runs/first glue/RTE --ensemble runs/second --ensemble runs/third`
    """
    from bertlib.finetune.asking import adjusted, read_for, read_verdicts
    from bertlib.finetune.ensemble import answers
    from bertlib.finetune.folder import load_finetuned
    from bertlib.finetune.telling import counted, scores_line

    if predictions and (ensemble or threshold is not None):
        raise InputError("predictions are marked as they are; leave out --ensemble and --threshold")
    tuned = adjusted(load_finetuned(run), null_threshold=threshold)
    models = [tuned, *map(load_finetuned, ensemble or [])]
    examples = read_for(tuned, data, split, labels=True)
    if predictions is not None:
        said = read_verdicts(tuned.task, predictions, examples, name=tuned.facts["name"])
    elif ensemble:
        said = answers(models, examples, progress=True)[0]
    else:
        said = tuned.predict(examples, progress=True)
    scores = tuned.task.score(said, examples)
    values = {"run": str(run), "examples": len(examples), "scores": scores}
    show(values, [f"{counted(len(examples), 'example')}: {scores_line(scores)}"], as_json=as_json)


def predict(
    run: Run,
    data: Annotated[
        Path | None, typer.Argument(help="Folder or file; labels are not looked at. None for story-… tasks.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="A text, a question or a beginning, typed here.")] = None,
    others: Annotated[
        list[str] | None, typer.Option("--and", help="The second text, the context, or each of the ends.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="Of a folder: dev or test; of MNLI also dev_mismatched …")
    ] = "test",
    out: Annotated[
        Path | None,
        typer.Option(
            help="File for the predictions, a JSON object a line; NAME.json for questions and NAME.tsv for "
            "GLUE are what the official scripts read."
        ),
    ] = None,
    ensemble: Ensemble = None,
    threshold: Threshold = None,
    n_best: Annotated[
        int | None,
        typer.Option(
            help="Answers that --json lists for a question; n_best_size in google-research/bert "
            "[default: 20]."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a fine-tuned model makes of new examples.

    **Examples**

    `bertlib predict runs/sst2 --text "a film to fall asleep in"`

    `bertlib predict runs/squad --text "Who sang?" --and "Anna sang in the garden."`

    `bertlib predict runs/classify new-mails.csv --out predictions.jsonl`
    """
    from bertlib.files import check_writable
    from bertlib.finetune.asking import adjusted, line_of, plain, read_for, typed
    from bertlib.finetune.ensemble import answers
    from bertlib.finetune.folder import load_finetuned
    from bertlib.finetune.formats import FORMATS, STORY
    from bertlib.finetune.reading import check_out, write_predictions
    from bertlib.finetune.telling import counted

    if out:
        check_writable(out, file=True)
    tuned = adjusted(load_finetuned(run), null_threshold=threshold, n_best=n_best)
    models = [tuned, *map(load_finetuned, ensemble or [])]
    name = tuned.facts.get("name", "")
    if out:
        check_out(out, FORMATS[name].official if name in FORMATS else "")
    nothing = text is None and data is None and not name.startswith(STORY)
    if nothing or (text is not None and data is not None):
        raise InputError("expected either a file or folder, or one text with --text")
    if others and text is None:
        raise InputError("--and goes with --text; leave it out with a file or folder")
    if text is not None:
        examples = [typed(tuned.task, text, others or [])]
    else:
        examples = read_for(tuned, data, split, labels=False)
    said, more = answers(models, examples, progress=not as_json)
    if out:
        source = f"{data}, {split}" if data and data.is_dir() else str(data or "")
        write_predictions(out, examples, [plain(verdict) for verdict in said], task=name, data=source)
        lines = [f"{counted(len(examples), 'prediction')} in {out}"]
        show({"out": str(out), "examples": len(examples)}, lines, as_json=as_json)
        return
    rows: list[dict[str, Any]] = [
        {"name": one.name, "prediction": plain(verdict), **extra}
        for one, verdict, extra in zip(examples, said, more, strict=True)
    ]
    if as_json:
        typer.echo("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
        return
    for one, verdict, extra in zip(examples, said, more, strict=True):
        typer.echo(line_of(one, verdict, extra))
