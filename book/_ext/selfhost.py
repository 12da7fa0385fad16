"""Sphinx extension: built pages ask no third party for anything.

Notebooks keep the public addresses of their scripts (they must work in Colab); only the built pages are
rewritten. Scripts come from ``_static/vendor`` where ``vendor.py`` has filled it, the Colab badge is our own
drawing, and inline scripts and ``onclick`` attributes move into files, so that a content-security policy of
``script-src 'self'`` holds (a page with ipywidgets also needs ``'unsafe-eval'``).
"""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path

import vendor
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

logger = logging.getLogger(__name__)

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
CDN = {
    r"https://cdnjs\.cloudflare\.com/ajax/libs/require\.js/[\d.]+/require\.min\.js": "vendor/require.js",
    r"https://cdnjs\.cloudflare\.com/ajax/libs/d3/[\d.]+/d3\.min": "vendor/d3.min",
    r"https://cdnjs\.cloudflare\.com/ajax/libs/jquery/[\d.]+/jquery\.min": "vendor/jquery.min",
    r"https://cdn\.jsdelivr\.net/npm/mathjax@3/es5/tex-\w+(?:-\w+)?\.js": "vendor/mathjax/tex-mml-chtml.js",
}
SCRIPT = re.compile(r"<script((?:\s[^>]*)?)>(.*?)</script>", re.S)
JAVASCRIPT = {None, "", "text/javascript", "application/javascript"}
HANDLER = re.compile(r'(<[a-zA-Z][^<>]*?\s)onclick="([^"]*)"')
# bertviz writes its whole data a second time into a comment of its script
PARAMS_COMMENT = re.compile(r"/\*(?:(?!\*/).)*PYTHON_PARAMS.*?\*/", re.S)


def use_vendor(app: Sphinx, config: Config) -> None:
    """Point MathJax and the widget manager at the local copies, where there are any."""
    if not vendor.present():
        logger.info("selfhost: book/_static/vendor is not filled; pages keep their CDN addresses")
        return
    config["mathjax_path"] = "vendor/mathjax/tex-mml-chtml.js"
    config["nb_ipywidgets_js"] = {
        "vendor/require.js": {},
        "vendor/widgets/embed-amd.js": {},
    }


def drop_thebe(app: Sphinx, config: Config) -> None:
    """Leave out the live-kernel scripts: the book has no live kernel, and they would call third parties."""
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if listener.handler.__module__.startswith("sphinx_thebe"):
                app.disconnect(listener.id)
    app.registry.css_files[:] = [(name, kind) for name, kind in app.registry.css_files if "thebe" not in name]


def localise(text: str, root: str, *, vendored: bool) -> str:
    """Replace public addresses in one page; ``root`` leads from the page to ``_static/``."""
    text = text.replace(BADGE, root + "colab-badge.svg")
    for pattern, local in CDN.items() if vendored else ():
        text = re.sub(pattern, root + local, text)
    return text


def move_scripts(text: str, root: str, store: Path) -> str:
    """Move every inline script of one page into a file of ``store``, named by its content."""

    def move(match: re.Match[str]) -> str:
        attributes, body = match.group(1) or "", match.group(2)
        kind = re.search(r'type="([^"]*)"', attributes)
        if "src=" in attributes or (kind and kind.group(1) not in JAVASCRIPT) or not body.strip():
            return match.group(0)
        name = keep(PARAMS_COMMENT.sub("", body), store)
        return f'<script{attributes} src="{root}inline/{name}"></script>'

    return SCRIPT.sub(move, text)


def move_handlers(text: str, root: str, store: Path) -> str:
    """Move every ``onclick`` attribute of one page into a script at its end."""
    scripts: dict[str, None] = {}  # a set that keeps its order

    def move(match: re.Match[str]) -> str:
        code = html.unescape(match.group(2))
        mark = hashlib.sha256(code.encode()).hexdigest()[:12]
        body = (
            f"for (const e of document.querySelectorAll('[data-click=\"{mark}\"]'))\n"
            f"  e.addEventListener('click', function (event) {{ {code} }});\n"
        )
        scripts[f'<script src="{root}inline/{keep(body, store)}"></script>\n'] = None
        return f'{match.group(1)}data-click="{mark}"'

    text = HANDLER.sub(move, text)
    return text.replace("</body>", "".join(scripts) + "</body>")


def keep(body: str, store: Path) -> str:
    """Write a script into ``store`` under a name made from its content, and return the name."""
    name = hashlib.sha256(body.encode()).hexdigest()[:16] + ".js"
    (store / name).write_text(body, "utf8")
    return name


def rewrite(app: Sphinx, exception: Exception | None) -> None:
    """Rewrite every built page in place; running twice changes nothing more."""
    if exception or app.builder.format != "html":
        return
    out, vendored = Path(app.outdir), vendor.present()
    store = out / "_static" / "inline"
    store.mkdir(exist_ok=True)
    used: set[str] = set()
    for page in out.rglob("*.html"):
        root = "../" * (len(page.relative_to(out).parts) - 1) + "_static/"
        before = page.read_text("utf8")
        after = move_scripts(localise(before, root, vendored=vendored), root, store)
        after = move_handlers(after, root, store)
        if after != before:
            page.write_text(after, "utf8")
        used.update(re.findall(r"_static/inline/(\w+\.js)", after))
    for script in store.glob("*.js"):
        if script.name not in used:
            script.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the steps; formulas may stand in quiz data, so MathJax is on every page."""
    app.set_html_assets_policy("always")
    app.connect("config-inited", use_vendor, priority=10)
    app.connect("config-inited", drop_thebe, priority=10)
    app.connect("build-finished", rewrite, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
