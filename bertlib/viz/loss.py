"""Learning curves: one or several runs, from a run's diary (JSON lines) or from numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from bertlib.errors import InputError
from bertlib.train.log import read_log as read_diary
from bertlib.viz.style import COLOURS, INK, LINES, SMALL, prepare

Curve = tuple[np.ndarray, np.ndarray]
Event = Mapping[str, Any]
Label = tuple[str, float, str]  # name, height in data units, colour
TRAIN, HELD_OUT = "train", "held-out"
EVENTS = {TRAIN: "train", HELD_OUT: "valid"}  # what bertlib.train.log calls them
AXES = {
    "step": "step",
    "loss": "loss (nats)",
    "mlm_loss": "loss of masked words (nats)",
    "nsp_loss": "loss of pairs (nats)",
    "masked_accuracy": "masked words guessed right",
    "nsp_accuracy": "pairs judged right",
    "learning_rate": "learning rate",
}
LINE_HEIGHT = 1.25 * SMALL / 72  # inches between two labels


def read_log(
    log: str | Path | Iterable[Event], *, y: str = "loss", x: str = "step", event: str | None = None
) -> Curve:
    """Read two columns of a run's diary; lines without both fields are passed over.

    Args:
        log: path of a JSON-lines file, or its events as mappings.
        y: field of the second column.
        x: field of the first column.
        event: only lines of this kind, e.g. ``"train"`` or ``"valid"``; None: all.

    Raises:
        InputError: not one line has both fields.
    """
    lines = read_events(log)
    points = [
        (line[x], line[y])
        for line in lines
        if x in line and y in line and (event is None or line.get("event") == event)
    ]
    if not points:
        which = f"{event!r} line" if event else "line"
        raise InputError(f"no {which} of the log has both {x!r} and {y!r}; the fields are {fields(lines)}")
    return np.array([p[0] for p in points], dtype=float), np.array([p[1] for p in points], dtype=float)


def read_events(log: str | Path | Iterable[Event]) -> list[Event]:
    """Return the events of a log; a last line that was cut off in mid-write is passed over."""
    if not isinstance(log, str | Path):
        return list(log)
    return list(read_diary(log))


def fields(lines: Sequence[Event]) -> str:
    """Return the names of all fields, for an error message."""
    return ", ".join(sorted({name for line in lines for name in line})) or "none"


def draw_training(
    ax: Axes,
    log: str | Path | Iterable[Event],
    *,
    y: str = "mlm_loss",
    baselines: Mapping[str, float] | None = None,
    smooth: int = 1,
    learning_rate: bool = False,
) -> Axes:
    """Draw one run: training as a line, held-out text as a line with dots, baselines dashed.

    Args:
        ax: where to draw.
        log: a run's ``log.jsonl`` or its events, e.g. from :func:`bertlib.train.log.read_log`.
        y: field to draw; a curve that lacks it (``masked_accuracy`` in training) is left out.
        baselines: name: value that counting alone achieves, in the units of ``y``.
        smooth: width of the moving mean over training lines; the raw curve stays visible behind it.
        learning_rate: draw the learning rate as well, filled and faint, with its scale on the right.

    Raises:
        InputError: no line has the field.
    """
    events = read_events(log)
    found = {kind for kind in EVENTS if any(y in e for e in events if e.get("event") == EVENTS[kind])}
    if not found:
        raise InputError(f"no line of the log has {y!r}; the fields are {fields(events)}")
    if learning_rate:
        draw_rate(ax, read_log(events, y="learning_rate", event=EVENTS[TRAIN]))
    labels: list[Label] = []
    for kind, colour in ((TRAIN, "token"), (HELD_OUT, "query")):
        if kind in found:
            curve = read_log(events, y=y, event=EVENTS[kind])
            labels.append(draw_run(ax, kind, curve, COLOURS[colour], smooth if kind == TRAIN else 1))
            if kind == HELD_OUT:
                ax.plot(*curve, "o", color=COLOURS[colour], markersize=3.5)
    return finish(ax, labels + draw_baselines(ax, baselines), x="step", y=y)


def draw_loss(
    ax: Axes,
    runs: Mapping[str, Any],
    *,
    baselines: Mapping[str, float] | None = None,
    smooth: int = 1,
    y: str = "loss",
    x: str = "step",
    event: str | None = None,
) -> Axes:
    """Draw the curves of several runs, each named at its end, and baselines as dashed lines.

    Args:
        ax: where to draw.
        runs: name: a run's ``log.jsonl``, or a list of its events, or a pair of arrays (steps,
            losses) in a tuple, or losses alone.
        baselines: name: loss of something that every model should beat.
        smooth: width of the moving mean in points; the raw curve stays visible behind it.
        y: field of the log on the vertical axis.
        x: field of the log on the horizontal axis.
        event: only lines of this kind, ``"train"`` or ``"valid"``.

    Raises:
        InputError: a log without the fields.
    """
    labels = [
        draw_run(ax, name, as_curve(run, x=x, y=y, event=event), COLOURS[LINES[number % len(LINES)]], smooth)
        for number, (name, run) in enumerate(runs.items())
    ]
    return finish(ax, labels + draw_baselines(ax, baselines), x=x, y=y)


def draw_run(ax: Axes, name: str, curve: Curve, colour: str, smooth: int) -> Label:
    """Draw one curve; return the label that belongs beside its last point."""
    steps, losses = curve
    if smooth > 1:
        ax.plot(steps, losses, color=colour, linewidth=0.7, alpha=0.3)
        losses = moving_mean(losses, smooth)
    ax.plot(steps, losses, color=colour, linewidth=1.8)
    return name, float(losses[-1]), colour


def draw_baselines(ax: Axes, baselines: Mapping[str, float] | None) -> list[Label]:
    """Draw dashed horizontal lines; return their labels."""
    for value in (baselines or {}).values():
        ax.axhline(value, color=COLOURS["sum"], linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    return [(name, float(value), COLOURS["sum"]) for name, value in (baselines or {}).items()]


def draw_rate(ax: Axes, curve: Curve) -> None:
    """Fill the area under the learning rate in the lowest third, behind the curves; its peak is named."""
    twin = prepare(ax.twinx())
    twin.set_axis_off()
    twin.fill_between(*curve, color=COLOURS["position"], alpha=0.18, linewidth=0)
    twin.plot(*curve, color=COLOURS["position"], linewidth=0.8)
    peak = int(curve[1].argmax())
    twin.set_ylim(0, 3 * curve[1][peak])
    twin.annotate(f"learning rate, at most {curve[1][peak]:g}", (curve[0][peak], 0), xytext=(0, 6),
                  textcoords="offset points", fontsize=SMALL, color=INK)  # fmt: skip
    ax.set_zorder(twin.get_zorder() + 1)
    ax.patch.set_visible(False)


def finish(ax: Axes, labels: Sequence[Label], *, x: str, y: str) -> Axes:
    """Name the axes and write the labels at the right edge, none upon another."""
    visible = ax.patch.get_visible()
    prepare(ax).spines[["top", "right"]].set_visible(False)
    ax.patch.set_visible(visible)
    ax.set_xlabel(AXES.get(x, x), fontsize=SMALL)
    ax.set_ylabel(AXES.get(y, y), fontsize=SMALL)
    low, high = ax.get_ylim()
    height = ax.get_window_extent().height / ax.figure.dpi  # inches
    heights = [(value - low) / (high - low) for _, value, _ in labels]
    places = spread(heights, gap=LINE_HEIGHT / max(height, LINE_HEIGHT))
    for (name, _, colour), true, place in zip(labels, heights, places, strict=True):
        pointer = {"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0}
        ax.annotate(name, (1, true), xycoords="axes fraction", xytext=(1.03, place), fontsize=SMALL,
                    textcoords="axes fraction", color=colour, va="center", arrowprops=pointer,
                    weight="normal" if colour == COLOURS["sum"] else "bold",
                    annotation_clip=False)  # fmt: skip
    return ax


def spread(heights: Sequence[float], *, gap: float) -> list[float]:
    """Move heights apart, from below, until neighbours are at least ``gap`` from each other."""
    placed = dict.fromkeys(range(len(heights)), 0.0)
    below = -np.inf
    for number in sorted(placed, key=lambda n: heights[n]):
        placed[number] = below = max(heights[number], below + gap)
    return list(placed.values())


def as_curve(run: Any, *, x: str, y: str, event: str | None) -> Curve:
    """Turn any of the accepted forms of a run into two arrays."""
    if isinstance(run, str | Path) or (isinstance(run, list) and run and isinstance(run[0], Mapping)):
        return read_log(run, x=x, y=y, event=event)
    if isinstance(run, tuple) and len(run) == 2:
        return np.asarray(run[0], dtype=float), np.asarray(run[1], dtype=float)
    losses = np.asarray(run, dtype=float)
    return np.arange(len(losses), dtype=float), losses


def moving_mean(values: np.ndarray, width: int) -> np.ndarray:
    """Return the mean of each value and the ``width`` - 1 before it (fewer at the start)."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
