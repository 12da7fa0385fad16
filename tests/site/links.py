"""Check a built site: internal links, images, anchors; ids that stand twice; anything loaded from elsewhere.

Usage: ``python tests/site/links.py _build/html``. Standard library only; a fraction of a second.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

LOADING_TAGS = {"script", "img", "iframe", "source", "video", "audio"}


class Link(NamedTuple):
    """One address in a page and the tag that holds it."""

    tag: str
    rel: str
    address: str


class Page(HTMLParser):
    """The anchors and addresses of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.ids: set[str] = set()
        self.doubled: set[str] = set()
        self.links: list[Link] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if name := found.get("id"):
            (self.doubled if name in self.ids else self.ids).add(name)
        self.anchors.update(v for k in ("id", "name") if (v := found.get(k)))
        self.links += [
            Link(tag, found.get("rel") or "", v) for k in ("href", "src", "data-src") if (v := found.get(k))
        ]


def target(root: Path, page: Path, path: str) -> Path:
    """The file that an internal address means."""
    if not path:
        return page
    place = root / path.lstrip("/") if path.startswith("/") else page.parent / unquote(path)
    return (place / "index.html" if place.is_dir() else place).resolve()


def html_files(root: Path) -> list[Path]:
    """The pages of the site; the theme keeps templates below ``_static``, which are none."""
    return sorted(f for f in root.rglob("*.html") if "_static" not in f.relative_to(root).parts)


def faults(root: Path, *, allow_cdn: bool = False) -> list[str]:
    """One line for each address of the site below ``root`` that leads nowhere or loads from elsewhere.

    ``allow_cdn`` accepts remote scripts: without npm there are no local copies to use.
    """
    root = root.resolve()
    pages = {file: Page(file.read_text("utf8")) for file in html_files(root)}
    found = []
    for file, page in pages.items():
        found += [f"{file.relative_to(root)}: this id stands twice: {name}" for name in sorted(page.doubled)]
        for tag, rel, address in page.links:
            parts = urlsplit(address)
            if parts.scheme or address.startswith("//"):
                loads = tag in LOADING_TAGS or (tag == "link" and rel in {"stylesheet", "preload", "icon"})
                if loads and parts.scheme not in {"data", "blob"} and not (allow_cdn and tag == "script"):
                    found.append(f"{file.relative_to(root)}: loads from elsewhere: {address}")
                continue
            goal = target(root, file, parts.path)
            if not goal.exists():
                found.append(f"{file.relative_to(root)}: leads nowhere: {address}")
            elif parts.fragment and goal in pages and unquote(parts.fragment) not in pages[goal].anchors:
                found.append(f"{file.relative_to(root)}: no such anchor: {address}")
    return found


def main() -> int:
    """Print the faults of the site named on the command line; 1 if there are any."""
    root = Path(sys.argv[1])
    if not (root / "index.html").is_file():
        print(f"no built site in {root}: run make book first")
        return 2
    found = faults(root, allow_cdn=not (root / "_static/vendor/versions.json").is_file())
    print(*found, sep="\n", end="\n" if found else "")
    print(f"link check: {len(html_files(root))} pages, {len(found)} faults")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
