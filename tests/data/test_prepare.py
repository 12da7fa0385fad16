import errno
import io
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import psutil
import pytest

from bertlib.data import prepare, writer
from bertlib.data.arrays import TokenCorpus
from bertlib.data.corpus import read_chunks
from bertlib.data.prepare import prepare_corpus
from bertlib.data.sentences import split_sentences
from bertlib.data.shards import shard_name
from bertlib.errors import BertlibError, CheckpointError, CorpusError
from bertlib.lock import sole_user
from bertlib.tokenizer import WordPieceTokenizer

WORDS = ["my", "dog", "is", "cute", "it", "likes", "play", "sleep"]
TOKENIZER = WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "!", "##ing", *WORDS])


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def random_documents(count, seed=1):
    rng = random.Random(seed)
    for _ in range(count):
        for _ in range(rng.randint(1, 5)):
            for _ in range(rng.randint(1, 4)):
                yield " ".join(rng.choices(WORDS, k=rng.randint(1, 9))).capitalize() + rng.choice(".!") + " "
            yield "\n"
        yield "\n" * rng.randint(1, 3)


@pytest.fixture
def text(tmp_path):
    (tmp_path / "text").mkdir()
    for i in range(3):
        (tmp_path / f"text/{i}.txt").write_text("".join(random_documents(60, seed=i)))
    return tmp_path / "text"


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(prepare, "read_chunks", partial(read_chunks, characters=500))
    monkeypatch.setattr(writer, "NOTE_EVERY", 3)


def test_a_corpus_worked_by_hand(tmp_path):
    (tmp_path / "a.txt").write_text("My dog is cute. It likes playing!\nSleep.\n\n\nDog!\n")
    (tmp_path / "b.txt").write_text("It is it.\r\n \r\nSleep. Sleep.")
    corpus = prepare_corpus(tmp_path, TOKENIZER, tmp_path / "out", progress=False)
    tokens = ["my", "dog", "is", "cute", ".", "it", "likes", "play", "##ing", "!", "sleep", ".", "dog", "!"]
    tokens += ["it", "is", "it", ".", "sleep", ".", "sleep", "."]
    assert [TOKENIZER.vocab[i] for i in corpus.tokens] == tokens
    assert corpus.sentence_ends.tolist() == [5, 10, 12, 14, 18, 20, 22]
    assert corpus.document_ends.tolist() == [3, 4, 5, 7]
    assert corpus.num_one_sentence_documents == corpus.meta["one_sentence_documents"] == 2
    assert [source["name"] for source in corpus.meta["sources"]] == ["a.txt", "b.txt"]


@pytest.mark.usefixtures("small_chunks")
def test_equal_to_the_obvious_program(text, tmp_path):
    documents = []
    for path in sorted(text.iterdir()):
        for _, lines in itertools.groupby(path.read_text().split("\n"), key=bool):
            sentences = [s for line in lines for s in split_sentences(line)]
            documents += [[TOKENIZER.words_to_ids(s) for s in sentences]] if sentences else []
    corpus = prepare_corpus(text, TOKENIZER, tmp_path / "out", progress=False)
    assert [[s.tolist() for s in corpus.document(i)] for i in range(corpus.num_documents)] == documents


@pytest.mark.usefixtures("small_chunks")
def test_the_number_of_workers_changes_no_byte(text, tmp_path):
    for workers in (1, 2):
        prepare_corpus(text, TOKENIZER, tmp_path / str(workers), workers=workers, progress=False)
    assert content(tmp_path / "1") == content(tmp_path / "2")
    assert set(content(tmp_path / "1")) == {
        "tokens-00000.bin",
        "sentence_ends.bin",
        "document_ends.bin",
        "meta.json",
    }


def test_what_has_no_tokens_is_dropped_and_counted(tmp_path):
    nothing = "\x01\x02"  # control characters: lines, but no words
    (tmp_path / "a.txt").write_text(f"Dog.\n{nothing}\nDog.\n\n{nothing}\n{nothing}\n\nSleep.\n")
    corpus = prepare_corpus(tmp_path, TOKENIZER, tmp_path / "out", progress=False)
    assert corpus.document_ends.tolist() == [2, 3]
    meta = corpus.meta
    assert (meta["sentences_without_tokens"], meta["documents_without_tokens"]) == (3, 1)
    (tmp_path / "b.txt").write_text(f" \n{nothing}\n")
    with pytest.raises(CorpusError, match=r"no words in .*b\.txt"):
        prepare_corpus(tmp_path / "b.txt", TOKENIZER, tmp_path / "b", progress=False)
    assert not (tmp_path / "b/meta.json").exists()


