"""What a reader imports, and how long that takes."""

import subprocess
import sys
from pathlib import Path

import pytest

import bertlib


@pytest.mark.parametrize("name", bertlib.__all__)
def test_public_names_exist_and_are_explained(name):
    assert getattr(bertlib, name).__doc__


def test_the_version_is_that_of_the_package():
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{bertlib.__version__}"\n' in project


def test_no_public_name_is_hidden_by_a_module_of_the_same_name():
    modules = {path.stem for path in Path(bertlib.__file__).parent.iterdir()}
    assert modules & set(bertlib.__all__) == set()


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(
        AttributeError, match="no attribute 'BertConfg'; it has BM25, BatchConfig, BertConfig"
    ):
        _ = bertlib.BertConfg


def test_importing_is_free_until_something_is_used():
    script = "import sys, bertlib; assert 'torch' not in sys.modules; bertlib.BertModel; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_core_imports_no_extra():
    script = "import sys, bertlib, bertlib.cli; [getattr(bertlib, n) for n in bertlib.__all__]; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    extras = {"matplotlib", "IPython", "transformers", "bertviz", "ipywidgets", "sphinx", "pandas", "sklearn"}
    assert extras & set(loaded.split()) == set()
