"""Sphinx extension: from the topics of the book to the sections that make them work.

``book/topics.json`` holds, for each topic, its chapter, its title and, once they are written, its sections::

    "I8": {"chapter": "03 Input embeddings", "title": "…",
           "sections": ["chapters/03-input-embeddings#why-a-sum"]}

The directive ``{topics} I M`` lists the topics of these letters, chapter by chapter. A section whose page is
not part of this build is to come; a page without that heading stops the build. The role
``{chapter}`06` `` says "chapter 06" and leads there as soon as the chapter is part of the build.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import ReferenceRole, SphinxDirective

FILE = Path(__file__).resolve().parents[1] / "topics.json"
TO_COME = "*to come*"
Topic = Mapping[str, Any]


def read(file: Path) -> dict[str, Topic]:
    """Read the topics, in the order of the book."""
    return json.loads(file.read_text("utf8"))


def letters(name: str) -> str:
    """The letters of a topic's id: ``"M"`` of ``"M10"``."""
    return name.rstrip("0123456789")


def lists(topics: Mapping[str, Topic], wanted: Collection[str], pages: Collection[str], root: str) -> str:
    """Write the topics of some letters as Markdown: a table for each chapter.

    Args:
        topics: all of them.
        wanted: letters, e.g. ``["I", "M"]``.
        pages: the pages of this build, without suffix.
        root: leads from the page that shows the lists to the root of the book, e.g. ``"../"``.
    """
    chosen = [(name, topic) for name, topic in topics.items() if letters(name) in wanted]
    return "\n\n".join(
        table(chapter, list(rows), pages, root)
        for chapter, rows in groupby(chosen, key=lambda pair: pair[1]["chapter"])
    )


def table(chapter: str, rows: list[tuple[str, Topic]], pages: Collection[str], root: str) -> str:
    """Write the topics of one chapter; one without any page says so once."""
    places = [place(topic, pages, root) for _, topic in rows]
    cells = [[name, topic["title"], where] for (name, topic), where in zip(rows, places, strict=True)]
    if not any(where != TO_COME for where in places):
        chapter, cells = f"{chapter} (to come)", [row[:2] for row in cells]
    lines = [[""] * len(cells[0]), [":--"] * len(cells[0]), *cells]
    written = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"```{{rubric}} {chapter}\n```\n\n{written}"


def place(topic: Topic, pages: Collection[str], root: str) -> str:
    """Write where a topic works; the names of the sections come from the page itself."""
    targets = [section.partition("#")[::2] for section in topic.get("sections", ())]
    links = [f"[]({root}{page}.ipynb#{heading})" for page, heading in targets if page in pages]
    return " · ".join(links) or TO_COME


def page_of(number: str, pages: Collection[str]) -> str | None:
    """The page of a chapter, ``chapters/06-masked-language-model`` for ``06``; None if it is to come."""
    return next((page for page in sorted(pages) if page.startswith(f"chapters/{number}-")), None)


class Topics(SphinxDirective):
    """List topics with links to their sections."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the lists."""
        self.env.note_dependency(str(FILE))
        root = "../" * self.env.docname.count("/")
        written = lists(read(FILE), self.arguments[0].split(), self.env.found_docs, root)
        return [nodes.container("", *self.parse_text_to_nodes(written), classes=["topics"])]


class Chapter(ReferenceRole):
    """Name a chapter by its number, or ``other words <06>``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return a link, or plain words as long as the chapter is to come."""
        if not re.fullmatch(r"\d\d", self.target):
            said = f"{self.rawtext}: a chapter is named by two digits; write {{chapter}}`06`"
            fault = self.inliner.reporter.error(said, line=self.lineno)
            return [nodes.Text(self.title)], [fault]
        text = self.title if self.has_explicit_title else f"chapter {self.target}"
        page = page_of(self.target, self.env.found_docs)
        if page is None:
            return [nodes.Text(text)], []
        link = addnodes.pending_xref(
            "",
            nodes.inline("", text),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{page}",
            refexplicit=True,
            refwarn=True,
            refdoc=self.env.docname,
        )
        return [link], []


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive and the role."""
    app.add_directive("topics", Topics)
    app.add_role("chapter", Chapter())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
