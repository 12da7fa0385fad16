import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from bertlib.data.corpus import find_texts, read_chunks
from bertlib.data.encodings import check_encoding, check_head
from bertlib.errors import CorpusError

TEXT = "My dog is cute. It likes playing.\n\nThe café is full.\n" * 20


def read(path, **options):
    return "".join(chunk.text for chunk in read_chunks(find_texts(path), **options))


def zipped(data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", data)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    ("kind", "pack"),
    [
        ("gzip", gzip.compress),
        ("xz", lzma.compress),
        ("bzip2", bz2.compress),
        ("zip", zipped),
        ("PNG", lambda data: b"\x89PNG\r\n\x1a\n" + data),
        ("PDF", lambda data: b"%PDF-1.7\n" + data),
    ],
)
def test_what_is_no_text_is_called_by_its_name_in_any_encoding(tmp_path, kind, pack, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes(pack(TEXT.encode()))
    with pytest.raises(CorpusError, match=rf"a\.txt is no text but {kind}; leave it out, or unpack"):
        read(path, encoding=encoding)


def test_an_archive_within_an_archive_is_no_text_either(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(lzma.compress(TEXT.encode())))
    with pytest.raises(CorpusError, match="is no text but xz"):
        read(tmp_path)


def test_utf16_without_a_mark_is_not_taken_for_utf8(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.replace("é", "e").encode("utf-16-le"))
    assert path.read_bytes().decode("utf-8")  # nothing that a decoder would stumble over
    with pytest.raises(
        CorpusError, match=r"is not UTF-8: 1,060 of its first 2,120 bytes .*say --encoding utf-16-le"
    ):
        read(path)
    assert read(path, encoding="utf-16-le") == TEXT.replace("é", "e") + "\n\n"
    assert "\0" in read(path, errors="ignore")  # who insists


def test_a_little_dirt_is_let_through(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\x01\x02\n\nMy d\x00og is\x07 cute. It plays.\n")
    assert "My d\x00og is\x07 cute." in read(path)


@pytest.mark.parametrize("name", ["utf-9", "hex", "undefined", ""])
def test_what_is_no_encoding(name):
    with pytest.raises(CorpusError, match=f"unknown encoding '{name}'"):
        check_encoding(name, "strict")


def test_a_text_that_begins_like_bzip2_is_a_text(tmp_path):
    check_head(tmp_path / "a.txt", b"BZhang went home.", "utf-8", "strict")
    with pytest.raises(CorpusError, match="bzip2"):
        check_head(tmp_path / "a.txt", b"BZh91AY&SY\x00\x00", "utf-8", "strict")
