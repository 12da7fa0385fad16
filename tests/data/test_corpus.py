import errno
import gzip
import lzma
import os
import tracemalloc

import pytest

from bertlib.data.corpus import CHUNK_CHARACTERS, find_texts, read_chunks, sample_texts
from bertlib.errors import CorpusError


def names(sources):
    return [file.name for file in find_texts(sources)]


def read(sources, **options):
    return "".join(chunk.text for chunk in read_chunks(find_texts(sources), **options))


@pytest.fixture
def folder(tmp_path):
    for name in ["b.txt", "a.TXT", "deep/er/c.txt", ".hidden.txt", ".git/d.txt", "notes.md", "tok/vocab.txt"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"I am {name}.\n")
    (tmp_path / "tok/tokenizer_config.json").write_text("{}")
    (tmp_path / "e.txt.gz").write_bytes(gzip.compress(b"I am e.\n"))
    (tmp_path / "f.txt.xz").write_bytes(lzma.compress(b"I am f.\n"))
    return tmp_path


def test_a_folder_gives_its_texts_in_order(folder):
    assert names(folder) == ["a.TXT", "b.txt", "deep/er/c.txt", "e.txt.gz", "f.txt.xz"]
    assert read(folder) == "".join(
        f"I am {name}.\n\n\n" for name in ["a.TXT", "b.txt", "deep/er/c.txt", "e", "f"]
    )


def test_files_patterns_and_lists(folder):
    assert names(str(folder / "notes.md")) == ["notes.md"]
    assert names(folder / "*.txt") == ["b.txt"]
    assert names(folder / "**/*.txt") == ["b.txt", "c.txt", "vocab.txt"]
    assert names([folder / "deep", folder / "b.txt", folder / "b.txt", folder / "deep/er/c.txt"]) == [
        "er/c.txt",
        "b.txt",
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere", "no file or folder .*nowhere"),
        ("bare", r"no text file in the folder .*bare; expected \.txt"),
        ("blank", "no text in .*blank: all 2 files are empty"),
        ("*.rst", r"pattern .*rst' matches no file"),
    ],
)
def test_nothing_to_read(tmp_path, source, message):
    (tmp_path / "bare").mkdir()
    (tmp_path / "blank").mkdir()
    (tmp_path / "blank/a.txt").touch()
    (tmp_path / "blank/b.txt").touch()
    with pytest.raises(CorpusError, match=message):
        find_texts(tmp_path / source)
    with pytest.raises(CorpusError, match="an empty list"):
        find_texts([])


def test_links_are_followed_and_lead_to_nothing_twice(tmp_path):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "texts"
    for path in (elsewhere / "deep/b.txt", folder / "a.txt"):
        path.parent.mkdir(parents=True)
        path.write_text("Dog.\n")
    (folder / "books").symlink_to(elsewhere)
    (folder / "again").symlink_to(folder / "a.txt")  # no text by its name
    (folder / "z.txt").symlink_to(folder / "a.txt")
    (elsewhere / "up").symlink_to(folder)
    (folder / "here").symlink_to(folder)
    assert names(folder) == ["a.txt", "books/deep/b.txt"]
    assert names(tmp_path) == ["elsewhere/deep/b.txt", "elsewhere/up/a.txt"]


def test_links_that_lead_nowhere_are_named(tmp_path):
    (tmp_path / "a.txt").write_text("Dog.\n")
    (tmp_path / "b.txt").symlink_to(tmp_path / "gone.txt")
    with pytest.raises(CorpusError, match=r"b\.txt cannot be read .*link that leads nowhere, mend or remove"):
        find_texts(tmp_path)
    (tmp_path / "gone.txt").symlink_to(tmp_path / "b.txt")
    with pytest.raises(CorpusError, match=r"b\.txt cannot be read .*link that leads nowhere"):
        find_texts(tmp_path)


