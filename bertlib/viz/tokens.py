"""Pictures of word pieces: a vocabulary that grows merge by merge, and a word being cut."""

from __future__ import annotations

from collections.abc import Container, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bertlib.errors import InputError
from bertlib.viz.figure import rounded_box, write
from bertlib.viz.style import COLOURS, NORMAL, Colour, bare, readable_on, tint

INNER = "##"
FIRST, INSIDE = 1.0, 1.45  # width of a word's first letter, and of the others, which carry ## at the start
WORD_GAP = 1.2  # between two words
ROW = 1.45  # height of a row, in letters


def draw_merges(ax: Axes, states: Sequence[Sequence[Sequence[str]]], labels: Sequence[str]) -> Axes:
    """Draw words as boxes, one row before the first merge and one after each; what is new is yellow.

    Args:
        ax: where to draw.
        states: for each row the words, each as its pieces; the words are the same in all rows.
        labels: one a row, written to the left.

    Raises:
        InputError: not one label a row, or rows of different words.
    """
    if len(labels) != len(states):
        raise InputError(f"{len(states)} rows and {len(labels)} labels; expected one label a row")
    if any(spelled(words) != spelled(states[0]) for words in states):
        raise InputError("the rows spell different words; expected the same words, cut differently")
    bare(ax)
    known: set[str] = {piece for word in states[0] for piece in word} if states else set()
    right = 0.0
    for row, (words, label) in enumerate(zip(states, labels, strict=True)):
        right = max(right, draw_row(ax, words, known, y=row * ROW))
        write(ax, -0.6, row * ROW + 0.5, label, ha="right")
        known |= {piece for word in words for piece in word}
    ax.set_xlim(-0.6 - 0.5 * max(map(len, labels), default=0), right)
    ax.set_ylim(len(states) * ROW, -0.4)
    return ax


def spelled(words: Sequence[Sequence[str]]) -> list[str]:
    """Return words without their cuts."""
    return ["".join(piece.removeprefix(INNER) for piece in word) for word in words]


def width(piece: str) -> float:
    """Return the width of a piece's box: that of its letters in the first row, so that rows line up."""
    letters = len(piece.removeprefix(INNER))
    return INSIDE * letters if piece.startswith(INNER) else FIRST + INSIDE * (letters - 1)


def draw_row(ax: Axes, words: Sequence[Sequence[str]], known: Container[str], *, y: float) -> float:
    """Draw the words of one row side by side; return where they end."""
    x = 0.0
    for word in words:
        for piece in word:
            draw_box(ax, piece, x=x, y=y, colour=piece_colour(piece, new=piece not in known))
            x += width(piece)
        x += WORD_GAP
    return x


def piece_colour(piece: str, *, new: bool) -> Colour:
    """Yellow for what is new; a piece that begins a word is darker than one that continues it."""
    if new:
        return COLOURS["selected"]
    return tint("token", 0.16 if piece.startswith(INNER) else 0.38)


def draw_box(ax: Axes, text: str, *, x: float, y: float, colour: Colour) -> None:
    """Draw one piece as a rounded box with its text."""
    rounded_box(ax, x + 0.05, y, width(text) - 0.1, 1, corner=0.2, facecolor=colour, linewidth=0)
    middle = x + width(text) / 2
    write(ax, middle, y + 0.52, text, color=readable_on(colour))


def look_ups(word: str, vocab: Container[str]) -> list[tuple[int, int, bool]]:
    """Return what greedy longest match asks, in order: start, end, and whether that piece is there.

    The last answer is False when the word becomes [UNK].

    Example:
        >>> look_ups("it", {"i", "##t"})
        [(0, 2, False), (0, 1, True), (1, 2, True)]
    """
    asked: list[tuple[int, int, bool]] = []
    start, end = 0, len(word)
    while start < end:
        found = INNER * (start > 0) + word[start:end] in vocab
        asked.append((start, end, found))
        start, end = (end, len(word)) if found else (start, end - 1)
    return asked


def draw_matching(ax: Axes, word: str, vocab: Container[str]) -> Axes:
    """Draw every question of greedy longest match as a bar over the letters of the word, top to bottom.

    Bars of pieces that are there are blue; what is asked for stands to the right.

    Args:
        ax: where to draw.
        word: one clean word.
        vocab: the pieces.

    Raises:
        InputError: an empty word.
    """
    if not word:
        raise InputError("the word is empty; expected at least one letter to cut")
    bare(ax)
    asked = look_ups(word, vocab)
    for place, letter in enumerate(word):
        write(ax, place + 0.5, -0.5, letter, fontsize=NORMAL, weight="bold")
    for row, (start, end, found) in enumerate(asked):
        draw_question(ax, word, start, end, found=found, y=row)
    if not asked[-1][2]:
        write(ax, 0.1, len(asked) + 0.5, "nothing fits: [UNK]", ha="left")
    ax.set_xlim(-0.2, 1.5 * len(word) + 2)
    ax.set_ylim(len(asked) + 1.1 * (not asked[-1][2]) + 0.1, -1.1)
    return ax


def draw_question(ax: Axes, word: str, start: int, end: int, *, found: bool, y: float) -> None:
    """Draw one bar, the letters under it, and the piece that was asked for."""
    colour = COLOURS["token"] if found else tint("sum", 0.16)
    ax.add_patch(Rectangle((start + 0.04, y + 0.1), end - start - 0.08, 0.8, facecolor=colour, linewidth=0))
    ink = readable_on(colour)
    for place in range(start, end):
        write(ax, place + 0.5, y + 0.52, word[place], color=ink)
    text = INNER * (start > 0) + word[start:end]
    weight = "bold" if found else "normal"
    mark = "\N{CHECK MARK}" if found else "\N{MULTIPLICATION SIGN}"
    write(ax, len(word) + 0.3, y + 0.52, f"{mark} {text}", ha="left", weight=weight)
