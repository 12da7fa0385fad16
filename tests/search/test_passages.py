"""Which stretch of which file, and on which lines."""

from __future__ import annotations

import gzip
import json

import pytest

from bertlib.errors import CorpusError, InputError
from bertlib.search.passages import Passage, cut, paragraphs, read_passages


def test_paragraphs_end_at_blank_lines():
    text = "\n\nOne,\ntwo.\n \nThree.\n"
    assert list(paragraphs(text)) == [(3, "One,\ntwo."), (6, "Three.")]


def test_long_lines_are_paragraphs_of_their_own():
    long = "word " * 30
    assert list(paragraphs(f"Title\n{long}\nEnd")) == [(1, "Title"), (2, long), (3, "End")]


def test_short_paragraphs_stay_whole():
    assert list(cut("The cat\nsat down. It\nslept.", "a.txt", 7)) == [
        Passage("The cat sat down. It slept.", "a.txt", 7, 9)
    ]


def test_sentences_keep_their_lines():
    """Sentence 2 begins in the middle of line 2 and ends on line 3; the third is on line 3 alone."""
    text = "The cat sat.\nIt slept. It\nwoke up. It ran."
    found = list(cut(text, "a.txt", 10, sentences=2))
    assert found == [
        Passage("The cat sat. It slept.", "a.txt", 10, 11),
        Passage("It woke up. It ran.", "a.txt", 11, 12),
    ]


def test_passages_have_as_many_words_as_allowed():
    text = "One two. Three four. Five six seven eight nine. Ten."
    assert [p.text for p in cut(text, "a", 1, words=4)] == [
        "One two. Three four.",
        "Five six seven eight nine.",
        "Ten.",
    ]
    assert [p.text for p in cut(text, "a", 1, words=1)] == [
        "One two.",
        "Three four.",
        "Five six seven eight nine.",
        "Ten.",
    ]


def test_what_is_too_long_for_a_sentence_is_cut_too():
    found = list(cut(" ".join(["word"] * 500) + ".\nThe end.", "a", 3))
    assert [len(passage.text.split()) for passage in found] == [80] * 6 + [22]
    assert (found[0].last_line, found[-1].text, found[-1].last_line) == (
        3,
        "word " * 19 + "word. The end.",
        4,
    )
    found = list(cut("我" * 500, "a", 1, words=100))
    assert [len(passage.text) for passage in found] == [100] * 5
    whole = " ".join(["word"] * 200) + "."
    assert [passage.text for passage in cut(whole, "a", 1)] == [whole]


def test_equal_sentences_are_found_at_their_own_places():
    found = list(cut("It ran.\nIt ran.\nIt ran.", "a", 1, sentences=1))
    assert [passage.line for passage in found] == [1, 2, 3]


def test_chinese_characters_count_as_words():
    assert len(list(cut("我们走吧。天黑了。", "a", 1, words=5))) == 2


def test_a_folder_of_all_kinds(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/hidden.txt").write_text("No.")
    (tmp_path / "b.txt").write_text("\ufeffFirst.\r\n\r\nSecond.", encoding="utf-8")
    (tmp_path / "deep/a.md").write_text("# Title\n\nSome text.")
    with gzip.open(tmp_path / "c.txt.gz", "wt") as file:
        file.write("Packed.")
    cells = [
        {"cell_type": "code", "source": ["x = 1"]},
        {"cell_type": "markdown", "source": ["# Head\n", "\n", "Body."]},
    ]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "picture.png").write_bytes(b"\x89")
    assert read_passages(tmp_path) == [
        Passage("First.", "b.txt", 1, 1),
        Passage("Second.", "b.txt", 3, 3),
        Passage("Packed.", "c.txt.gz", 1, 1),
        Passage("# Title", "deep/a.md", 1, 1),
        Passage("Some text.", "deep/a.md", 3, 3),
        Passage("# Head", "n.ipynb, cell 2", 1, 1),
        Passage("Body.", "n.ipynb, cell 2", 3, 3),
    ]
    assert read_passages(tmp_path / "b.txt")[1] == Passage("Second.", "b.txt", 3, 3)


def test_files_are_skipped_only_if_others_can_be_read(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    (tmp_path / "b.md").write_text("Here.")
    skipped: list[str] = []
    assert [passage.file for passage in read_passages(tmp_path, skipped=skipped)] == ["b.md"]
    assert skipped == ["a.txt"]
    (tmp_path / "c.txt").symlink_to(tmp_path / "gone.txt")
    skipped.clear()
    read_passages(tmp_path, skipped=skipped)
    assert skipped == ["a.txt", "c.txt"]
    (tmp_path / "c.txt").unlink()
    with pytest.raises(CorpusError, match="unknown encoding"):
        read_passages(tmp_path, encoding="utf-99", skipped=[])
    (tmp_path / "b.md").write_bytes(b"\xff")
    with pytest.raises(CorpusError, match=r"b\.md is not UTF-8"):
        read_passages(tmp_path, skipped=[])


def test_nul_bytes(tmp_path):
    """UTF-16 is full of them, and valid UTF-8 all the same; one alone is dirt."""
    (tmp_path / "a.txt").write_text("The cat.", encoding="utf-16-le")
    (tmp_path / "b.txt").write_text("The c\0at sat down.")
    skipped: list[str] = []
    assert [passage.text for passage in read_passages(tmp_path, skipped=skipped)] == ["The cat sat down."]
    assert skipped == ["a.txt"]
    with pytest.raises(CorpusError, match=r"a\.txt is not UTF-8: .* are 0x00; say --encoding utf-16-le"):
        read_passages(tmp_path / "a.txt")
    assert read_passages(tmp_path / "a.txt", encoding="utf-16-le")[0].text == "The cat."


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(CorpusError, match=r"no text in the folder .*; expected \.txt, .*\.md, \.ipynb"):
        read_passages(tmp_path)
    with pytest.raises(CorpusError, match="there is no file or folder"):
        read_passages(tmp_path / "nowhere")
    (tmp_path / "a.txt").write_text(" \n\n ")
    with pytest.raises(CorpusError, match="nothing but blanks"):
        read_passages(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    with pytest.raises(CorpusError, match="is not UTF-8"):
        read_passages(tmp_path)
    assert read_passages(tmp_path, encoding="latin-1")[0].text == "café"
    (tmp_path / "a.ipynb").write_text("{}")
    with pytest.raises(CorpusError, match=r"a\.ipynb is no notebook"):
        read_passages(tmp_path)
    with pytest.raises(InputError, match="sentences is 0 and words 80; expected at least 1"):
        read_passages(tmp_path, sentences=0)
