"""The house keeps its promises: licence, requirements, commands, clean text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]


def tracked() -> list[Path]:
    """Every text file of the repository, committed or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no git checkout")
    binary = {".png", ".safetensors", ".woff", ".woff2"}
    files = [ROOT / name for name in done.stdout.split("\0") if name]
    return [f for f in files if f.is_file() and f.suffix not in binary]


def test_environment_yml_equals_pyproject(project: dict) -> None:
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {item for group in groups for item in group if not item.startswith("bertlib[")}
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf8"))
    pip = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    assert {item for item in pip if not item.startswith("-")} == wanted
    assert [item for item in pip if item.startswith("-")] == ["--constraint constraints.txt", "-e ."]


def test_readme_has_two_set_up_commands() -> None:
    section = (ROOT / "README.md").read_text("utf8").split("## Two commands")[1].split("\n## ")[0]
    block = re.search(r"```bash\n(.*?)```", section, re.S)
    assert block is not None
    assert block[1].split("\n")[:-1] == ["make book", "make test"]


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "book/how-to-use.md", "index.md", ".ci/run"]
)
def test_every_make_command_that_is_named_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf8"), re.M))
    text = (ROOT / page).read_text("utf8")
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.M))
    assert named <= targets


def test_licence_is_the_whole_apache_text(project: dict) -> None:
    text = (ROOT / "LICENSE").read_text("utf8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text.split()) > 1500
    assert project["license"] == "Apache-2.0"


def test_citation_names_the_version(project: dict) -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))
    assert str(citation["version"]) == project["version"]
    assert citation["license"] == project["license"]


def test_check_script_can_be_started() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text("utf8").startswith("#!")
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0


def test_nothing_names_a_machine_or_a_registry() -> None:
    # put together here, so that this file does not name them either
    words = [
        "/" + "work/main",
        "/" + "root/",
        "/" + "home/",
        "py" + "pi.org",
        "registry.npm" + "js",
        "TO" + "DO",
    ]
    skip = {"LICENSE"}
    found = [
        f"{file.relative_to(ROOT)}: {word}"
        for file in tracked()
        if file.name not in skip
        for word in words
        if word in file.read_text("utf8", errors="replace")
    ]
    assert found == []
