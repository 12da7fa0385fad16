"""Does a statement follow from a few sentences, contradict them, or neither? Three classes, as MNLI."""

from __future__ import annotations

from collections.abc import Iterator

from bertlib.data.examples import TextExample
from bertlib.data.story.plot import Plot
from bertlib.data.story.tasks.facts import Knowledge, can_be_said, claim, false_fact, read, unknown
from bertlib.data.story.tasks.source import Source
from bertlib.data.story.telling import Sentence, pick

LABELS = ("contradiction", "entailment", "neutral")
LONGEST = 1  # sentences of a premise
DENIALS = 0.25  # so many statements say what is not so


def entailment(source: Source) -> Iterator[TextExample]:
    """Yield premise, statement and verdict, the three verdicts in turn."""
    turn = 0
    for plot in source.plots():
        premise = source.tell(plot, *source.window(plot, longest=LONGEST))
        verdict = LABELS[turn % 3]
        statement = state(source, plot, read(premise, source.language), verdict)
        if statement:
            turn += 1
            yield TextExample(source.join(premise), statement.text, verdict)


def state(source: Source, plot: Plot, known: Knowledge, verdict: str) -> Sentence | None:
    """State something about what is known that has the verdict; None where nothing offers itself.

    A statement affirms or denies. To deny what is false is true: "not" alone gives no verdict away.
    """
    facts = [fact for fact, _ in known.facts.values() if fact.relation != "look" or can_be_said(fact, plot)]
    if not facts:
        return None
    fact, affirms = pick(source.rng, facts), not source.chance(DENIALS)
    if verdict == "neutral":
        open_fact = unknown(source, plot, known, fact)
        return claim(source, plot, open_fact, holds=affirms) if open_fact else None
    if (affirms == (verdict == "entailment")) and can_be_said(fact, plot):
        return claim(source, plot, fact, holds=affirms)
    affirms = verdict == "contradiction"
    return claim(source, plot, false_fact(source, plot, fact), holds=affirms)
