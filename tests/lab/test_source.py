import ast

from bertlib.lab.source import as_markdown, without_docstrings
from bertlib.model import BertEmbedding


def code(markdown: str) -> str:
    return markdown.partition("```python\n")[2].removesuffix("\n```")


def test_it_is_the_packages_own_code():
    shown = as_markdown(BertEmbedding)
    assert shown.startswith("`BertEmbedding` from `bertlib.model.embeddings`")
    assert "self.word_embeddings(input_ids)" in shown
    assert "Sum of token, segment" not in shown
    ast.parse(code(shown))


def test_docstrings_can_stay():
    assert "Sum of token, segment" in as_markdown(BertEmbedding, docstrings=True)


def test_a_body_that_is_only_a_docstring_stays_valid():
    source = 'def f():\n    """Nothing."""\n\n\ndef g():\n    """One."""\n    return 1\n'
    out = without_docstrings(source)
    assert '"""Nothing."""' in out
    assert '"""One."""' not in out
    ast.parse(out)


def test_a_long_docstring_goes_with_its_blank_line():
    source = 'class A:\n    """First.\n\n    More.\n    """\n\n    x = 1  # why\n'
    assert without_docstrings(source) == "class A:\n    x = 1  # why"
