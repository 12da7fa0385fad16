"""What somebody says, word by word, with a slot each and one intent: Snips (Coucke et al. 2018), ATIS."""

from __future__ import annotations

from pathlib import Path

from bertlib.data.examples import IntentExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading.opening import find_split, open_text, some

FILES = ("seq.in", "seq.out", "label")


def read_intents(source: str | Path, *, labels: bool = True) -> list[IntentExample]:
    """Read ``seq.in`` (words), ``seq.out`` (slots) and ``label`` (intents), one utterance a line.

    Args:
        source: folder of one split, such as ``snips/train``, or its ``seq.in``; the files are plain, ``.gz``
            or ``.xz``.
        labels: False: only the words are read, from ``seq.in`` or whatever file ``source`` is.

    Raises:
        CorpusError: a file that is missing or cannot be read; files, or words and slots, of unequal number.
    """
    source = Path(source).expanduser()
    folder = source.parent if source.is_file() else source
    if not labels:
        lines = read_lines(source if source.is_file() else find_split(folder, FILES[0]))
        words_alone = [
            IntentExample(tuple(line.split()), name=str(n)) for n, line in enumerate(lines) if line.strip()
        ]
        return some(words_alone, source)
    said, slots, intents = (read_lines(find_split(folder, name)) for name in FILES)
    if not len(said) == len(slots) == len(intents):
        raise CorpusError(
            f"{folder} has {len(said)} lines in seq.in, {len(slots)} in seq.out and {len(intents)} in label; "
            "expected as many in each"
        )
    examples = []
    for number, (line, marks, label) in enumerate(zip(said, slots, intents, strict=True)):
        words, tags, intent = tuple(line.split()), tuple(marks.split()), label.strip()
        if len(words) != len(tags) or not words or not intent:
            raise CorpusError(
                f"{folder}, line {number + 1}: {len(words)} words, {len(tags)} slots, the intent {intent!r}; "
                "expected a slot for each word, and an intent"
            )
        examples.append(IntentExample(words, tags, intent, str(number)))
    return some(examples, folder)


def read_lines(path: Path) -> list[str]:
    """Return the lines of a file, blank ones at its end left out."""
    with open_text(path) as lines:
        return lines.read().rstrip("\n ").split("\n")
