"""A built site on a local port, and a browser without a profile."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
sys.path.insert(0, str(ROOT / "book" / "_ext"))
VENDORED = "_static/vendor/versions.json"  # lies there when the site carries its own copies of all scripts
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a page of the built site, where a test asks for ``page_path``."""
    if "page_path" in metafunc.fixturenames:
        found = sorted(f for f in SITE.rglob("*.html") if "_static" not in f.relative_to(SITE).parts)
        names = [f.relative_to(SITE).as_posix() for f in found]
        metafunc.parametrize(
            "page_path", names or [pytest.param("", marks=pytest.mark.skip("no built site"))]
        )


class Strict(SimpleHTTPRequestHandler):
    """Serves files under a strict content-security policy, and says nothing."""

    def end_headers(self) -> None:
        if (SITE / VENDORED).is_file():
            self.send_header("Content-Security-Policy", self.policy())
        super().end_headers()

    def policy(self) -> str:
        """Only our own files may run; the widgets of ipywidgets compile their templates as well."""
        file = Path(self.translate_path(self.path))
        widgets = file.suffix == ".html" and file.is_file() and "widget-view+json" in file.read_text("utf8")
        scripts = "'self' 'unsafe-eval'" if widgets else "'self'"
        return (
            f"default-src 'self'; script-src {scripts}; "
            "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:"
        )

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def site() -> Path:
    if not (SITE / "index.html").is_file():
        pytest.skip("no built site: run make book first")
    return SITE


@pytest.fixture(scope="session")
def vendored(site: Path) -> bool:
    """Whether the site carries its own copies of the scripts."""
    return (site / VENDORED).is_file()


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The site served on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Strict, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((p for name in BROWSERS if (p := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on this machine (Debian and Ubuntu: apt install chromium): pages not opened")
    with api.sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield instance
        instance.close()
