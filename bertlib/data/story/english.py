"""English sentences: cases, agreement and pronouns, by the rules that telling.py leaves to a language."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from bertlib.data.story.english_people import PRONOUNS, both, own, person
from bertlib.data.story.english_words import (
    NUMBERS,
    animal_text,
    food_text,
    inflect,
    name_of,
    place_text,
    spelled,
    spot_text,
    thing_text,
    words,
)
from bertlib.data.story.telling import Step, Teller, atlas, tell_cause

# the phrases that say what a thing, deed, role or animal does: section, letter, cell
_PHRASES = {
    "use": ("things", "T", 0),
    "deed": ("deeds", "D", 0),
    "habit": ("roles", "B", 0),
    "cry": ("animals", "N", 1),
}
_TENSES = {"past": "past", "base": "base", "first": "base", "ing": "ing", "third": "third", "pl": "base"}
_CAPITAL = re.compile(r'(?:^"?|[.!?] "?)([a-z])')


class English(Teller):
    """Tells events in English."""

    language = "english"

    def finish(self, text: str) -> str:
        """Begin each sentence with a capital letter."""
        return _CAPITAL.sub(lambda match: match[0][:-1] + match[1].upper(), text)

    @classmethod
    def slot(cls, name: str, form: str) -> Step:
        """Return the step for ``{name:form}``.

        Raises:
            KeyError: English knows no such slot or form.
        """
        if name in _PHRASES:
            return _phrase_step(*_PHRASES[name], form)
        if name in _FIXED:
            return _FIXED[name]
        return _LETTERS[name](name, form)


# --- participants ---------------------------------------------------------------------------------------
def _noun(kind: str, text_of: Callable[[str, str, str], str]) -> Callable[[str, str], Step]:
    """Things and foods: the, a, bare; {T:it} and {T:them} are pronouns where that is clear."""

    def make(letter: str, form: str) -> Step:
        case = {"it": 0, "It": 0, "them": 1}.get(form, -1)
        text_form = "" if case >= 0 or form == "object" else form

        def step(teller: Teller) -> None:
            ident = teller.roles[letter]
            look = teller.settings.get(ident, "")
            if form == "look":
                teller.mention(spelled(look), "look", look, "word")
                return
            clear = teller.clear(ident)
            if clear and case >= 0:
                text, word = PRONOUNS[teller.pronouns[ident]][case], "pronoun"
            else:
                text, word = text_of(ident, look, text_form), "noun"
            if form == "It":
                text = text[0].upper() + text[1:]
            if form != "object" and case < 1:
                teller.subject = len(teller.mentions)
            teller.mention(text, kind, ident, word, letter)

        return step

    return make


def _animal(letter: str, form: str) -> Step:
    """One animal or several of its kind; "its" and "s" follow the number of the last mention."""
    if form in ("its", "s"):
        return _animal_number(form)
    several = form in ("pl", "Pl")

    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        if not several:
            teller.clear(ident)
        teller.subject = len(teller.mentions)
        text = animal_text(ident, form)
        teller.mention(
            text,
            "animal",
            ident,
            "name" if text[0].isupper() and form in ("", "name") else "noun",
            letter + "s" * several,
        )

    return step


def _animal_number(form: str) -> Step:
    def step(teller: Teller) -> None:
        last = next((letter for letter in reversed(teller.letters) if letter in ("N", "Ns")), "N")
        if form == "s":
            teller.say("s" if last == "Ns" else "")
        else:
            teller.mention("their" if last == "Ns" else "its", "animal", teller.roles["N"], "possessive", "")

    return step


def _place(letter: str, form: str) -> Step:
    """A place, with its preposition where one is asked for."""

    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        if not form:
            teller.subject = len(teller.mentions)
        teller.mention(place_text(ident, form), "place", ident, "noun", letter)

    return step


def _spot(letter: str, form: str) -> Step:
    return lambda teller: teller.mention(
        spot_text(teller.roles[letter]), "spot", teller.roles[letter], "noun", letter
    )


def _number(letter: str, form: str) -> Step:
    def step(teller: Teller) -> None:
        text = NUMBERS[int(teller.roles[letter])]
        teller.mention(text.capitalize() if form else text, "number", teller.roles[letter], "word")

    return step


# --- phrases: "carry ~ on one arm" in any tense ----------------------------------------------------------
@lru_cache(maxsize=4096)
def _phrase(text: str, form: str) -> tuple[Step, ...]:
    verb, _, rest = text.partition(" ")
    if form == "first":
        rest = rest.replace("{S:his}", "my")
    body = rest.replace("~", "{T:object}")
    return English.compile(f"<{inflect(verb, _TENSES[form])}>{' ' * bool(body)}{body}")


def _phrase_step(section: str, letter: str, cell: int, form: str) -> Step:
    """Return a step that tells what a thing, deed, role or animal is good for, in a tense."""

    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        for inner in _phrase(words(section)[atlas().pets.get(ident, ident)][cell], form):
            inner(teller)

    return step


def _sign(teller: Teller) -> None:
    """What one does who feels so: "wiped away a tear"."""
    for inner in _phrase(words("moods")[teller.roles["M"]][1], "past"):
        inner(teller)


def _eat(teller: Teller) -> None:
    drinks = len(words("foods")[teller.roles["F"]]) > 1
    teller.verb("drank" if drinks else "ate", "")


# --- single words ---------------------------------------------------------------------------------------
def _word(kind: str, letter: str, text_of: Callable[[str], str] = spelled) -> Step:
    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        teller.mention(text_of(ident), kind, ident, "word")

    return step


def _setting(kind: str, name: str, text_of: Callable[[str], str]) -> Step:
    def step(teller: Teller) -> None:
        ident = teller.settings[name]
        teller.mention(text_of(ident), kind, ident, "name" if kind == "town" else "word")

    return step


_LETTERS: dict[str, Callable[[str, str], Step]] = {
    **dict.fromkeys("AB", person),
    **dict.fromkeys("TU", _noun("thing", thing_text)),
    **dict.fromkeys("FG", _noun("food", food_text)),
    **dict.fromkeys("PQ", _place),
    **dict.fromkeys("nmk", _number),
    "N": _animal,
    "S": own,
    "W": both,
    "X": _spot,
}
_FIXED: dict[str, Step] = {
    "mood": _word("mood", "M"),
    "anti": _word("mood", "M", lambda ident: atlas().moods[ident].opposite),
    "old": _word("mood", "O"),
    "adverb": _word("mood", "M", lambda ident: words("moods")[ident][0]),
    "more": _word("look", "C"),
    "less": _word("look", "C", lambda ident: words("contrasts")[ident][0]),
    "simile": _word("look", "N", lambda ident: words("animals")[atlas().pets.get(ident, ident)][2]),
    "day": _setting("time", "day", name_of),
    "part": _setting("time", "part", spelled),
    "town": _setting("town", "town", name_of),
    "sign": _sign,
    "cause": tell_cause,
    "eat": _eat,
}
