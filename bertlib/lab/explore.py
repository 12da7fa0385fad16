"""``lab.explore``: a part of a page to play with, in which every state is drawn beforehand.

What is displayed is HTML with radio buttons and a style sheet, and no script: the style sheet shows the state
whose buttons are pressed. So one output works in a static page, in Jupyter, in Colab and under a strict
content-security policy, by keyboard and with a screen reader, and is the same in every run. Where the style
sheet is taken away (an untrusted notebook, a code host, a very old browser) the buttons go with it, and all
states stand below one another in a part that folds. ``widgets=True`` gives sliders of ipywidgets instead, for
a live kernel; they show the same states.
"""

from __future__ import annotations

import html
import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from bertlib.errors import InputError
from bertlib.extras import need, show_html

MOST_STATES = 24
LARGEST_BYTES = 300_000  # of the whole part, figures included

Render = Callable[..., Any]  # (**choice) -> HTML as a string, or a figure of matplotlib
Words = str | Callable[..., str]  # a template such as "head {head}", or a function (**choice) -> words
Controls = Mapping[str, Sequence[Any]]

STYLE = """
.lab-explore { margin: .4rem 0; max-width: 100%; }
.lab-explore figure.state { margin: 0 0 1rem; max-width: 100%; padding: 0; }
.lab-explore figure.state figcaption { color: inherit; font-family: inherit; font-size: .9rem;
  font-weight: 600; margin: .3rem 0; padding: 0; text-align: left; }
@supports selector(:has(a)) {
.lab-explore > fieldset[hidden] { align-items: center; border: 0; display: flex !important; flex-wrap: wrap;
  gap: .35rem .5rem; margin: 0 0 .5rem; min-width: 0; padding: 0; }
.lab-explore > fieldset > legend { float: left; font-size: .95rem; font-weight: 600; margin: 0; padding: 0;
  width: auto; min-width: 4rem; }
.lab-explore > fieldset > label { align-items: center; border: 1.5px solid #7a7a7a; border-radius: 999px;
  cursor: pointer; display: inline-flex; font-size: .95rem; gap: .4rem; line-height: 1; margin: 0;
  min-height: 2.1rem; padding: 0 .75rem 0 .55rem; }
.lab-explore > fieldset > label > input { accent-color: #0072b2; cursor: pointer; height: 1rem; margin: 0;
  width: 1rem; }
.lab-explore > fieldset > label:has(:checked) { background: #0072b2; border-color: #0072b2; color: #fff; }
.lab-explore > fieldset > label:has(:checked) > input { accent-color: #fff; }
.lab-explore > fieldset > label:has(:focus-visible) { outline: 3px solid #e69f00; outline-offset: 2px; }
.lab-explore > .states > details, .bd-article .lab-explore > .states > details:not(.a):not(.b):not(.c) {
  border: 0; margin: 0; padding: 0; }
.lab-explore > .states > details > summary { display: none !important; }
}
"""


@dataclass(frozen=True, kw_only=True)
class State:
    """One position of all controls: where each of them stands, that in words, and what is shown."""

    places: tuple[int, ...]  # for each control the index of its option
    words: str
    page: str


def explore(render: Render, controls: Controls, *, alt: Words, name: str, widgets: bool = False) -> None:
    """Display one of several drawings, with a row of buttons for each control to choose among them.

    Args:
        render: takes one option of each control by keyword and returns HTML as a string, or a figure of
            :func:`bertlib.viz.figure`. It is called once for every combination.
        controls: the names of the keywords and their options, e.g. ``{"layer": range(4), "head": range(4)}``.
            The first option of each is shown first; the last control changes fastest.
        alt: what a state shows, in words: a template such as ``"head {head}"``, or a function of the choice.
        name: of this part, in small letters, digits and hyphens; one of its kind on its page.
        widgets: display sliders of ipywidgets for a live kernel instead. They draw a state when it is first
            asked for, so neither limit holds.

    Raises:
        InputError: no controls or options, a name that cannot be used, more than 24 states, more than
            300 kB, no words for a state, or ``render`` returned something else.
        MissingExtraError: IPython or ipywidgets is not installed.

    Example:
        >>> square = lambda number: f"<p>{number * number}</p>"
        >>> explore(square, {"number": [1, 2, 3]}, alt="{number} squared", name="squares")  # doctest: +SKIP
    """
    if widgets:
        need("IPython.display", extra="lab").display(as_widgets(render, controls, alt=alt))
    else:
        show_html(as_page(states(render, controls, alt=alt), controls, name=name))


def states(render: Render, controls: Controls, *, alt: Words) -> list[State]:
    """Draw every state, in the order in which the last control changes fastest.

    Raises:
        InputError: as :func:`explore` says, but for the name and the size.
    """
    check_controls(controls)
    count = len(list(places_of(controls)))
    if count > MOST_STATES:
        counts = " x ".join(str(len(options)) for options in controls.values())
        raise InputError(
            f"{counts} options make {count} states; expected at most {MOST_STATES}, for each is drawn into "
            "the page: give fewer options, or widgets=True for a live kernel"
        )
    return [draw_state(render, controls, places, alt=alt) for places in places_of(controls)]


def check_controls(controls: Controls) -> None:
    """See that every control has options, each of them told from the others by its text."""
    if not controls:
        raise InputError('no controls; expected at least one, e.g. {"layer": [0, 1]}')
    for control, options in controls.items():
        written = [str(option) for option in options]
        if not written or len(set(written)) < len(written):
            raise InputError(
                f"the options of {control!r} are {written}; expected at least one, and no two that read alike"
            )


