"""What several rooms of tests share: a finished run of a very small BERT, made once."""

import sys

import pytest

from bertlib import cli
from bertlib.data.story import write_corpus
from bertlib.pretrain import pretrain
from bertlib.recipes import Recipe
from bertlib.request import Request

QUICK = {
    "vocab_size": 400,
    "steps": 4,
    "batch_size": 8,
    "max_length": 32,
    "save_every": 2,
    "eval_every": 2,
    "log_every": 1,
}


@pytest.fixture(scope="session")
def texts(tmp_path_factory):
    """A folder with two txt files of generated stories."""
    folder = tmp_path_factory.mktemp("texts")
    for number in range(2):
        write_corpus(folder / f"part-{number}.txt", megabytes=0.03, seed=number)
    return folder


@pytest.fixture(scope="session")
def quick_recipe():
    """Four steps of a Tiny on short texts."""
    return Recipe.for_preset("tiny", **QUICK)


@pytest.fixture(scope="session")
def finished_run(texts, quick_recipe, tmp_path_factory):
    """What ``pretrain`` returns after four steps; its folder is to be read only."""
    out = tmp_path_factory.mktemp("runs") / "quick"
    request = Request(out=out, recipe=quick_recipe, sources=(str(texts),))
    return pretrain(request, progress=False, say=lambda _: None)


@pytest.fixture
def bertlib(monkeypatch, capsys):
    """Run ``bertlib ARGS`` in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bertlib", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return run