def test_a_folder_that_may_not_be_read_is_not_passed_over(folder, monkeypatch):
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("er"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(CorpusError, match=r"deep/er cannot be read: Permission denied"):
        find_texts(folder)


@pytest.mark.parametrize("size", [5, 50])
def test_a_file_that_changes_meanwhile_is_named(tmp_path, size):
    path = tmp_path / "a.txt"
    path.write_text("Dog dog dog.\n")
    files = find_texts(path)
    path.write_text("d" * size)
    with pytest.raises(CorpusError, match=r"a\.txt has changed since it was found"):
        list(read_chunks(files))


def test_line_ends_and_marks_are_made_equal(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\r\ntwo\rthree\n\r\nvier ü".encode())
    assert read(path) == "one\ntwo\nthree\n\nvier ü\n\n"
    path.write_bytes("one\r\nü\n".encode("utf-16"))
    assert read(path, encoding="utf-16") == "one\nü\n\n\n"
    path.write_bytes("ü".encode("latin-1"))
    assert read(path, encoding="latin-1") == "ü\n\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_a_byte_that_is_not_utf8_is_named_with_its_offset(tmp_path, pack):
    path = tmp_path / {bytes: "a.txt", gzip.compress: "a.txt.gz", lzma.compress: "a.txt.xz"}[pack]
    good = "é\n".encode() * 100_000
    path.write_bytes(pack(good + "naïve".encode("latin-1")))
    with pytest.raises(CorpusError) as caught:
        read(path)
    message = str(caught.value)
    assert f"{path} is not UTF-8: byte 0xEF at offset {len(good) + 2:,}" in message
    assert "--encoding latin-1" in message
    assert "--errors replace" in message
    assert "\n" not in message
    assert read(path, errors="replace").endswith("na�ve\n\n")


def test_a_character_cut_off_at_the_end_is_found(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("é".encode()[:1])
    with pytest.raises(CorpusError, match="byte 0xC3 at offset 0 "):
        read(path)


def test_utf16_is_recognised_and_wrong_settings_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("hello".encode("utf-16"))
    with pytest.raises(CorpusError, match="--encoding utf-16"):
        read(path)
    with pytest.raises(CorpusError, match="unknown encoding 'utf-9'"):
        read(path, encoding="utf-9")
    with pytest.raises(CorpusError, match="errors is 'loose'"):
        read(path, errors="loose")


@pytest.mark.parametrize(("name", "pack"), [("a.txt.gz", gzip.compress), ("a.txt.xz", lzma.compress)])
def test_a_damaged_archive_is_named(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(b"some text\n" * 1000)[:-20])
    with pytest.raises(CorpusError, match=f"{name} is damaged or cut short"):
        read(tmp_path)


def test_chunks_are_bounded_complete_and_end_with_a_line(tmp_path):
    text = "".join(f"This is sentence {i}. Is it?\n" for i in range(1000))
    (tmp_path / "a.txt").write_text(text)
    chunks = list(read_chunks(find_texts(tmp_path), characters=1000))
    assert "".join(chunk.text for chunk in chunks) == text + "\n\n"
    assert all(len(chunk.text) <= 1000 and chunk.text.endswith("\n") for chunk in chunks)
    assert chunks[-1].disk_bytes == chunks[-1].text_bytes == len(text)


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        ("A word or two. " * 100, (". ",)),  # sentences: cut behind one
        ("word " * 300, (" ",)),  # words only: cut between two
        ("x" * 1500, ("x",)),  # no place is good
        ("x" * 99 + "    \n" + "x" * 100 + "   \n" + "x" * 101 + "  \n", ("x", "\n")),
    ],
)
def test_overlong_lines_are_cut_and_make_no_blank_line(tmp_path, line, ends):
    path = tmp_path / "a.txt"
    for shift in range(8):  # so that the cut falls on every place around the line end
        text = "y" * shift + line.strip() + "\nlast."
        path.write_text(text)
        chunks = [chunk.text for chunk in read_chunks(find_texts(path), characters=100)]
        assert "".join(chunks) == text + "\n\n"
        assert all(chunk.endswith(ends) for chunk in chunks[:-3])
        lines = [line for chunk in chunks for line in chunk.removesuffix("\n").split("\n")]
        blank = [line for line in lines if not line.strip()]
        assert blank == [""]  # the one after the file


def test_a_line_of_50_megabytes_needs_little_memory(tmp_path):
    path = tmp_path / "a.txt"
    with open(path, "w") as file:
        for _ in range(50):
            file.write("All work and no play makes Jack a dull boy. " * 22_727)
    tracemalloc.start()
    size = 0
    for chunk in read_chunks(find_texts(path)):
        size += len(chunk.text)
        assert len(chunk.text) <= CHUNK_CHARACTERS
    assert size == path.stat().st_size + 2
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


def test_samples_are_bounded_and_spread(tmp_path):
    for i in range(4):
        (tmp_path / f"{i}.txt").write_text(f"file {i} has words. \n" * 20_000)  # 0.4 MB each
    whole, some = sample_texts(tmp_path, 10), sample_texts(tmp_path, 0.3)
    assert "".join(whole) == read(tmp_path)
    assert 0.15e6 < sum(map(len, some)) <= 0.3e6
    shares = [sum(block.count(f"file {i}") for block in some) / 20_000 for i in range(4)]
    assert max(shares) < 1.3 * min(shares)
    with pytest.raises(CorpusError, match="more than 0"):
        sample_texts(tmp_path, 0)
