"""English word by word: articles, verb forms, names. The words stand in english.txt."""

from __future__ import annotations

from functools import lru_cache

from bertlib.data.story.telling import atlas
from bertlib.data.story.words import read_sections, table

NUMBERS = [
    "none",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_VOWELS = "aeiou"


@lru_cache(maxsize=32)
def words(section: str) -> dict[str, list[str]]:
    """Return a table of english.txt, id -> cells."""
    return table(read_sections("english")[section])


def article(phrase: str) -> str:
    """Return the phrase with a or an before it.

    Example:
        >>> article("old kettle")
        'an old kettle'
    """
    return f"{'an' if phrase[0].lower() in _VOWELS else 'a'} {phrase}"


def _doubles(verb: str) -> bool:
    """Say whether the last letter doubles (hop, hopping): consonant, vowel, consonant, one syllable."""
    last = verb[-3:]
    return (
        len(last) == 3
        and sum(letter in _VOWELS for letter in verb) == 1
        and last[1] in _VOWELS
        and last[0] not in _VOWELS
        and last[2] not in _VOWELS + "wxy"
    )


@lru_cache(maxsize=1024)
def inflect(verb: str, form: str) -> str:
    """Return a verb's form: base, past, ing or third.

    Example:
        >>> inflect("carry", "past"), inflect("hop", "ing"), inflect("push", "third")
        ('carried', 'hopping', 'pushes')
    """
    soft_y = verb.endswith("y") and verb[-2] not in _VOWELS
    if form == "third":
        if soft_y:
            return verb[:-1] + "ies"
        hissing = verb.endswith(("s", "x", "z", "ch", "sh")) or (
            verb.endswith("o") and not verb.endswith("oo")
        )
        return verb + ("es" if hissing else "s")
    if form == "ing":
        if verb.endswith("ie"):
            return verb[:-2] + "ying"
        if verb.endswith("e") and not verb.endswith(("ee", "oe")):
            return verb[:-1] + "ing"
        return verb + (verb[-1] if _doubles(verb) else "") + "ing"
    if form == "past":
        irregular = words("irregular").get(verb)
        if irregular:
            return irregular[0]
        if soft_y:
            return verb[:-1] + "ied"
        if verb.endswith("e"):
            return verb + "d"
        return verb + (verb[-1] if _doubles(verb) else "") + "ed"
    return verb


def spelled(ident: str) -> str:
    """Return the word of a common noun, look, mood or spot: its id without hyphens."""
    return ident.replace("-", " ")


@lru_cache(maxsize=4096)
def name_of(ident: str) -> str:
    """Return a name, or "the" and a role."""
    return words("people")[ident][0] if ident in words("people") else f"the {spelled(ident)}"


@lru_cache(maxsize=4096)
def thing_text(ident: str, look: str, form: str) -> str:
    """Return a thing: the kite, a red kite, red kite, kite."""
    noun, plural = spelled(ident), atlas().pronoun[ident] == "p"
    look = spelled(look)
    if form in ("a", "what"):  # "some red boots", but "What red boots!"
        several = f"{look} {noun}" if form == "what" else f"some {look} {noun}"
        return several if plural else article(f"{look} {noun}")
    if form == "bareone":
        return noun if plural else article(noun)
    return {"": f"the {noun}", "bare": noun, "lookbare": f"{look} {noun}", "look": look}[form]


@lru_cache(maxsize=4096)
def food_text(ident: str, look: str, form: str) -> str:
    """Return a food: the plums, a bag of plums, these, many plums."""
    noun, plural = spelled(ident), atlas().pronoun[ident] == "p"
    box = words("foods")[ident][0]
    if form == "a":
        return f"{article(box)} of {noun}"
    forms = {
        "": f"the {noun}",
        "bare": noun,
        "look": look,
        "this": "these" if plural else "this",
        "much": f"{'many' if plural else 'much'} {noun}",
    }
    return forms[form]


@lru_cache(maxsize=4096)
def animal_text(ident: str, form: str) -> str:
    """Return an animal: a cat, the cat, cats; a pet has a name."""
    pets = atlas().pets
    species = pets.get(ident, ident)
    named = words("people")[ident][0] if ident in pets else ""
    several = words("animals")[species][0]
    forms = {
        "": named or f"the {species}",
        "a": f"{named} the {species}" if named else article(species),
        "name": named or f"the {species}",
        "bare": species,
        "pl": several,
        "Pl": several.capitalize(),
        "Every": f"Every {species}",
    }
    return forms[form]


def spot_text(ident: str) -> str:
    """Return where a thing may lie.

    Example:
        >>> spot_text("on-top-shelf")
        'on the top shelf'
    """
    where, _, noun = ident.partition("-")
    return f"{where} the {spelled(noun)}"


def place_text(ident: str, form: str) -> str:
    """Return a place, alone, as a goal (to) or as where one is (at)."""
    before = {"": "", "to": "to ", "at": words("places")[ident][0] + " "}[form]
    return f"{before}the {spelled(ident)}"
