"""Exercises of *Next sentence prediction*: pairs from documents (other-document, make-pairs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from bertlib.errors import InputError
from bertlib.lab.exercise import Case, Exercise, Mistake, flawed

Documents = Sequence[Sequence[str]]
Pair = tuple[str, str, int]

SEA = ["Lily built a sandcastle.", "A wave came.", "It took the sandcastle.", "She laughed."]
FARM = ["Tom fed the hens.", "One hen was missing.", "He found it under the hay."]
SCHOOL = ["The bell rang.", "Ben opened his book.", "The book was empty."]
NOTE = ["Back soon."]  # a document of one sentence: nothing follows it
THREE, WITH_A_NOTE = [SEA, FARM, SCHOOL], [NOTE, FARM, SEA]
MOST_DRAWS = 20_000  # of one call; far more than any right answer needs


class PatientRandom(Random):
    """Dice that lose their patience, so that a loop without end ends here and not in the reader's page."""

    draws = 0

    def random(self) -> float:
        """Count, then draw."""
        self._count()
        return super().random()

    def getrandbits(self, k: int, /) -> int:
        """Count, then draw."""
        self._count()
        return super().getrandbits(k)

    def _count(self) -> None:
        self.draws += 1
        if self.draws > MOST_DRAWS:
            raise RuntimeError(f"{MOST_DRAWS:,} draws and still no answer: this loop never ends")


# --- a sentence from elsewhere ------------------------------------------------------------------------------
def other_document(documents: Documents, own: int, rng: Random) -> str:
    """List everything that is not in the own document, then draw."""
    elsewhere = [s for number, document in enumerate(documents) for s in document if number != own]
    if not elsewhere:
        raise InputError("there is no other document to take a sentence from")
    return elsewhere[int(rng.random() * len(elsewhere))]


