"""Class folders on disk and in archives hold the same."""

import tarfile

import pytest

from bertlib.data.examples import TextExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading import holds_classes, read_folders, read_reviews, read_texts

FILES = {
    "aclImdb/train/pos/0_9.txt": "Good.<br /><br />Very <BR/>good.\n",
    "aclImdb/train/pos/10_7.txt": "Nice",
    "aclImdb/train/neg/3_1.txt": "\ufeffBäd",
    "aclImdb/train/unsup/1_0.txt": "?",
    "aclImdb/train/neg/.hidden": b"\xff",
    "aclImdb/train/urls_pos.txt": "http",
    "aclImdb/test/pos/0_10.txt": "Best",
}
TRAIN = [
    TextExample("Bäd", None, "neg", "neg/3_1.txt"),
    TextExample("Good. Very good.", None, "pos", "pos/0_9.txt"),
    TextExample("Nice", None, "pos", "pos/10_7.txt"),
]


@pytest.fixture
def imdb(write, tmp_path):
    for name, content in FILES.items():
        write(name, content)
    return tmp_path / "aclImdb"


@pytest.mark.parametrize("mode", ["", "xz", "gz"])
def test_an_archive_holds_what_the_folder_holds(imdb, tmp_path, mode):
    path = tmp_path / f"imdb.tar.{mode}".rstrip(".")
    with tarfile.open(path, f"w:{mode}") as archive:
        archive.add(imdb, "./aclImdb")
    before = sorted(tmp_path.rglob("*"))
    assert read_folders(path, "train") == read_folders(imdb, "train") == TRAIN
    assert sorted(tmp_path.rglob("*")) == before
    assert read_folders(path, "test") == [TextExample("Best", None, "pos", "pos/0_10.txt")]


def test_class_folders_themselves(imdb):
    assert read_folders(imdb / "train") == TRAIN
    assert len(read_folders(imdb / "train", leave_out=("neg",))) == 3  # unsup is no longer left out


def test_texts_without_a_class(write, tmp_path):
    write("new/b.txt", "Very<br />good.\n")
    one = write("new/a.txt.xz", "Bäd")
    for name in ("new/.hidden.txt", "new/notes.md", "new/older/c.txt"):
        write(name, "?")
    wanted = [TextExample("Bäd", name="a.txt.xz"), TextExample("Very good.", name="b.txt")]
    assert read_texts(tmp_path / "new") == read_reviews(tmp_path / "new", "test", labels=False) == wanted
    assert read_texts(one) == read_reviews(one, "test") == wanted[:1]
    with pytest.raises(CorpusError, match="no class folders in a folder 'test'"):
        read_reviews(tmp_path / "new", "test")
    with pytest.raises(CorpusError, match=r"older holds no examples"):
        read_texts(write("older/notes.md", "?").parent)


def test_one_split_alone_is_read_whichever_is_asked_for(imdb):
    """Class folders without a folder of a split around them; "urls_pos.txt" beside them is no text."""
    assert holds_classes(imdb / "train")
    assert not holds_classes(imdb)
    assert not holds_classes(imdb.parent)
    assert not holds_classes(imdb / "train/pos")
    found = read_folders(imdb / "train")
    assert read_reviews(imdb / "train", "dev") == read_reviews(imdb / "train", "train") == found


def test_class_folders_come_before_texts_beside_them(imdb):
    (imdb / "imdbEr.txt").write_text("7.4\n")
    assert [e.first for e in read_reviews(imdb, "test", labels=False)] == ["Best"]
    assert read_reviews(imdb, "dev") is None


def test_wrong_folders(imdb, tmp_path):
    with pytest.raises(CorpusError, match="class folders in 'test', 'train'; choose one"):
        read_folders(tmp_path / "aclImdb", leave_out=("unsup", "train"))
    with pytest.raises(CorpusError, match="no class folders in a folder 'valid'"):
        read_folders(imdb, "valid")
    with pytest.raises(CorpusError, match=r"has no file none; it holds 'aclImdb'"):
        read_folders(tmp_path / "none", "train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="holds no examples"):
        read_folders(tmp_path / "empty")


def test_a_text_that_is_not_utf8(imdb):
    (imdb / "train" / "pos" / "5_9.txt").write_bytes(b"caf\xe9")
    with pytest.raises(CorpusError, match=r"train/pos/5_9\.txt in .* is not UTF-8"):
        read_folders(imdb, "train")


def test_a_truncated_archive(imdb, tmp_path):
    path = tmp_path / "imdb.tar.xz"
    with tarfile.open(path, "w:xz") as archive:
        archive.add(imdb, "aclImdb")
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(CorpusError, match="damaged or cut short"):
        read_folders(path, "train")


@pytest.mark.data
@pytest.mark.slow
def test_the_published_archive(shared_data):
    read = read_folders(shared_data / "imdb_sample" / "aclImdb_sample.tar.xz", "test")
    labels = [e.label for e in read]
    assert (labels.count("neg"), labels.count("pos")) == (2500, 2500)
    assert not any("<br" in e.first for e in read)
