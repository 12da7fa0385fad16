"""Fetch the scripts that the built pages would otherwise load from third parties.

``package.json`` beside this file names each npm package with its exact version; ``npm pack`` downloads those
and nothing else (no dependencies, no install scripts), and the few files that a page needs are laid into
``book/_static/vendor``. Without npm, or without a network, the pages keep their CDN addresses and this script
says so: a reader can build the book all the same.
"""

from __future__ import annotations

import fnmatch
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
MANIFEST = HERE / "package.json"
VENDOR = HERE.parent / "_static" / "vendor"
STAMP = VENDOR / "versions.json"

# package -> {file name or pattern inside the package: its folder below vendor/}
WANTED = {
    "mathjax": {
        "es5/tex-mml-chtml.js": "mathjax/",
        "es5/output/chtml/fonts/woff-v2/*.woff": "mathjax/output/chtml/fonts/woff-v2/",
        "es5/input/tex/extensions/*.js": "mathjax/input/tex/extensions/",
        "LICENSE": "mathjax/",
    },
    "requirejs": {"require.js": "./"},
    "d3": {"dist/d3.min.js": "./"},
    "jquery": {"dist/jquery.min.js": "./"},
    "@jupyter-widgets/html-manager": {"dist/embed-amd.js": "widgets/", "dist/*.woff2": "widgets/"},
}


def versions() -> dict[str, str]:
    """Package name to exact version, as ``package.json`` has it."""
    return json.loads(MANIFEST.read_text("utf8"))["dependencies"]


def present(vendor: Path = VENDOR) -> bool:
    """Whether every wanted file lies in ``vendor`` in the wanted version."""
    stamp = vendor / STAMP.name
    return stamp.is_file() and json.loads(stamp.read_text("utf8")) == versions()


def members(archive: tarfile.TarFile, wanted: dict[str, str]) -> Iterator[tuple[tarfile.TarInfo, str]]:
    """Regular files of an npm archive that are wanted, each with its place below ``vendor``."""
    for info in archive.getmembers():
        inside = info.name.partition("/")[2]
        for pattern, folder in wanted.items():
            if info.isfile() and fnmatch.fnmatchcase(inside, pattern):
                yield info, folder + Path(inside).name


def fetch(package: str, version: str, vendor: Path, work: Path) -> int:
    """Download one package with npm and lay its wanted files into ``vendor``; returns how many."""
    patience = ["--fetch-retries=1", "--fetch-timeout=60000"]
    command = ["npm", "pack", "--silent", *patience, f"{package}@{version}", "--pack-destination", str(work)]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=300, check=True)
    count = 0
    with tarfile.open(work / done.stdout.split()[-1]) as archive:
        for info, target in members(archive, WANTED[package]):
            place = vendor / target
            place.parent.mkdir(parents=True, exist_ok=True)
            source = archive.extractfile(info)
            assert source is not None
            place.write_bytes(source.read())
            count += 1
    return count


def main() -> None:
    """Bring ``book/_static/vendor`` up to date, or say why the pages keep their CDN addresses."""
    keep = "the pages keep their CDN addresses and need a network for formulas and widgets"
    if present():
        return
    if shutil.which("npm") is None:
        print(f"self-hosted scripts: npm is not here; {keep}.")
        return
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "vendor"
        try:
            count = sum(fetch(name, number, fresh, Path(folder)) for name, number in versions().items())
        except (subprocess.SubprocessError, OSError, tarfile.TarError) as error:
            reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1:]
            print(f"self-hosted scripts: npm could not fetch them ({' '.join(reason)}); {keep}.")
            return
        (fresh / STAMP.name).write_text(json.dumps(versions()), "utf8")
        shutil.rmtree(VENDOR, ignore_errors=True)
        shutil.copytree(fresh, VENDOR)
    size = sum(f.stat().st_size for f in VENDOR.rglob("*") if f.is_file())
    print(f"self-hosted scripts: {count} files, {size / 1e6:.1f} MB, in book/_static/{VENDOR.name}")


if __name__ == "__main__":
    main()