def places_of(controls: Controls) -> product[tuple[int, ...]]:
    """Return every combination of indices."""
    return product(*(range(len(options)) for options in controls.values()))


def draw_state(render: Render, controls: Controls, places: tuple[int, ...], *, alt: Words) -> State:
    """Draw one state.

    Raises:
        InputError: no words for it, or neither text nor figure came.
    """
    choice = {c: options[i] for (c, options), i in zip(controls.items(), places, strict=True)}
    words = ", ".join(f"{control.replace('_', ' ')} {option}" for control, option in choice.items())
    described = (alt(**choice) if callable(alt) else alt.format(**choice)).strip()
    if not described:
        raise InputError(f"{words}: alt is empty; say what is shown, for those who cannot see it")
    drawn = render(**choice)
    if isinstance(drawn, str):
        label = html.escape(" ".join(described.split()))
        return State(places=places, words=words, page=f'<div role="group" aria-label="{label}">{drawn}</div>')
    if not hasattr(drawn, "savefig"):
        raise InputError(
            f"{words}: render returned a {type(drawn).__name__}; expected HTML as a string or a figure, "
            "so end it with `return drawing`"
        )
    viz = importlib.import_module("bertlib.viz")
    return State(places=places, words=words, page=viz.as_html(drawn, alt=described))


def as_page(drawn: Sequence[State], controls: Controls, *, name: str) -> str:
    """Return the states as HTML without a script.

    Raises:
        InputError: a name with other signs than a-z, 0-9 and hyphens, or a page above 300 kB.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise InputError(
            f"the name is {name!r}; expected small letters, digits and hyphens, e.g. 'two-heads'"
        )
    rows = "".join(
        buttons(name, number, control, controls[control]) for number, control in enumerate(controls)
    )
    first, *others = [figure_of(state) for state in drawn]
    folded = (
        f'<details open=""><summary>The other states ({len(others)})</summary>{"".join(others)}</details>'
    )
    page = (
        f'<div class="lab-explore" data-name="{name}" role="group" '
        f'aria-label="{name.replace("-", " ")}"><style>{STYLE}{rules(name, controls)}</style>{rows}'
        f'<div class="states" aria-live="polite">{first}{folded if others else ""}</div></div>'
    )
    if len(page.encode()) > LARGEST_BYTES:
        raise InputError(
            f"the {len(drawn)} states of {name!r} weigh {len(page.encode()) / 1000:.0f} kB; expected at most "
            f"{LARGEST_BYTES / 1000:.0f} kB: draw smaller figures, give fewer options, or widgets=True"
        )
    return page


def buttons(name: str, number: int, control: str, options: Sequence[Any]) -> str:
    """Return the row of buttons of one control; hidden until the style sheet shows it.

    ``data-lm-suppress-shortcuts`` keeps JupyterLab from moving to another cell at an arrow key.
    """
    pressed = ' checked=""'
    radios = "".join(
        f'<label><input type="radio" name="explore-{name}-{number}" value="{place}" '
        f'data-lm-suppress-shortcuts="true"'
        f"{pressed if place == 0 else ''}>{html.escape(str(option))}</label>"
        for place, option in enumerate(options)
    )
    return f'<fieldset hidden=""><legend>{html.escape(control.replace("_", " "))}</legend>{radios}</fieldset>'


def figure_of(state: State) -> str:
    """Return one state with its words above it, marked with where each control stands."""
    marks = " ".join(f"is-{control}-{place}" for control, place in enumerate(state.places))
    caption = f"<figcaption>{html.escape(state.words)}</figcaption>"
    return f'<figure class="state {marks}">{caption}{state.page}</figure>'


def rules(name: str, controls: Controls) -> str:
    """Return the rules that hide a state as long as one of its buttons is not pressed."""
    hide = "\n".join(
        f'.lab-explore[data-name="{name}"]:not(:has(> fieldset input[name="explore-{name}-{control}"]'
        f'[value="{place}"]:checked)) .is-{control}-{place} {{ display: none; }}'
        for control, options in enumerate(controls.values())
        for place in range(len(options))
    )
    return f"@supports selector(:has(a)) {{\n{hide}\n}}\n"


def as_widgets(render: Render, controls: Controls, *, alt: Words) -> Any:
    """Return sliders above the chosen state, for a live kernel; a state is drawn once, when it is asked for.

    Raises:
        InputError: as :func:`states` says, but for the number of states.
        MissingExtraError: ipywidgets is not installed.
    """
    check_controls(controls)
    widgets = need("ipywidgets", extra="lab")
    drawn: dict[tuple[int, ...], str] = {}
    screen = widgets.HTML()
    sliders = [
        widgets.SelectionSlider(
            options=[(str(option), place) for place, option in enumerate(options)],
            value=0,
            description=control.replace("_", " "),
        )
        for control, options in controls.items()
    ]

    def turn(_: Any = None) -> None:
        places = tuple(slider.value for slider in sliders)
        if places not in drawn:
            drawn[places] = figure_of(draw_state(render, controls, places, alt=alt))
        screen.value = drawn[places]

    for slider in sliders:
        slider.observe(turn, names="value")
    turn()
    return widgets.VBox([*sliders, screen])
