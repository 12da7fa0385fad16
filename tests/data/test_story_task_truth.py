"""The labels of the story tasks are true: checked on events written by hand, and by rules of another kind."""

import re

import pytest

from bertlib.data.story.tasks import story_task
from bertlib.data.story.tasks.entailment import LABELS, state
from bertlib.data.story.tasks.facts import claim, false_fact, read
from bertlib.data.story.tasks.mentions import bio, names, names_nothing_else, words_of
from bertlib.data.story.tasks.similarity import score
from bertlib.data.story.tasks.source import Source
from bertlib.data.story.telling import atlas
from bertlib.data.story.world import Event, Fact, World


def story(*events: tuple[str, dict[str, str]], language: str = "en"):
    """A story by the sea with Lily and Tom in which exactly this happens."""
    source = Source.of("any", split="train", seed=0, language=language, world="village")
    plot = next(source.plots())
    plot.hero, plot.friend, plot.place = "lily", "tom", "beach"
    plot.world, plot.events = World(), []
    for kind, roles in events:
        plot.add(kind, roles)
    return source, plot


OWN = ("own", {"T": "net", "V": "old"})


def statements(events, verdict: str, count: int = 40) -> set[str]:
    source, plot = story(*events)
    found = set()
    for _ in range(count):
        told = read(source.tell(plot), "en")
        statement = state(source, plot, told, verdict)
        if statement:
            found.add(statement.text)
    return found


def test_whoever_got_it_has_it() -> None:
    events = [OWN, ("give", {"T": "net"})]
    for verdict in ("entailment", "contradiction"):
        said = statements(events, verdict)
        assert len(said) > 3
        for text in said:
            assert "net" in text
            has = ("Tom" in text) != bool(re.search(r"\bnot\b", text))
            assert has == (verdict == "entailment"), text
    neutral = statements(events, "neutral")
    assert neutral
    assert not any(re.search(r"\bnet\b", text) for text in neutral)


def test_a_lost_thing_is_with_nobody() -> None:
    events = [OWN, ("lose", {"T": "net"})]
    assert all(" not " in text for text in statements(events, "entailment"))
    assert not any(" not " in text for text in statements(events, "contradiction"))


def test_moods_contradict_their_opposites_only() -> None:
    events = [("feel", {"M": "sad", "K": "praised"})]
    for text in statements(events, "contradiction"):
        assert "Lily" in text
        assert ("happy" in text) != ("not sad" in text)
    for text in statements(events, "neutral"):
        assert "Lily" not in text


def test_contrasts_turn_around() -> None:
    taller = Fact("taller", "lily", "tom")
    source, plot = story(("differ", {"C": "taller"}))
    assert false_fact(source, plot, taller) == Fact("taller", "tom", "lily")
    assert {claim(source, plot, taller, holds=True).text for _ in range(20)} == {
        "Lily is taller than Tom.",
        "Tom is shorter than Lily.",
    }