def test_a_finished_corpus_is_opened_and_another_is_not_overwritten(text, tmp_path, monkeypatch):
    run = partial(prepare_corpus, text, out=tmp_path / "out", progress=False)
    run(TOKENIZER)
    before = content(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.delattr(WordPieceTokenizer, "encode_lines")  # nothing is encoded again
        run(TOKENIZER)
    other = WordPieceTokenizer([*TOKENIZER.vocab[:-1], "dream"])
    with pytest.raises(CorpusError, match=r"already holds a corpus of another vocabulary; .*or delete"):
        run(other)
    assert content(tmp_path / "out") == before
    with open(text / "2.txt", "a") as file:
        file.write("Sleep.")
    with pytest.raises(CorpusError, match="other text files"):
        run(TOKENIZER)
    assert run(TOKENIZER, overwrite=True).num_tokens == len(before["tokens-00000.bin"]) // 2 + 2


@pytest.mark.usefixtures("small_chunks")
def test_a_bad_byte_stops_and_the_next_run_starts_anew(text, tmp_path):
    (text / "3.txt").write_bytes(b"My d\xf6g.\n")
    with pytest.raises(CorpusError, match="byte 0xF6 at offset 4"):
        prepare_corpus(text, TOKENIZER, tmp_path / "out", progress=False)
    with pytest.raises(CorpusError, match="not finished"):
        TokenCorpus.load(tmp_path / "out")
    for out in ("out", "clean"):
        prepare_corpus(text, TOKENIZER, tmp_path / out, encoding="latin-1", progress=False)
    assert content(tmp_path / "out") == content(tmp_path / "clean")


# A preparation in a process of its own: in small steps, noted one by one, with a pause after each.
SLOWLY = """
    import sys, time, resource
    from bertlib.data import prepare, writer
    from bertlib.data.corpus import read_chunks
    from bertlib.errors import CorpusError
    sys.path.insert(0, sys.argv[1])
    from test_prepare import TOKENIZER

    def slowly(*args, **options):
        for chunk in read_chunks(*args, **options, characters=500):
            time.sleep({pause})
            yield chunk

    writer.NOTE_EVERY = 1
    prepare.read_chunks = slowly
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    try:
        prepare.prepare_corpus(sys.argv[2], TOKENIZER, sys.argv[3], workers={workers}, progress=False, shard_mb={mb})
    except CorpusError as error:
        sys.exit(str(error))
"""


def start_slowly(text, out, *, pause=0.02, limit=2**40, workers=1, shard_mb=256):
    script = textwrap.dedent(SLOWLY).format(pause=pause, limit=limit, workers=workers, mb=shard_mb)
    command = [sys.executable, "-c", script, os.path.dirname(__file__), str(text), str(out)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def noted(out):
    return json.loads((out / "progress.json").read_text())["progress"]


def chunks_done(out):
    return noted(out)["chunks"]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(("workers", "shard_mb"), [(1, 256), (2, 256), (1, 0.0006), (2, 0.0006)])
def test_killed_and_resumed_it_is_the_same_to_the_byte(text, tmp_path, workers, shard_mb, monkeypatch):
    whole, out = tmp_path / "whole", tmp_path / "out"
    prepare_corpus(text, TOKENIZER, whole, progress=False, shard_mb=shard_mb)
    process = start_slowly(text, out, workers=workers, shard_mb=shard_mb)
    while not (out / "progress.json").exists() or chunks_done(out) < 4:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    team = psutil.Process(process.pid).children()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    left = psutil.wait_procs(team, timeout=5)[1]  # workers end with the one they work for
    assert all(worker.status() == psutil.STATUS_ZOMBIE for worker in left)  # ended, not yet collected
    with pytest.raises(CorpusError, match="not finished"):
        TokenCorpus.load(out)
    shards = list(noted(out)["shards"].items())  # 300 ids in each: it was killed in the middle of one
    assert len(shards) == (1 if shard_mb == 256 else 1 + (noted(out)["num_tokens"] - 1) // 300)
    (out / shards[-1][0]).open("ab").write(b"written after the last note")
    (out / shard_name(len(shards))).write_bytes(b"begun after the last note")
    (out / shard_name(99)).write_bytes(b"of a corpus that lay here before")
    first = (out / shards[0][0]).stat().st_mtime_ns
    todo = []
    encode = prepare.encode_chunk
    monkeypatch.setattr(prepare, "encode_chunk", lambda *args: todo.append(args) or encode(*args))
    done = chunks_done(out)
    prepare_corpus(text, TOKENIZER, out, workers=1, progress=False, shard_mb=shard_mb)
    assert content(out) == content(whole)
    if len(shards) > 1:
        assert (out / shards[0][0]).stat().st_mtime_ns == first  # what is complete is not written again
    assert len(todo) + done == len(list(read_chunks(prepare.find_texts(text), characters=500)))


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent to a group of processes")
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_what_can_be_gone_on_with(text, tmp_path, workers):
    whole, out = tmp_path / "whole", tmp_path / "out"
    prepare_corpus(text, TOKENIZER, whole, progress=False)
    process = start_slowly(text, out, workers=workers)
    while not (out / "progress.json").exists() or chunks_done(out) < 4:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers too
    assert process.communicate(timeout=30)[1].endswith("KeyboardInterrupt\n")
    assert chunks_done(out) >= 4
    prepare_corpus(text, TOKENIZER, out, workers=1, progress=False)
    assert content(out) == content(whole)


class FullDisk:
    """A file on a disk with room for so many bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        self.room -= len(data)
        if self.room < 0:
            self.file.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(data)

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("full", ["tokens-00000.bin", "sentence_ends.bin", "document_ends.bin", "meta.json"])
def test_no_space_left_in_any_file(text, tmp_path, full, monkeypatch):
    whole, out = tmp_path / "whole", tmp_path / "out"
    prepare_corpus(text, TOKENIZER, whole, progress=False)
    with monkeypatch.context() as patch:
        if full == "meta.json":
            patch.setattr(writer.json, "dump", lambda *_, **__: FullDisk(io.BytesIO(), 0).write(b"x"))
            patch.setattr(writer, "NOTE_EVERY", 10**9)  # no note before
        else:
            open_at = writer._open_at
            room = len(content(whole)[full]) * 2 // 3
            patch.setattr(
                writer,
                "_open_at",
                lambda path, size: (
                    FullDisk(open_at(path, size), room) if path.name == full else open_at(path, size)
                ),
            )
        with pytest.raises(CorpusError, match=r"could not write .*No space left.* goes on where") as caught:
            prepare_corpus(text, TOKENIZER, out, progress=False)
    assert "\n" not in str(caught.value)
    assert not {"meta.json", "meta.tmp", "progress.tmp"} & content(out).keys()
    with pytest.raises(CorpusError):
        TokenCorpus.load(out)
    prepare_corpus(text, TOKENIZER, out, progress=False)
    assert content(out) == content(whole)


@pytest.mark.usefixtures("small_chunks")
def test_an_unreadable_note_means_from_the_start(text, tmp_path):
    (tmp_path / "out").mkdir()
    for i, note in enumerate(["{", "[]", '{"recipe": 1}']):
        (tmp_path / "out/progress.json").write_text(note)
        (tmp_path / "out/tokens-00000.bin").write_bytes(b"junk")
        prepare_corpus(text, TOKENIZER, tmp_path / "out", progress=False, overwrite=False)
        prepare_corpus(text, TOKENIZER, tmp_path / f"whole{i}", progress=False)
        assert content(tmp_path / "out") == content(tmp_path / f"whole{i}")
        (tmp_path / "out/meta.json").unlink()


@pytest.mark.usefixtures("small_chunks")
def test_a_full_disk_is_one_line_and_loses_nothing(text, tmp_path):
    whole, out = tmp_path / "whole", tmp_path / "out"
    prepare_corpus(text, TOKENIZER, whole, progress=False)
    process = start_slowly(text, out, pause=0, limit=3000)
    message = process.communicate()[1]
    assert process.returncode == 1
    assert message.startswith(f"could not write {out}: File too large; what was saved before is untouched")
    assert message.count("\n") == 1
    assert chunks_done(out) > 0
    prepare_corpus(text, TOKENIZER, out, progress=False)
    assert content(out) == content(whole)


@pytest.mark.usefixtures("small_chunks")
def test_a_disk_that_goes_away_is_one_line(text, tmp_path, monkeypatch):
    def gone(self):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(writer.CorpusWriter, "_flush", gone)
    with pytest.raises(
        CorpusError, match=r"could not write .*out: Input/output error; .*goes on where"
    ) as caught:
        prepare_corpus(text, TOKENIZER, tmp_path / "out", progress=False)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written(text, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BertlibError, match=r"could not write .*file: File exists; .*choose another folder"):
        prepare_corpus(text, TOKENIZER, tmp_path / "file", progress=False)


def test_two_at_a_time_do_not_write_the_same_corpus(text, tmp_path):
    out = tmp_path / "out"
    run = partial(prepare_corpus, text, TOKENIZER, out, progress=False)
    with sole_user(out, "corpus"):
        (out / "progress.json").write_text("{}")
        for more in ({}, {"overwrite": True}, {"resume": False}):
            with pytest.raises(CheckpointError, match=r"another process .* is at work in .*out"):
                run(**more)
        assert content(out).keys() == {".corpus.lock", "progress.json"}
    run()
    with sole_user(out, "corpus"):
        run()  # to open it needs nobody's leave


@pytest.mark.parametrize("out", [".", "..", "link"])
def test_arrays_do_not_lie_among_the_texts(text, tmp_path, out):
    """The advice "delete the folder and prepare again" would be bad advice then."""
    (text / "link").symlink_to(text)
    before = sorted(text.rglob("*"))
    with pytest.raises(CorpusError, match=r"holds the texts; name a folder of its own for the arrays"):
        prepare_corpus(text, TOKENIZER, text / out, progress=False)
    assert sorted(text.rglob("*")) == before
    prepare_corpus(text, TOKENIZER, text / "corpus", progress=False)  # below them there is no harm


@pytest.mark.parametrize("workers", [0, -2])
def test_somebody_must_work(text, tmp_path, workers):
    with pytest.raises(CorpusError, match=f"{workers} workers were asked for; expected at least 1"):
        prepare_corpus(text, TOKENIZER, tmp_path / "out", workers=workers, progress=False)
