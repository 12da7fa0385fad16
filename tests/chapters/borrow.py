"""Lend a fresh environment a few installed packages and what they require, as links in a folder of their own.

Usage: ``python borrow.py FOLDER NAME …``. Packages on the path but outside an environment are used by pip and never
changed by it, so the lender is safe, and nothing has to be downloaded twice.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path


def family(names: list[str]) -> dict[str, Distribution]:
    """The named distributions and, as far as they are installed, all that they require."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            if name in names:
                raise
            continue  # required on other systems only
        needs = [need for need in found[name].requires or [] if "extra ==" not in need]
        waiting += [match[0] for need in needs if (match := re.match(r"[\w.-]+", need))]
    return found


def lend(folder: Path, names: list[str]) -> int:
    """Link the top-level entries of the family of ``names`` into ``folder``; returns how many."""
    folder.mkdir(parents=True)
    for package in family(names).values():
        for top in {file.parts[0] for file in package.files or []} - {"..", "__pycache__"}:
            link = folder / top
            if not link.is_symlink():
                link.symlink_to(Path(str(package.locate_file(top))))
    return len(list(folder.iterdir()))


if __name__ == "__main__":
    lend(Path(sys.argv[1]), sys.argv[2:])
