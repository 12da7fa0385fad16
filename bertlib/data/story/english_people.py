"""Persons in English: a name, or the pronoun in its case where it is clear who is meant."""

from __future__ import annotations

from bertlib.data.story.english_words import name_of
from bertlib.data.story.telling import Step, Teller, atlas

# pronoun -> nominative, objective, possessive before a noun, possessive alone
PRONOUNS = {
    "f": ("she", "her", "her", "hers"),
    "m": ("he", "him", "his", "his"),
    "n": ("it", "it", "its", "its"),
    "p": ("they", "them", "their", "theirs"),
}
CASES = {"": 0, "him": 1, "his": 2, "hers": 3}
_SPEECH = ("said", "asked", "called", "answered")


def person(letter: str, form: str) -> Step:
    """Persons: a pronoun where it is clear, else the name; or a fixed form."""
    if form in ("girl", "call"):
        return _person_noun(letter, form)
    if form in _SPEECH:
        return _speech(letter, form)
    case = CASES.get(form, 0)

    def step(teller: Teller) -> None:
        ident = teller.roles[letter]
        clear = teller.clear(ident)
        if clear and form != "name":
            text, kind = PRONOUNS[teller.pronouns[ident]][case], "pronoun" if case < 2 else "possessive"
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
            teller.mention(PRONOUNS[teller.pronouns[ident]][0], "person", ident, "pronoun", letter)
            teller.say(" ")
            teller.verb(verb, "")
        else:
            teller.verb(verb, letter)
            teller.say(" ")
            name = name_of(ident)
            teller.subject = len(teller.mentions)
            teller.mention(name, "person", ident, "name" if name[0].isupper() else "noun", letter)

    return step


def both(letter: str, form: str) -> Step:
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


def own(letter: str, form: str) -> Step:
    """Whatever belongs to the subject of the clause: his, her, their."""

    def step(teller: Teller) -> None:
        ident = teller.identity(letter) if teller.subject >= 0 else teller.roles["A"]
        text = PRONOUNS[teller.pronouns[ident]][CASES[form]]
        teller.mention(text, "person", ident, "possessive", letter)

    return step
