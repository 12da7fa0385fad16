"""``lab.progress``: a small picture of BERT that shows which parts the reader has written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bertlib.errors import InputError
from bertlib.extras import show_html

State = Literal["yours", "now", "ours"]
# fill, border, border pattern: told apart by pattern and label as well as by colour
LOOKS: dict[State, tuple[str, str, str]] = {
    "yours": ("#c9e8dc", "#00694d", ""),
    "now": ("#f9e2b3", "#a85c00", ""),
    "ours": ("#ffffff", "#6b6b6b", "4 3"),
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One box of the picture: its place in pixels, in the order in which it is written."""

    name: str
    x: int
    y: int
    width: int
    height: int


PARTS = (
    Part(name="tokeniser", x=10, y=192, width=208, height=30),
    Part(name="input embeddings", x=10, y=150, width=208, height=30),
    Part(name="self-attention", x=28, y=102, width=172, height=28),
    Part(name="encoder block", x=10, y=64, width=208, height=76),
    Part(name="masked words", x=10, y=10, width=99, height=44),
    Part(name="next sentence", x=119, y=10, width=99, height=44),
    Part(name="data", x=240, y=150, width=80, height=72),
    Part(name="training", x=240, y=10, width=80, height=130),
)


FINISHED = "looking inside"  # writes no part: everything is there


def progress(part: str) -> None:
    """Display which parts of BERT are written when the chapter on ``part`` begins.

    Args:
        part: name of the part that this chapter writes, e.g. ``"input embeddings"``; ``"looking inside"``
            when all are written.

    Raises:
        InputError: no such part (the parts are listed).
    """
    show_html(f"<div>{picture(part)}</div>")


def states(part: str) -> dict[str, State]:
    """Return the state of every part: what comes before ``part`` is yours, the rest is ours."""
    names = [item.name for item in PARTS]
    if part == FINISHED:
        return dict.fromkeys(names, "yours")
    if part not in names:
        raise InputError(f"there is no part {part!r}; the parts are {', '.join([*names, FINISHED])}")
    now = names.index(part)
    return {name: "yours" if i < now else "now" if i == now else "ours" for i, name in enumerate(names)}


def description(part: str) -> str:
    """Return the picture in words, for those who cannot see it."""
    state = states(part)
    yours = [name for name, value in state.items() if value == "yours"]
    ours = [name for name, value in state.items() if value == "ours"]
    before = f"Already yours: {', '.join(yours)}. " if yours else ""
    after = f" Still ours: {', '.join(ours)}." if ours else ""
    now = "Nothing is missing." if part == FINISHED else f"Now: {part}."
    return f"The parts of BERT, from text at the bottom to its two tasks at the top. {before}{now}{after}"


def picture(part: str) -> str:
    """Return the picture as SVG, with its description as title."""
    state = states(part)
    order = sorted(PARTS, key=lambda item: -item.width * item.height)  # the block lies behind what is in it
    boxes = "".join(box(item, state[item.name]) for item in order)
    return (
        f'<svg role="img" aria-label="{description(part)}" viewBox="0 0 330 232" width="330" '
        'style="max-width:100%;background:#fbfaf7;border-radius:8px;font-family:sans-serif">'
        f"{boxes}</svg>"
    )


def box(part: Part, state: State) -> str:
    """Return one labelled box; a part that holds another is labelled at its top."""
    fill, border, dashes = LOOKS[state]
    middle = part.x + part.width / 2
    height = part.y + (20 if part.name == "encoder block" else part.height / 2 + 4)
    words = part.name.split(" ") if part.width < 120 and part.height > 40 else [part.name]
    lines = [*words, f"({state})"] if part.width < 120 and part.height > 40 else [f"{part.name} ({state})"]
    top = height - 7 * (len(lines) - 1)
    text = "".join(
        f'<text x="{middle:g}" y="{top + 14 * i:g}" text-anchor="middle" font-size="11.5" fill="#222">'
        f"{line}</text>"
        for i, line in enumerate(lines)
    )
    width = 2.5 if state == "now" else 1.2
    return (
        f'<rect x="{part.x}" y="{part.y}" width="{part.width}" height="{part.height}" rx="5" fill="{fill}" '
        f'stroke="{border}" stroke-width="{width}" stroke-dasharray="{dashes}"/>{text}'
    )
