"""English sentences: cases, agreement and pronouns, by the rules that telling.py leaves to a language."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

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
from bertlib.data.story.telling import Step, Teller, atlas

# pronoun -> nominative, objective, possessive before a noun, possessive alone
_PRONOUNS = {
    "f": ("she", "her", "her", "hers"),
    "m": ("he", "him", "his", "his"),
    "n": ("it", "it", "its", "its"),
    "p": ("they", "them", "their", "theirs"),
}
_CASES = {"": 0, "him": 1, "his": 2, "hers": 3}
# the phrases that say what a thing, deed, role or animal does: section, letter, cell
_PHRASES = {
    "use": ("things", "T", 0),
    "deed": ("deeds", "D", 0),
    "habit": ("roles", "B", 0),
    "cry": ("animals", "N", 1),
}
_TENSES = {"past": "past", "base": "base", "first": "base", "ing": "ing", "third": "third", "pl": "base"}
_SPEECH = ("said", "asked", "called", "answered")
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
def _person(letter: str, form: str) -> Step:
    """Persons: a pronoun where it is clear, else the name; or a fixed form."""
    if form in ("girl", "call"):
        return _person_noun(letter, form)
    if form in _SPEECH:
        return _speech(letter, form)
    case = _CASES.get(form, 0)

    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        clear = teller.clear(ident)
        if clear and form != "name":
            text, kind = _PRONOUNS[teller.pronouns[ident]][case], "pronoun" if case < 2 else "possessive"
        else:
            name = name_of(ident)
            text, kind = (
                (f"{name}'s", "possessive") if case >= 2 else (name, "name" if name[0].isupper() else "noun")
            )
        if case == 0:
            teller.subject = len(teller.mentions)
        teller.mention(text, "person", ident, kind, letter)

    return step


def _person_noun(letter: str, form: str) -> Step:
    """Girl, boy, woman, man; or how one calls somebody: Lily, baker."""

    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        teller.clear(ident)
        kind = atlas().kind[ident]
        if form == "call":
            text = name_of(ident).removeprefix("the ")
        else:
            young, female = kind in ("girls", "boys"), teller.pronouns[ident] == "f"
            text = ("girl" if female else "boy") if young else ("woman" if female else "man")
            teller.subject = len(teller.mentions)
        teller.mention(text, "person", ident, "name" if text[0].isupper() else "noun", letter)

    return step


def _speech(letter: str, verb: str) -> Step:
    """After what was said: "said Lily", but "she said"."""

    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        if teller.clear(ident):
            teller.subject = len(teller.mentions)
            teller.mention(_PRONOUNS[teller.pronouns[ident]][0], "person", ident, "pronoun", letter)
            teller.say(" ")
            teller.verb(verb, "")
        else:
            teller.verb(verb, letter)
            teller.say(" ")
            name = name_of(ident)
            teller.subject = len(teller.mentions)
            teller.mention(name, "person", ident, "name" if name[0].isupper() else "noun", letter)

    return step


def _both(letter: str, form: str) -> Step:
    """A and B together: "Lily and Tom", or they where that is clear or asked for."""

    def step(teller: Teller) -> None:
        pair, first, second = teller.identity(letter), teller.roles["A"], teller.roles["B"]
        clear = teller.clear(pair) or form == "they"
        text = "they" if clear else f"{name_of(first)} and {name_of(second)}"
        teller.clear(first)
        teller.clear(second)
        teller.subject = len(teller.mentions)
        teller.mention(text, "person", pair, "pronoun" if clear else "name", letter)

    return step


def _own(letter: str, form: str) -> Step:
    """Whatever belongs to the subject of the clause: his, her, their."""

    def step(teller: Teller) -> None:
        ident = teller.identity(letter) if teller.subject >= 0 else teller.roles["A"]
        text = _PRONOUNS[teller.pronouns[ident]][_CASES[form]]
        teller.mention(text, "person", ident, "possessive", letter)

    return step


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
                text, word = _PRONOUNS[teller.pronouns[ident]][case], "pronoun"
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


def _cause(teller: Teller) -> None:
    for inner in teller.part(f"cause {teller.roles['K']}"):
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
    **dict.fromkeys("AB", _person),
    **dict.fromkeys("TU", _noun("thing", thing_text)),
    **dict.fromkeys("FG", _noun("food", food_text)),
    **dict.fromkeys("PQ", _place),
    **dict.fromkeys("nmk", _number),
    "N": _animal,
    "S": _own,
    "W": _both,
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
    "cause": _cause,
    "eat": _eat,
}