def run_draws(choose: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Draw 300 times; tell from which documents, and how many different sentences came."""
    documents, own = arguments["documents"], arguments["own"]
    rng = PatientRandom(arguments["seed"])
    drawn = [choose(documents, own, rng) for _ in range(300)]
    if any(sentence is None for sentence in drawn):
        return None
    home = {s: number for number, document in enumerate(documents) for s in document}
    strange = [sentence for sentence in drawn if not isinstance(sentence, str) or sentence not in home]
    if strange:
        raise TypeError(f"{strange[0]!r} is no sentence of the documents")
    places = sorted({home[sentence] for sentence in drawn})
    return " ".join(map(str, places)), f"{len(set(drawn))} different ones"


OTHER_DOCUMENT = Exercise(
    name="other-document",
    difficulty="easy",
    minutes=8,
    hint="First collect what may be drawn: every sentence of every document whose number is not `own`. If "
    "that list is empty, raise ValueError. Then rng.choice(list) draws one.",
    praise="From another document, always: now the label NotNext can be believed.",
    reference=other_document,
    run=run_draws,
    returns=("from documents", "sentences"),
    cases=lambda: [
        Case("300 draws away from document 0", {"documents": THREE, "own": 0, "seed": 1}),
        Case(
            "300 draws away from the last document",
            {"documents": WITH_A_NOTE, "own": 2, "seed": 2},
            because="Every sentence of every other document can come, also the only one of a short one.",
        ),
        Case(
            "a corpus of one document",
            {"documents": [SEA], "own": 0, "seed": 3},
            raises=ValueError,
            because="With one document there is no elsewhere. Say so (raise ValueError) instead of looking "
            "for it for ever, or of taking what is at hand.",
        ),
    ],
    mistakes=(
        Mistake(
            "the own document can come too. Then its next sentence is sometimes called NotNext.",
            lambda documents, own, rng: rng.choice([s for document in documents for s in document]),
        ),
        Mistake(
            "it is always the document next door. All the others are as good.",
            lambda documents, own, rng: rng.choice(documents[(own + 1) % len(documents)]),
        ),
        Mistake(
            "only first sentences come. A first sentence is easy to know; any sentence should come.",
            lambda documents, own, rng: rng.choice([d[0] for i, d in enumerate(documents) if i != own]),
        ),
        Mistake(
            "every sentence but the next one may come, the own document's as well. Another document, please.",
            lambda documents, own, rng: rng.choice(
                [s for i, d in enumerate(documents) for j, s in enumerate(d) if (i, j) != (own, 1)]
            ),
        ),
    ),
)


# --- pairs with labels --------------------------------------------------------------------------------------
def make_pairs(documents: Documents, rng: Random, *, flaw: str = "") -> list[Pair]:
    """Go through all neighbours, toss a coin for each; ``flaw`` makes the wrong versions."""
    flat = [s for document in documents for s in document]
    pairs = []
    for own, document in enumerate([flat] if flaw == "across" else documents):
        for first, second in list(pairwise(document))[:: 2 if flaw == "once" else 1]:
            follows = flaw == "all next" or (flaw != "never next" and rng.random() < 0.5)
            if not follows:
                second = _elsewhere(documents, own, rng, flaw)
            pairs.append((first, second, int(follows if flaw == "upside down" else not follows)))
    return pairs


def _elsewhere(documents: Documents, own: int, rng: Random, flaw: str) -> str:
    """Draw the wrong second sentence from where it should come, or from where people take it."""
    if flaw == "anywhere":
        return rng.choice([s for document in documents for s in document])
    if flaw == "own":
        return rng.choice(documents[own])
    return other_document(documents, own, rng) if flaw != "across" else rng.choice(documents[-1])


def own_dice(documents: Documents, rng: Random) -> list[Pair]:
    """Make the right pairs with dice that nobody handed over."""
    return make_pairs(documents, Random())


def run_pairs(make: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Make pairs with sixty seeds and say what is true of all of them."""
    documents = arguments["documents"]
    rounds = [make(documents, PatientRandom(seed)) for seed in range(60)]
    if any(pairs is None for pairs in rounds):
        return None
    again = [make(documents, PatientRandom(seed)) for seed in range(3)]
    counts = sorted({len(pairs) for pairs in rounds})
    found = [as_pair(pair) for pairs in rounds for pair in pairs]
    place = {s: (i, j) for i, document in enumerate(documents) for j, s in enumerate(document)}
    near = [place[b] == (place[a][0], place[a][1] + 1) for a, b, label in found if label == 0]
    far = [place[a][0] != place[b][0] for a, b, label in found if label == 1]
    share = len(far) / max(len(found), 1)
    return (
        " to ".join(str(count) for count in {counts[0]: 0, counts[-1]: 0}),
        how_many(near),
        how_many(far),
        "about half" if 0.4 < share < 0.6 else "none" if not far else "all" if share == 1 else f"{share:.0%}",
        "the same pairs" if again == rounds[:3] else "other pairs",
    )


def as_pair(pair: Any) -> Pair:
    """Look at one item of the reader's list.

    Raises:
        TypeError: it is no (first, second, label).
    """
    if not isinstance(pair, tuple | list) or len(pair) != 3 or pair[2] not in (0, 1):
        raise TypeError(f"{pair!r} is no (first, second, label) with a label of 0 or 1")
    return pair[0], pair[1], int(pair[2])


def how_many(facts: Sequence[bool]) -> str:
    """Say of how many something is true, roughly: details of the dice must not matter."""
    return "there are none" if not facts else "all" if all(facts) else "some" if any(facts) else "not one"


MAKE_PAIRS = Exercise(
    name="make-pairs",
    difficulty="medium",
    minutes=15,
    hint="Two loops: over the documents with their numbers (enumerate), and inside over the neighbours "
    "(zip(document, document[1:])). For each pair of neighbours ask rng.random() < 0.5: keep the follower "
    "with label 0, or take a sentence of another document with label 1.",
    praise="Half of them follow, half come from elsewhere, and nobody had to label a thing.",
    reference=make_pairs,
    run=run_pairs,
    returns=(
        "pairs",
        "label 0: B stands right behind A",
        "label 1: B is of another document",
        "pairs with label 1",
        "equal dice give",
    ),
    cases=lambda: [
        Case("three documents, sixty different dice", {"documents": THREE}),
        Case(
            "one of the documents is a single sentence",
            {"documents": WITH_A_NOTE},
            because="Nothing follows a document's only sentence: it is no A. It may well be somebody's B.",
        ),
    ],
    mistakes=(
        *flawed(
            make_pairs,
            {
                "upside down": "the labels are upside down. In BERT's code 0 is IsNext and 1 is NotNext.",
                "anywhere": "the wrong sentence may come from anywhere, also from A's own document, so that "
                "some pairs are called NotNext although they fit.",
                "own": "the wrong sentence comes from A's own document. It has to come from another one.",
                "all next": "every pair is IsNext: a judge who says 0 is always right.",
                "never next": "no pair is IsNext: a judge who says 1 is always right.",
                "across": "the documents were glued together first, so the last sentence of one is followed "
                "by the first of the next. Pairs must not cross that border.",
                "once": "each sentence was used once only. The B of one pair is also the A of the next.",
            },
        ),
        Mistake("you threw your own dice, not `rng`: nobody can repeat that experiment.", own_dice),
    ),
)

EXERCISES = (OTHER_DOCUMENT, MAKE_PAIRS)
