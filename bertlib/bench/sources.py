"""What is known of the texts that shipped models were trained on: content, licence, origin, cautions."""

from __future__ import annotations

from pathlib import Path

BOOKS = {
    "content": "English prose: the beginnings of 594 books, works up to 1927",
    "licence": (
        "stated as public domain by the source; works dated up to 1927, authors known to have died in 1955 "
        "or later left out"
    ),
    "source": "the repository mlschmitt/classic-books-markdown at commit 9448827",
    "caution": (
        "Books up to 1927: their language is dated, and so are their views of women, of servants, of other "
        "peoples. Slurs occur in them."
    ),
}
WIKIPEDIA = {
    "content": "7,300 articles of the English Wikipedia, dump of spring 2015",
    "licence": "CC BY-SA 3.0",
    "source": (
        "the authors of the English Wikipedia, by way of the repository jason-feng/wikiVisual at commit "
        "1c0fac9; documents.tsv beside the text names every article and its address"
    ),
    "caution": (
        "Wikipedia as it was in 2015: nothing later is known, more is written about men than about women, "
        "and about some countries far more than about others."
    ),
}
CHINESE_NOVELS = {
    "content": "Chinese prose: 13 vernacular novels, Ming to early 20th century, in simplified characters",
    "licence": "works in the public domain; the source repository is MIT-licensed",
    "source": "the repository NiuTrans/Classical-Modern at commit 4e746ea",
    "caution": (
        "Novels of old China: little of today's language, nothing of today's world; quotation marks were put "
        "back by rule. The held-out text is chapters of the same novels."
    ),
}
CHINESE_WIKIPEDIA = {
    "content": "54 long articles of the Chinese Wikipedia, simplified and traditional characters mixed",
    "licence": "CC BY-SA 3.0",
    "source": (
        "the authors of the Chinese Wikipedia, by way of the repository enix223/nlp-course at commit c077f61"
    ),
    "caution": "",
}
STORIES = {
    "content": "stories that the package itself makes up (bertlib.data.story), no line of them by a person",
    "licence": "Apache-2.0, as the package",
    "source": "bertlib.data.story; the seed stands under Training",
    "caution": (
        "A world of a few hundred words, in which children lose hats and find them: the model knows nothing "
        "else and speaks of nothing else."
    ),
}
UNKNOWN = {"content": "not described", "licence": "not stated", "source": "not stated", "caution": ""}
KNOWN = {
    "pretrain_books_en": BOOKS,
    "pretrain_wiki_en": WIKIPEDIA,
    "pretrain_zh/wiki_sample.txt.xz": CHINESE_WIKIPEDIA,
    "pretrain_zh": CHINESE_NOVELS,
}


def story_world(language: str, world: str) -> dict[str, str]:
    """Return what is known of generated text: its "file" is the world and the language."""
    return {"file": f"story world, {world}, {language}", **STORIES}


def described(source: str) -> dict[str, str]:
    """Return what is known of a source, with its file named without the folders of this machine."""
    path = Path(source)
    file = "/".join(path.parts[-2:]).lstrip("/")
    known = KNOWN.get(file) or next((KNOWN[part] for part in path.parts if part in KNOWN), UNKNOWN)
    return {"file": file, **known}
