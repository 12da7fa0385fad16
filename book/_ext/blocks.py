"""Sphinx extension: the recurring blocks of a chapter.

A chapter writes a block as a quotation that opens with its icon, so that it reads well in Colab, in Jupyter
and on the code host, none of which know the site's directives::

    > 🎯 **Goal.** Say what a segment embedding is for, and compute one.

On the site the quotation gets the class of its icon and is drawn as a coloured block. Pages of the site
itself may write the same block as an admonition with that class.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

# icon -> class in book.css. A variation selector after the icon is ignored.
BLOCKS = {
    "🎯": "goal",
    "🤔": "guess",
    "✍": "your-turn",
    "✏": "your-turn",
    "✅": "check",
    "⚠": "mistake",
    "🃏": "card",
    "📄": "paper",
    "💡": "hint",
}


def block_class(text: str) -> str | None:
    """The class of a block whose text is given, or None for an ordinary quotation."""
    return next((name for icon, name in BLOCKS.items() if text.startswith(icon)), None)


class IconBlocks(SphinxTransform):
    """Give each quotation that opens with an icon the class of that icon."""

    default_priority = 700

    def apply(self) -> None:
        """Walk over the quotations of one page."""
        for quote in self.document.findall(nodes.block_quote):
            name = block_class(quote.astext().lstrip())
            if name:
                quote["classes"] += ["block", name]


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the transform."""
    app.add_transform(IconBlocks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
