"""Where in a story is the answer, if there is one? As SQuAD 2.0."""

from __future__ import annotations

from collections.abc import Iterator

from bertlib.data.examples import Answer, QuestionExample
from bertlib.data.story import chinese, english_words
from bertlib.data.story.plot import Plot
from bertlib.data.story.tasks.facts import ask, mood_span, people, read, unknown
from bertlib.data.story.tasks.mentions import names
from bertlib.data.story.tasks.source import Source
from bertlib.data.story.telling import Sentence, pick
from bertlib.data.story.world import Fact

ASKED = ("holder", "look", "spot", "place", "mood", "number")
IMPOSSIBLE = 4  # one question in so many has no answer
LONGEST = 3  # sentences of a context


def questions(source: Source) -> Iterator[QuestionExample]:
    """Yield questions about the beginning of a story."""
    turn = 0
    for plot in source.plots():
        told = source.tell(plot, *source.window(plot, longest=LONGEST))
        known = read(told, source.language)
        facts = [(fact, place) for fact, place in known.facts.values() if _has_answer(fact, plot)]
        if not facts:
            continue
        fact, place = pick(source.rng, facts)
        context = source.join(told)
        if turn % IMPOSSIBLE == IMPOSSIBLE - 1:
            open_fact = unknown(source, plot, known, fact)
            if open_fact:
                turn += 1
                yield QuestionExample(ask(source, plot, open_fact).text, context, impossible=True)
            continue
        span = answer_span(told[place], fact, source.language)
        if span:
            turn += 1
            before = len(source.join(told[:place])) + len(source.gap) * (place > 0)
            start, end = before + span[0], before + span[1]
            yield QuestionExample(ask(source, plot, fact).text, context, (Answer(context[start:end], start),))


def _has_answer(fact: Fact, plot: Plot) -> bool:
    return fact.relation in ASKED and (fact.relation != "holder" or fact.value in people(plot))


def answer_span(sentence: Sentence, fact: Fact, language: str) -> tuple[int, int] | None:
    """Return where a sentence says the value of a fact; None where a pronoun stands for it."""
    if fact.relation == "mood":
        return mood_span(sentence, fact.value, language)
    if fact.relation == "look":
        return _look_span(sentence, fact, language)
    if fact.relation in ("spot", "number"):
        kinds = (m for m in sentence.mentions if m.kind == fact.relation and m.ref == fact.value)
        return next(((m.start, m.end) for m in kinds), None)
    named = (name for name in names(sentence, language) if name.ref == fact.value)
    return next(((name.start, name.end) for name in named), None)


def _look_span(sentence: Sentence, fact: Fact, language: str) -> tuple[int, int] | None:
    """Return where a look stands: alone ("was red"), or before its thing ("a red kite")."""
    for mention in sentence.mentions:
        if mention.kind == "look" and mention.ref == fact.value:
            return mention.start, mention.end
    shown = chinese.words("looks")[fact.value][0] if language == "zh" else english_words.spelled(fact.value)
    for mention in sentence.mentions:
        if mention.kind == "thing" and mention.ref == fact.subject:
            for word in (shown, shown.removesuffix("的")):
                start = sentence.text.lower().find(word, mention.start, mention.end)
                if start >= 0:
                    return start, start + len(word)
    return None
