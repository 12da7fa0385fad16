"""The public address stands in ``_config.yml``; this writes it into everything that must repeat it.

``python book/_ext/address.py`` says which files disagree and ends with 1 if any do; ``--write`` mends them.
Repeated are: the Colab badge of a chapter (owner, repository, branch, and the chapter's own path), the
``git+https`` address in a chapter's set-up cell, and ``repository-code`` in ``CITATION.cff``. Notebooks are
changed as text, so that nothing else in them moves.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
COLAB = "https://colab.research.google.com/github"
BADGE = re.compile(re.escape(COLAB) + r"/[^\s\"'()<>\\]+?\.ipynb")
INSTALL = re.compile(r"git\+https://[^\s\"'()<>\\#@]+")
CITED = re.compile(r"(?m)^repository-code: \S+$")


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the repository is public."""

    url: str
    branch: str

    @property
    def name(self) -> str:
        """``OWNER/REPOSITORY``, as Colab wants it."""
        return self.url.partition("://")[2].partition("/")[2]


def configured(root: Path = ROOT) -> Address:
    """The address in ``_config.yml``.

    Raises:
        ValueError: it is not an https address with an owner and a repository.
    """
    given = yaml.safe_load((root / "_config.yml").read_text("utf8"))["repository"]
    url = str(given["url"]).rstrip("/").removesuffix(".git")
    if not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", url):
        raise ValueError(
            f"_config.yml: repository.url is {url!r}; expected https://HOST/OWNER/REPOSITORY, mend it there"
        )
    return Address(url=url, branch=str(given["branch"]))


def carriers(root: Path = ROOT) -> list[Path]:
    """The files that repeat the address."""
    return [*sorted((root / "chapters").glob("*.ipynb")), root / "CITATION.cff"]


def renewed(text: str, path: str, address: Address) -> str:
    """The text of the file at ``path`` (from the root) with the address put in."""
    badge = f"{COLAB}/{address.name}/blob/{address.branch}/{path}"
    text = BADGE.sub(lambda _: badge, text)
    text = INSTALL.sub(lambda _: f"git+{address.url}", text)
    return CITED.sub(lambda _: f"repository-code: {address.url}", text)


def main(root: Path = ROOT) -> int:
    """Compare, or write with ``--write``."""
    parser = argparse.ArgumentParser(
        description="Put the public address of _config.yml where it is repeated."
    )
    parser.add_argument("--write", action="store_true", help="change the files instead of naming them")
    write = parser.parse_args().write
    try:
        address = configured(root)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    files = carriers(root)
    stale = []
    for file in files:
        before = file.read_text("utf8")
        after = renewed(before, file.relative_to(root).as_posix(), address)
        if after != before:
            stale.append(file.relative_to(root).as_posix())
            if write:
                file.write_text(after, "utf8")
    done = "rewritten" if write else "disagree with"
    print(f"{address.url}: {len(files)} files, {len(stale)} {done}{''.join(f' {name}' for name in stale)}")
    return bool(stale and not write)


if __name__ == "__main__":
    sys.exit(main())
