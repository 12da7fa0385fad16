"""Whatever is wrong with a file is said in one line; whatever is right in it is read."""

import lzma

import pytest

from bertlib.errors import CorpusError
from bertlib.finetune.reading import find_split, open_text


def lines(path):
    with open_text(path) as text:
        return list(text)


@pytest.mark.parametrize("name", ["a.txt", "a.txt.xz", "a.txt.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_packed_or_not_and_any_line_end(write, name, end):
    path = write(name, f"\ufeffein Käse{end}二{end}")
    assert lines(path) == ["ein Käse\n", "二\n"]


def test_line_ends_of_unicode_are_none(write):
    assert lines(write("a.txt", "a\u2028b\x0cc\x85d\n")) == ["a\u2028b\x0cc\x85d\n"]


def test_a_file_that_is_not_there(write, tmp_path):
    write("other.txt", "x")
    with pytest.raises(CorpusError, match=r"has no file a\.txt; it holds 'other\.txt'"):
        lines(tmp_path / "a.txt")
    with pytest.raises(CorpusError, match="there is no such folder; is the path spelt right"):
        lines(tmp_path / "none" / "a.txt")
    with pytest.raises(CorpusError, match="cannot be read: Is a directory"):
        lines(tmp_path)


@pytest.mark.parametrize("name", ["a.txt", "a.txt.xz", "a.txt.gz"])
def test_an_empty_file(write, name):
    with pytest.raises(CorpusError, match=r"a\.txt.* is empty"):
        lines(write(name, ""))


@pytest.mark.parametrize("name", ["a.txt", "a.txt.xz"])
def test_not_utf8(write, name):
    with pytest.raises(CorpusError, match=r"is not UTF-8: byte 0xE9 in line 3; save it as UTF-8"):
        lines(write(name, b"a\n\xc3\xa9\ncaf\xe9\n"))


def test_utf16(write):
    with pytest.raises(CorpusError, match="mark of UTF-16"):
        lines(write("a.txt", "a\nb\n".encode("utf-16")))


@pytest.mark.parametrize("name", ["a.txt.xz", "a.txt.gz"])
def test_a_truncated_archive(write, name):
    path = write(name, "".join(f"{n * 7919 % 1000}\n" for n in range(5000)))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CorpusError, match="damaged or cut short"):
        lines(path)


def test_an_archive_that_is_none(write, tmp_path):
    path = tmp_path / "a.xz"
    path.write_bytes(b"not packed at all")
    with pytest.raises(CorpusError, match="damaged or cut short"):
        lines(path)


def test_find_split(write, tmp_path):
    packed = write("dev.tsv.xz", "a")
    assert find_split(tmp_path, "valid.tsv", "dev.tsv") == packed
    plain = write("dev.tsv", "a")
    assert find_split(tmp_path, "dev.tsv") == plain
    assert lzma.decompress(packed.read_bytes()) == b"a"
    with pytest.raises(
        CorpusError, match=r"has no test\.tsv \(plain, .xz or .gz\); it holds 'dev.tsv', 'dev.tsv.xz'"
    ):
        find_split(tmp_path, "test.tsv")
    with pytest.raises(CorpusError, match="no such folder"):
        find_split(tmp_path / "none", "test.tsv")