def test_who_goes_home_is_no_longer_where_they_went() -> None:
    walk = ("gotwo", {"Q": "pier"})
    source, plot = story(("open", {}), ("meet", {}), walk)
    assert read(source.tell(plot), "en").facts["place", "lily"][0].value == "pier"
    plot.add("home", {})
    assert not [key for key in read(source.tell(plot), "en").facts if key[0] == "place"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_only_what_is_named_counts_as_told(language: str) -> None:
    source, plot = story(("feel", {"M": "sad", "K": "praised"}), language=language)
    word = {"en": "sad", "zh": "难过"}[language]
    seen = set()
    for _ in range(40):
        (sentence,) = source.tell(plot)
        told = ("mood", "lily") in read([sentence], language).facts
        assert told == bool(re.search(rf"(?i){word}(?!地)", sentence.text)), sentence.text
        seen.add(told)
    assert seen == {True, False}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_answers_stand_where_they_say(language: str) -> None:
    for example in story_task("questions", split="dev", size=150, seed=3, language=language):
        assert example.impossible == (not example.answers)
        for text, start in example.answers:
            assert example.context[start : start + len(text)] == text
            assert text


def test_impossible_questions_ask_about_what_is_not_there() -> None:
    nouns = {ref.replace("-", " ") for topic in atlas().topics for ref in topic.things}
    checked = 0
    for example in story_task("questions", split="dev", size=150, seed=3):
        if example.impossible:
            asked = {noun for noun in nouns if f"the {noun}" in example.question}
            checked += len(asked)
            assert not any(noun in example.context for noun in asked), example
    assert checked > 3


def test_who_has_it_is_the_last_who_got_it() -> None:
    pattern = re.compile(
        r"gave (?:the )?(?P<one>\w+) the (?P<thing>\w+)\.|gave the (?P<same>\w+) to (?:the )?(?P<other>\w+)\."
    )
    checked = 0
    for example in story_task("questions", split="train", size=300, seed=0):
        gifts = list(pattern.finditer(example.context))
        if gifts and example.answers and "Who" in example.question:
            last = gifts[-1]
            if (last["thing"] or last["same"]) in example.question and " back" not in example.context:
                checked += 1
                assert example.answers[0].text in (last["one"], last["other"]), example
    assert checked > 3


def test_scores_of_pairs_written_by_hand() -> None:
    give = Event("give", {"A": "lily", "B": "tom", "T": "net"})
    assert score(give, give) == 5
    assert score(give, Event("give", {"A": "lily", "B": "tom", "T": "rope"})) == 3.5  # 2 of 4 in common
    assert score(give, Event("give", {"A": "mia", "B": "max", "T": "rope"})) == 2
    assert score(give, Event("lose", {"A": "lily", "T": "net"})) == 2  # 2 of 3 in common
    assert score(give, Event("lose", {"A": "mia", "T": "rope"})) == 0


def test_tags_by_hand() -> None:
    text = "Lily left the straw hat."
    tagged = [(0, 4, "PER"), (14, 23, "THING")]
    assert bio(words_of(text, "en"), tagged) == ("B-PER", "O", "O", "B-THING", "I-THING", "O")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_name_that_occurs_is_tagged(language: str) -> None:
    girls = {"en": {"Anna", "Nora", "Ella", "Ruby"}, "zh": {"安娜", "诺拉", "艾拉", "小红"}}[language]
    checked = 0
    for example in story_task("entities", split="dev", size=200, seed=0, language=language):
        text = "".join(example.words) if language == "zh" else " ".join(example.words)
        for girl in girls:
            found = [w for w, t in zip(example.words, example.tags, strict=True) if t[2:] == "PER"]
            if re.search(girl if language == "zh" else rf"\b{girl}\b", text):
                checked += 1
                assert girl in ("".join(found) if language == "zh" else found), example
    assert checked > 10


def test_a_sentence_with_a_name_that_means_nobody_is_noticed() -> None:
    source, plot = story(("sky", {"title": "sunny"}))
    sentence = source.tell(plot)[0]._replace(text="Lily saw a cow and a lighthouse.", mentions=())
    assert names(sentence, "en") == []
    assert not names_nothing_else(sentence, [], "en")
    assert names_nothing_else(sentence._replace(text="The sun shone."), [], "en")


def test_the_right_choice_alone_speaks_of_the_same_people() -> None:
    people = [name.capitalize() for name in atlas().girls + atlas().boys]
    for example in story_task("choices", split="dev", size=100, seed=0):
        known = {name for name in people if re.search(rf"\b{name}\b", example.prompt)}
        for place, choice in enumerate(example.choices):
            named = {name for name in people if re.search(rf"\b{name}\b", choice)}
            assert named <= known if place == example.label else not named & known, example


def test_a_request_has_its_slots() -> None:
    wanted = {"give": {"person", "thing"}, "find": {"thing"}, "go": {"place"}, "order": {"food"},
              "count": {"animal"}, "meet": {"person", "time"}}  # fmt: skip
    for language in ("en", "zh"):
        for example in story_task("intents", split="dev", size=60, seed=0, language=language):
            slots = {tag[2:] for tag in example.slots if tag != "O"}
            assert wanted[example.intent] <= slots, example


def test_three_verdicts() -> None:
    assert {e.label for e in story_task("entailment", split="test", size=9, seed=0)} == set(LABELS)
