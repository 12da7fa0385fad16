"""Read what a run learned: its curves, and its share of right answers. See :mod:`measured`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sheets import Bar, Figure, Group, Json, Line, Panel, Sheet, Table, label

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GALLERY_HIGHEST = 9.0  # the scale of chapter 09, so that both pictures are one
COUNTING = ("unigram", "bigram")
LAST = 10  # entries of a training curve whose mean says where it ends


def runs(found: Json) -> Sheet:
    """Read several runs; they get letters, so that a reader may guess before the table tells."""
    lettered = list(zip(LETTERS, found["runs"], strict=False))
    table = Table(
        head=("", "what is wrong", "training loss", "held-out loss", "pairs judged right"),
        sections=(("", tuple((letter, run["cause"], *ends(run)) for letter, run in lettered)),),
    )
    return Sheet(
        panels=tuple(Panel(title=letter, lines=lines(run)) for letter, run in lettered),
        tables=(table,),
        level=found.get("unigram"),
        highest=GALLERY_HIGHEST,
        answers="What was wrong with each",
    )


def one_run(found: Json) -> Sheet:
    """Read one run; the table holds some of its held-out points."""
    valid = found["valid"]
    keys = [key for key in valid if len(valid[key]) == len(valid["step"])]
    rows = tuple(tuple(valid[key][place] for key in keys) for place in thin(range(len(valid["step"])), 8))
    return Sheet(
        panels=(Panel(title="", lines=lines(found)),),
        tables=(Table(head=tuple(map(label, keys)), sections=(("", rows),)),) if rows else (),
        level=found.get("unigram"),
    )


def lines(run: Json) -> tuple[Line, ...]:
    """Return the training curve as a line and the held-out curve as dots; a curve may still be empty."""
    made = []
    for name, key, dots in (("training", "train", False), ("held-out text", "valid", True)):
        columns = run[key]
        points = [
            pair for pair in zip(columns["step"], columns["mlm_loss"], strict=True) if pair[1] is not None
        ]
        if points:
            x, y = zip(*points, strict=True)
            made.append(Line(name=name, x=x, y=y, dots=dots))
    return tuple(made)


def ends(run: Json) -> tuple[float, float, float]:
    """Return where a run ends: training loss, held-out loss, pairs judged right."""
    last = run["train"]["mlm_loss"][-LAST:]
    return sum(last) / len(last), run["valid"]["mlm_loss"][-1], run["valid"]["nsp_accuracy"][-1]


def shares(found: Json) -> Sheet:
    """Read shares of right answers, what else is a number, and the blanks if there are any."""
    bars = tuple(share_bar(name, value) for name, value in found["accuracy"].items())
    facts = {key: value for key, value in found.items() if isinstance(value, int | float)}
    blanks = [
        {"text": blank["text"], "guesses": " · ".join(blank["guesses"]), "stood there": blank["answer"]}
        for blank in found.get("blanks", ())
    ]
    figure = Figure(groups=(Group(title="", bars=bars),), share=True)
    tables = tuple(table_of(rows) for rows in ([facts], blanks) if rows and rows[0])
    return Sheet(figures=(figure,), tables=tables)


def share_bar(name: str, value: float | Json, *, baseline: bool = False) -> Bar:
    """Return one share, or the mean over seeds with its lowest and highest."""
    mean, low, high = (
        (value["mean"], value["low"], value["high"]) if isinstance(value, Mapping) else (value,) * 3
    )
    return Bar(name=name, value=mean, low=low, high=high, baseline=baseline or name in COUNTING)


def table_of(rows: Sequence[Json]) -> Table:
    """Make a table of mappings; what is itself a list or a mapping has no place in it."""
    keys = dict.fromkeys(key for row in rows for key in row)
    flat = [key for key in keys if not any(isinstance(row.get(key), list | Mapping) for row in rows)]
    cells = tuple(tuple(row.get(key) for key in flat) for row in rows)
    return Table(head=tuple(map(label, flat)), sections=(("", cells),))


def thin(places: Sequence[int], most: int) -> list[int]:
    """Return at most so many of the places, evenly, the first and the last among them."""
    if len(places) <= most:
        return list(places)
    step = (len(places) - 1) / (most - 1)
    return [places[round(number * step)] for number in range(most)]
