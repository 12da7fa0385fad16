"""Chinese sentences: no tense and no agreement, but measure words, and pronouns by the same rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from bertlib.data.story.telling import Step, Teller, atlas, tell_cause
from bertlib.data.story.words import read_sections, table

_PRONOUNS = {"f": "她", "m": "他", "n": "它", "p": "它们"}
_NUMBERS = "零一二三四五六七八九十"
_COUNTED = {2: "两"}  # before a measure word
_POSSESSIVE = ("his", "hers")
# the phrases that say what a thing, deed, role or animal does: section, letter, cell
_PHRASES = {
    "use": ("things", "T", 2),
    "deed": ("deeds", "D", 0),
    "habit": ("roles", "B", 1),
    "cry": ("animals", "N", 2),
}


@lru_cache(maxsize=32)
def words(section: str) -> dict[str, list[str]]:
    """Return a table of chinese.txt, id -> cells."""
    return table(read_sections("chinese")[section])


class Chinese(Teller):
    """Tells events in Chinese."""

    language = "chinese"

    @classmethod
    def slot(cls, name: str, form: str) -> Step:
        """Return the step for ``{name:form}``.

        Raises:
            KeyError: Chinese knows no such slot or form.
        """
        if name in _PHRASES:
            return _phrase_step(*_PHRASES[name])
        if name in _FIXED:
            return _FIXED[name]
        return _LETTERS[name](name, form)


# --- participants ---------------------------------------------------------------------------------------
@lru_cache(maxsize=1024)
def name_of(ident: str) -> str:
    """Return a name or the word of a profession."""
    return words("people")[ident][0] if ident in words("people") else words("roles")[ident][0]


def _person(letter: str, form: str) -> Step:
    """Persons: a pronoun where it is clear, else the name; ``girl`` and ``call`` are never pronouns."""
    possessive = "的" * (form in _POSSESSIVE)

    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        clear = teller.clear(ident)
        if form in ("", "name", "girl"):
            teller.subject = len(teller.mentions)
        if form == "girl":
            text, kind = _girl(ident, teller.pronouns[ident]), "noun"
        elif clear and form not in ("name", "call"):
            text, kind = _PRONOUNS[teller.pronouns[ident]], "pronoun"
        else:
            text, kind = name_of(ident), "name" if ident in words("people") else "noun"
        teller.mention(text + possessive, "person", ident, "possessive" if possessive else kind, letter)

    return step


def _girl(ident: str, pronoun: str) -> str:
    female = pronoun == "f"
    if atlas().kind[ident] in ("girls", "boys"):
        return "女孩" if female else "男孩"
    return "女人" if female else "男人"


def _both(letter: str, form: str) -> Step:
    """A and B together: 莉莉和汤姆, or 他们 (她们) where that is clear or asked for."""

    def step(teller: Teller) -> None:
        pair, first, second = teller.identity(letter), teller.roles["A"], teller.roles["B"]
        clear = teller.clear(pair) or form == "they"
        if clear:
            text = "她们" if teller.pronouns[first] == teller.pronouns[second] == "f" else "他们"
        else:
            text = f"{name_of(first)}和{name_of(second)}"
        teller.clear(first)
        teller.clear(second)
        teller.subject = len(teller.mentions)
        teller.mention(text, "person", pair, "pronoun" if clear else "name", letter)

    return step


@lru_cache(maxsize=4096)
def _text(section: str, ident: str, look: str, form: str) -> str:
    """Return a thing or food in some form; measure words come from its row."""
    noun, measure = words(section)[ident][:2]
    shown, bare = words("looks")[look] if look else ("", "")
    before = shown
    if look in atlas().materials and look != "empty":
        before = before.removesuffix("的")  # 木头的, but 木头梯子
    one = f"一{measure}{before}{noun}" if section == "things" else f"{measure}{noun}"
    forms = {
        "a": one,
        "lookbare": before + noun,
        "measure": measure,
        "look": shown,
        "very": bare,
    }
    return forms.get(form, noun)


def _noun(kind: str, section: str) -> Callable[[str, str], Step]:
    """Things and foods: bare, with a look, with measure word and look; {T:it} is 它 where that is clear."""

    def make(letter: str, form: str) -> Step:
        def step(teller: Teller) -> None:
            ident = teller.roles[letter]
            look = teller.settings.get(ident, "")
            if form in ("look", "very"):
                teller.mention(_text(section, ident, look, form), "look", look, "word")
                return
            if form == "measure":
                teller.say(_text(section, ident, look, form))
                return
            clear = teller.clear(ident)
            if form == "it" and clear:
                teller.mention("它", kind, ident, "pronoun", letter)
                return
            if form not in ("object", "it"):
                teller.subject = len(teller.mentions)
            teller.mention(_text(section, ident, look, form), kind, ident, "noun", letter)

        return step

    return make


def _animal(letter: str, form: str) -> Step:
    """An animal of some kind, or a pet by its name."""

    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        noun, measure = words("animals")[atlas().pets.get(ident, ident)][:2]
        named = words("people")[ident][0] if ident in atlas().pets else ""
        if form == "measure":
            teller.say(measure)
            return
        teller.clear(ident)
        teller.subject = len(teller.mentions)
        text = {"bare": noun, "a": f"一{measure}{noun}"}.get(form, named or noun)
        teller.mention(text, "animal", ident, "name" if text == named else "noun", letter)

    return step


def _place(letter: str, form: str) -> Step:
    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        noun, inside = words("places")[ident]
        teller.mention(f"在{noun}{inside}" if form == "at" else noun, "place", ident, "noun", letter)

    return step


def _number(letter: str, form: str) -> Step:
    def step(teller: Teller) -> None:
        number = int(teller.roles[letter])
        text = (form != "plain" and _COUNTED.get(number)) or (
            "十" * (number > 9) + _NUMBERS[number % 10] * (number != 10)
        )
        teller.mention(text, "number", teller.roles[letter], "word")

    return step


# --- phrases and single words -----------------------------------------------------------------------------
@lru_cache(maxsize=4096)
def _phrase(text: str) -> tuple[Step, ...]:
    return Chinese.compile(text.replace("~", "{T:object}"))


def _phrase_step(section: str, letter: str, cell: int) -> Step:
    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        for inner in _phrase(words(section)[atlas().pets.get(ident, ident)][cell]):
            inner(teller)

    return step


def _eat(teller: Teller) -> None:
    drinks = len(words("foods")[teller.roles["F"]]) > 2
    teller.verb("喝" if drinks else "吃", "")


def _word(kind: str, letter: str, section: str, cell: int = 0, row: Callable[[str], str] = str) -> Step:
    """A cell of the row of a participant (or of the id that ``row`` makes of it)."""

    def step(teller: Teller) -> None:
        ident = row(teller.roles[letter])
        teller.mention(words(section)[ident][cell], kind, ident, "word")

    return step


def _setting(kind: str, name: str) -> Step:
    def step(teller: Teller) -> None:
        ident = teller.settings[name]
        teller.mention(name_of(ident), kind, ident, "name" if kind == "town" else "word")

    return step


_LETTERS: dict[str, Callable[[str, str], Step]] = {
    **dict.fromkeys("AB", _person),
    **dict.fromkeys("TU", _noun("thing", "things")),
    **dict.fromkeys("FG", _noun("food", "foods")),
    **dict.fromkeys("PQ", _place),
    **dict.fromkeys("nmk", _number),
    "N": _animal,
    "W": _both,
    "X": lambda letter, form: _word("spot", letter, "spots"),
}
_FIXED: dict[str, Step] = {
    "mood": _word("mood", "M", "moods"),
    "anti": _word("mood", "M", "moods", row=lambda ident: atlas().moods[ident].opposite),
    "old": _word("mood", "O", "moods"),
    "adverb": _word("mood", "M", "moods", 1),
    "sign": _word("mood", "M", "moods", 2),
    "more": _word("look", "C", "contrasts"),
    "less": _word("look", "C", "contrasts", 1),
    "simile": _word("look", "N", "animals", 3, row=lambda ident: atlas().pets.get(ident, ident)),
    "day": _setting("time", "day"),
    "part": _setting("time", "part"),
    "town": _setting("town", "town"),
    "cause": tell_cause,
    "eat": _eat,
}
