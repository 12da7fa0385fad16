"""What the stories say is true, and their grammar agrees with it: checked from the facts, not from the words."""

import re
from functools import lru_cache
from itertools import islice
from random import Random

import pytest

from bertlib.data.story.cast import population
from bertlib.data.story.english_words import article, inflect
from bertlib.data.story.episodes import write_plot
from bertlib.data.story.stories import stories
from bertlib.data.story.telling import Sentence, atlas
from bertlib.data.story.world import Event, StoryError, World

GENDERS = {"she": "f", "her": "f", "hers": "f", "he": "m", "him": "m", "his": "m", "她": "f", "他": "m"}


@lru_cache(maxsize=2)
def told(language: str) -> list[list[Sentence]]:
    return list(islice(stories(seed=11, language=language), 500))


def sentences(language: str) -> list[Sentence]:
    return [sentence for document in told(language) for sentence in document]


def test_nobody_gives_what_another_holds() -> None:
    world = World()
    world.happen(Event("own", {"A": "lily", "T": "kite", "V": "red"}))
    world.happen(Event("give", {"A": "lily", "B": "tom", "T": "kite"}))
    assert world.get("holder", "kite") == "tom"
    with pytest.raises(
        StoryError, match=r"give .* cannot happen: the holder of kite is 'tom', expected 'lily'"
    ):
        world.happen(Event("give", {"A": "lily", "B": "ben", "T": "kite"}))


def test_a_thing_is_found_where_it_was_not_looked_for_in_vain() -> None:
    for document in told("en"):
        in_vain: dict[str, set[str]] = {}
        for sentence in document:
            for relation, subject, value in sentence.facts:
                if relation == "not_spot":
                    in_vain.setdefault(subject, set()).add(value)
                elif relation == "spot":
                    assert value not in in_vain.get(subject, set()), [s.text for s in document]


def test_the_loser_and_the_giver_had_the_thing() -> None:
    for document in told("en"):
        holder: dict[str, str] = {}
        for sentence in document:
            roles = sentence.event.roles
            if sentence.event.kind in ("give", "lose", "holds", "back", "use"):
                assert holder[roles["T"]] == roles["A"], [s.text for s in document]
            for relation, subject, value in sentence.facts:
                if relation == "holder":
                    holder[subject] = value


def test_everybody_in_a_plot_is_where_the_event_is() -> None:
    rng = Random(5)
    for _ in range(200):
        plot, place = write_plot(rng, population("country"), split="train"), ""
        for event, facts in plot.events:
            if place and event.kind not in ("home", "bed", "dream"):
                assert event.roles["P"] == place
            place = next(
                (value for relation, subject, value in facts if (relation, subject) == ("place", plot.hero)),
                place,
            )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_mentions_lie_where_they_say(language: str) -> None:
    for sentence in sentences(language):
        for mention in sentence.mentions:
            text = sentence.text[mention.start : mention.end]
            assert text
            assert text == text.strip()
            if mention.form == "pronoun" and mention.kind == "person":
                assert re.fullmatch(r"(?i)she|he|her|him|they|她|他|她们|他们", text), (text, sentence.text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_pronoun_means_the_only_one_it_can(language: str) -> None:
    for document in told(language):
        earlier: set[str] = set()
        gender = {"f": set(atlas().girls) | {"queen"}, "m": set(atlas().boys) | {"king"}}
        for sentence in document:
            here: set[str] = set()
            for mention in sentence.mentions:
                if mention.kind != "person" or "+" in mention.ref:
                    here |= set(mention.ref.split("+")) if mention.kind == "person" else set()
                    continue
                wanted = GENDERS.get(sentence.text[mention.start : mention.end].lower())
                if wanted and mention.form == "pronoun":
                    others = {ref for ref in (here or earlier) if ref in gender[wanted]} - {mention.ref}
                    assert mention.ref not in gender["m" if wanted == "f" else "f"], sentence.text
                    assert mention.ref in here | earlier, sentence.text
                    assert not others or mention.ref in here, sentence.text
                here.add(mention.ref)
            earlier = here


def test_verbs_agree_with_their_subjects() -> None:
    plurals = {"was": "were", "is": "are", "has": "have", "belongs": "belong"}
    seen = set()
    for sentence in sentences("en"):
        for mention in sentence.mentions:
            if mention.form != "verb" or mention.subject < 0:
                continue
            subject = sentence.mentions[mention.subject]
            verb = sentence.text[mention.start : mention.end].lower()
            if subject.kind == "thing" and verb in {*plurals, *plurals.values()}:
                plural = atlas().pronoun[subject.ref] == "p"
                assert (verb in plurals.values()) == plural, sentence.text
                seen.add(plural)
    assert seen == {True, False}


def test_a_count_adds_up() -> None:
    counts = [s for s in sentences("en") if s.event.kind == "more"]
    assert counts
    for sentence in counts:
        roles = sentence.event.roles
        assert int(roles["n"]) + int(roles["m"]) == int(roles["k"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_unfinished_is_left_in_a_sentence(language: str) -> None:
    for sentence in sentences(language):
        assert not re.search(r"[{}<>\[\]|~@]|  | [.,!?]|\bNone\b", sentence.text), sentence.text
        assert re.search(r"[.!?。！？][\"”]?$", sentence.text), sentence.text
        assert not sentence.text[0].islower(), sentence.text


def test_articles_and_verb_forms() -> None:
    assert article("old kettle") == "an old kettle"
    assert article("kite") == "a kite"
    forms = {("carry", "past"): "carried", ("hop", "ing"): "hopping", ("push", "third"): "pushes"}
    forms |= {
        ("find", "past"): "found",
        ("tie", "past"): "tied",
        ("bake", "ing"): "baking",
        ("mix", "past"): "mixed",
    }
    assert {key: inflect(*key) for key in forms} == forms


@pytest.mark.parametrize("section", ["things", "deeds", "roles", "animals", "moods"])
def test_irregular_verbs_are_not_forgotten(section: str) -> None:
    from bertlib.data.story.english_words import words

    wrong = "shaked digged goed runned sended standed feeded catched teached thinked speaked tieing sitted getted tiing cooes"
    cells = {"animals": 1, "moods": 1}
    for row in words(section).values():
        verb = row[cells.get(section, 0)].split()[0]
        assert inflect(verb, "past") not in wrong.split()
        assert inflect(verb, "ing") not in wrong.split()
        assert inflect(verb, "third") not in wrong.split()


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_every_language_has_words_for_the_whole_world(language: str) -> None:
    from bertlib.data.story.words import read_sections, table

    sections = read_sections(language)
    for topic in atlas().topics:
        for field in ("places", "roles", "things", "foods", "animals", "deeds"):
            assert set(getattr(topic, field)) <= set(table(sections[field])), (topic.name, field)
        assert f"scenery {topic.name}" in sections
        assert all(f"sense {sense}" in sections for sense in topic.senses)
    assert set(atlas().moods) <= set(table(sections["moods"]))
    assert all(f"cause {cause}" in sections for cause in atlas().causes)
