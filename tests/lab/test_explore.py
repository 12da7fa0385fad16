"""One part of a page, three faces: buttons of a style sheet, the bare list without it, sliders of a live kernel."""

import re
from html.parser import HTMLParser
from itertools import product

import pytest

from bertlib import lab, viz
from bertlib.errors import InputError
from bertlib.lab.explore import as_page, as_widgets, figure_of, states

CONTROLS = {"layer": range(2), "word": ["dog", "<it>", "is & was"]}
ALT = "the {word} in layer {layer}"


def render(layer, word):
    return f"<p>{layer}:{len(word)}</p>"


def page(controls=CONTROLS, draw=render, alt=ALT, name="two-words"):
    return as_page(states(draw, controls, alt=alt), controls, name=name)


class Reader(HTMLParser):
    """Reads a page as somebody does whose browser knows no style sheets."""

    def __init__(self, text):
        super().__init__()
        self.open, self.captions, self.values, self.marks, self.tags = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag not in ("input", "img"):
            self.open.append(tag)
        if tag == "figure":
            self.marks.append(attributes["class"].split()[1:])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, "tags are nested badly"

    def handle_data(self, data):
        if self.open and self.open[-1] == "figcaption":
            self.captions.append(data)
        if self.open and self.open[-1] == "p":
            self.values.append(data)


def test_the_last_control_changes_fastest():
    drawn = states(render, CONTROLS, alt=ALT)
    assert [state.places for state in drawn] == list(product(range(2), range(3)))
    assert drawn[1].words == "layer 0, word <it>"
    assert drawn[1].page == '<div role="group" aria-label="the &lt;it&gt; in layer 0"><p>0:4</p></div>'


def test_the_three_faces_show_the_same_states_in_the_same_order():
    drawn = states(render, CONTROLS, alt=ALT)
    bare = Reader(page())
    assert bare.open == []
    assert bare.captions == [state.words for state in drawn]
    assert bare.values == ["0:3", "0:4", "0:8", "1:3", "1:4", "1:8"]
    box = as_widgets(render, CONTROLS, alt=ALT)
    *sliders, screen = box.children
    assert [slider.description for slider in sliders] == ["layer", "word"]
    for state in drawn:
        for slider, place in zip(sliders, state.places, strict=True):
            slider.value = place
        assert screen.value == figure_of(state)
        assert screen.value in page()


def test_each_state_is_hidden_while_one_of_its_buttons_is_not_pressed():
    text = page()
    rules = re.findall(
        r'\[name="explore-two-words-(\d)"\]\[value="(\d)"\]:checked\)\) \.is-(\d)-(\d) \{', text
    )
    assert [(a, b) for a, b, _, _ in rules] == [(c, d) for _, _, c, d in rules]
    assert len(rules) == 2 + 3
    assert Reader(text).marks == [[f"is-0-{a}", f"is-1-{b}"] for a, b in product(range(2), range(3))]


def test_without_the_style_sheet_there_are_no_dead_buttons_and_every_state_is_there():
    tags = Reader(re.sub(r"<style>.*?</style>", "", page(), flags=re.S)).tags
    assert all("hidden" in attributes for tag, attributes in tags if tag == "fieldset")
    assert [attributes for tag, attributes in tags if tag == "details"] == [{"open": ""}]
    assert not [tag for tag, attributes in tags if tag != "fieldset" and "hidden" in attributes]
    style = re.search(r"<style>(.*?)</style>", page(), re.S)[1]
    hiding = style[style.index("@supports") :]
    assert style.count("display: none") == hiding.count("display: none") == 2 + 3 + 1


def test_every_row_has_a_name_and_its_first_button_pressed():
    tags = Reader(page()).tags
    radios = [attributes for tag, attributes in tags if tag == "input"]
    assert [a["value"] for a in radios if "checked" in a] == ["0", "0"]
    assert {a["type"] for a in radios} == {"radio"}
    assert {a["data-lm-suppress-shortcuts"] for a in radios} == {
        "true"
    }  # JupyterLab leaves the arrow keys alone
    assert page().count("<legend>") == page().count("<fieldset") == 2
    assert page().count("<label>") == len(radios) == 5


def test_no_script_no_id_nothing_from_elsewhere_and_twice_the_same():
    assert not re.search(r"<script|\son\w+=|\sid=|https?:|url\(|@import", page())
    assert page() == page()
    assert "<it>" not in page().replace("&lt;it&gt;", "")


def test_two_parts_of_a_page_do_not_share_buttons():
    one, other = page(name="one"), page(name="other")
    names = [set(re.findall(r'<input type="radio" name="([\w-]+)"', text)) for text in (one, other)]
    assert names[0].isdisjoint(names[1])


def test_a_figure_becomes_an_image_with_the_words_of_its_state():
    def draw(layer):
        drawing, ax = viz.figure(1, 1)
        ax.plot([0, layer])
        return drawing

    text = page({"layer": [1, 2]}, draw, lambda layer: f'a line to "{layer}"', "lines")
    assert re.findall(r'<img alt="([^"]*)"', text) == ["a line to &quot;1&quot;", "a line to &quot;2&quot;"]


def test_one_state_needs_nothing_that_folds():
    assert "<details" not in page({"layer": [0], "word": ["dog"]})


def test_what_is_displayed_is_the_page(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    lab.explore(render, CONTROLS, alt=ALT, name="two-words")
    assert [output.data for output in shown] == [page()]


def test_in_a_live_kernel_a_state_is_drawn_when_it_is_asked_for_and_only_once():
    seen = []

    def draw(head):
        seen.append(head)
        return "<p></p>"

    slider, _ = as_widgets(draw, {"head": range(100)}, alt="head {head}").children
    for place in (7, 0, 7):
        slider.value = place
    assert seen == [0, 7]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"controls": {}}, "no controls; expected at least one"),
        ({"controls": {"layer": []}}, r"options of 'layer' are \[\]; expected at least one"),
        ({"controls": {"layer": [1, "1"]}}, "no two that read alike"),
        ({"controls": {"layer": range(5), "word": "abcde"}}, "5 x 5 options make 25 states; expected at most 24"),
        ({"alt": " "}, "layer 0, word dog: alt is empty"),
        ({"draw": lambda layer, word: None}, "render returned a NoneType; expected HTML as a string or a figure"),
        ({"name": "Two Words"}, "the name is 'Two Words'; expected small letters"),
        ({"draw": lambda layer, word: "x" * 60_000}, r"states of 'two-words' weigh 36\d kB; expected at most 300 kB"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_in_one_line(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        page(**changes)
    assert "\n" not in str(caught.value)
