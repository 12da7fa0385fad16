"""The command line as a person meets it: words in, lines and exit codes out."""

import json
import re
import signal

import pytest

COMMANDS = [
    "tokenizer train", "corpus prepare", "pretrain", "fill-mask", "bench pretrain", "bench tokenize",
    "bench corpus",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(bertlib, command):
    code, out, _ = bertlib(*command.split(), "--help")
    assert code == 0
    assert "Examples" in out
    assert f"bertlib {command}" in " ".join(out.split())


def test_the_path_by_hand(bertlib, texts, tmp_path):
    vocabulary, corpus, run = tmp_path / "vocabulary", tmp_path / "corpus", tmp_path / "run"
    code, out, _ = bertlib("tokenizer", "train", texts, "--vocab-size", 300, "--out", vocabulary)
    assert code == 0
    assert "learned 300 word pieces" in out
    assert f"--tokenizer {vocabulary}" in out
    code, out, _ = bertlib("corpus", "prepare", texts, "--tokenizer", vocabulary, "--out", corpus, "--json")
    assert code == 0
    assert json.loads(out)["tokens"] > 5000
    code, out, err = bertlib(
        "pretrain", texts, "--tokenizer", vocabulary, "--out", run, "--steps", 2, "--batch-size", 4,
        "--max-length", 32, "--json",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["steps"] == 2
    assert "training a tiny with" in err
    code, out, _ = bertlib(
        "fill-mask", "the [MASK] came home", "--model", run / "model", "--top", 3, "--json"
    )
    assert code == 0
    assert len(json.loads(out)["blanks"][0]) == 3
    code, _, err = bertlib("pretrain", texts, "--out", run)
    assert (code, err.count("\n")) == (2, 1)
    assert f"--resume {run}" in err
    code, out, err = bertlib("pretrain", "--resume", run, "--quiet")
    assert (code, err) == (0, "")
    assert "model:" in out


def test_a_corpus_in_the_place_of_a_runs_own_is_found_there(bertlib, texts, finished_run, tmp_path):
    vocabulary, run = finished_run.out / "tokenizer", tmp_path / "run"
    code, out, _ = bertlib("corpus", "prepare", texts, "--tokenizer", vocabulary, "--out", run / "corpus")
    assert code == 0
    assert out.splitlines()[-1] == f"next: bertlib pretrain {texts} --tokenizer {vocabulary} --out {run}"
    before = (run / "corpus" / "meta.json").stat().st_mtime_ns
    command = out.splitlines()[-1].removeprefix("next: bertlib ").split()
    code, _, err = bertlib(*command, "--steps", 1, "--batch-size", 2, "--max-length", 16, "--quiet")
    assert (code, err) == (0, "")
    assert (run / "corpus" / "meta.json").stat().st_mtime_ns == before


def test_what_is_merged_first_can_be_chosen(bertlib, texts, tmp_path):
    for score in ("frequency", "likelihood"):
        code, _, _ = bertlib(
            "tokenizer", "train", texts, "--vocab-size", 200, "--score", score, "--out", tmp_path / score
        )
        assert code == 0
    pieces = [(tmp_path / score / "vocab.txt").read_text().split() for score in ("frequency", "likelihood")]
    assert pieces[0][:5] == pieces[1][:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert set(pieces[0]) != set(pieces[1])


@pytest.mark.slow
def test_no_arguments_at_all(bertlib, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = bertlib("pretrain", "--steps", 2)
    assert code == 0
    assert "of stories into" in err
    assert out.count("[MASK]") == 3
    code, out, _ = bertlib("fill-mask", "she lost her [MASK].")
    assert code == 0
    assert out.count("%") == 5


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


BAD = {
    "empty folder": (lambda tmp: ("pretrain", tmp), r"no text file in the folder .*expected \.txt, \.txt\.gz, \.txt\.xz"),
    "no such folder": (lambda tmp: ("pretrain", tmp / "nowhere"), r"nowhere"),
    "empty file": (lambda tmp: ("pretrain", write(tmp / "a.txt", b"")), r"the only file is empty"),
    "not UTF-8": (
        lambda tmp: ("pretrain", write(tmp / "a.txt", b"gr\xfc\xdfe\n" * 50), "--out", tmp / "run"),
        r"a\.txt.*byte.*--encoding.*--errors",
    ),
    "unknown encoding": (
        lambda tmp: ("pretrain", write(tmp / "a.txt", b"a b\n"), "--encoding", "utf-99", "--out", tmp / "run"),
        r"utf-99",
    ),
    "unknown preset": (
        lambda tmp: ("pretrain", "--preset", "huge"),
        r"unknown preset 'huge'; the presets are tiny, mini, small, medium, base, large",
    ),
    "unknown language": (lambda tmp: ("pretrain", "--language", "xx", "--out", tmp / "run"), r"'xx'.*en.*zh"),
    "unknown device": (lambda tmp: ("pretrain", "--device", "warp9", "--out", tmp / "run"), r"try --device cpu"),
    "no time": (lambda tmp: ("pretrain", "--minutes", "0"), r"minutes is 0"),
    "no number of minutes": (lambda tmp: ("pretrain", "--minutes", "nan"), r"minutes is nan"),
    "steps and minutes": (
        lambda tmp: ("pretrain", "--minutes", "1", "--steps", "5"), r"--minutes decides .*leave out --steps"
    ),
    "no seed": (lambda tmp: ("pretrain", "--seed", "-1"), r"seed is -1; expected 0 or more"),
    "pairs and no pairs": (
        lambda tmp: ("pretrain", "--no-nsp", "--pairs", "sop"), r"'sop', but --no-nsp .*leave out one"
    ),
    "stories in texts of one's own": (
        lambda tmp: ("pretrain", write(tmp / "a.txt", b"a b\n"), "--world", "country", "--out", tmp / "run"),
        r"country are those of generated stories; with texts of your own leave out --language and --world",
    ),
    "device without training": (lambda tmp: ("pretrain", "--device", "meta", "--out", tmp / "run"), r"try --dev"),
    "long texts": (
        lambda tmp: ("pretrain", "--max-length", "256", "--positions", "128"),
        r"max_length 256 is longer than the position table of 128",
    ),
    "one sentence": (
        lambda tmp: (
            "pretrain", write(tmp / "a.txt", b"the dog barks at the moon\n"), "--vocab-size", "40",
            "--out", tmp / "run",
        ),
        r"sentence",
    ),
    "small vocabulary": (
        lambda tmp: (
            "tokenizer", "train", write(tmp / "a.txt", bytes(range(97, 123)) + b" the end\n"),
            "--vocab-size", "10", "--out", tmp / "v",
        ),
        r"10.*at least \d+",
    ),
    "unknown score": (
        lambda tmp: (
            "tokenizer", "train", write(tmp / "a.txt", b"a b c\n"), "--score", "luck", "--out", tmp / "v",
        ),
        r"'luck'.*frequency.*likelihood.*ratio",
    ),
    "no [MASK] in the vocabulary": (
        lambda tmp: (
            "corpus", "prepare", write(tmp / "a.txt", b"a b c\n"),
            "--tokenizer", write(tmp / "vocab.txt", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n"),
        ),
        r"\[MASK\]",
    ),
    "nothing to resume": (lambda tmp: ("pretrain", "--resume", tmp), r"run.json is missing"),
    "resume with other numbers": (
        lambda tmp: ("pretrain", "--resume", tmp, "--steps", "5"), r"--resume takes .* leave out --steps"
    ),
    "no model": (lambda tmp: ("fill-mask", "[MASK]", "--model", tmp), r"no model in"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line_and_exit_code_2(bertlib, tmp_path, case):
    arguments, pattern = BAD[case]
    code, out, err = bertlib(
        *arguments(tmp_path), *(["--quiet"] if "pretrain" in arguments(tmp_path) else [])
    )
    assert code == 2
    assert out == ""
    assert re.search(pattern, err), err
    assert err.startswith("bertlib: ")
    assert err.count("\n") == 1, err


def test_a_text_longer_than_the_position_table(bertlib, finished_run):
    code, _, err = bertlib("fill-mask", "[MASK] " + "dog " * 300, "--model", finished_run.out / "model")
    assert code == 2
    assert err.count("\n") == 1
    assert "position" in err


STOPPED = {
    "pretrain in training": ("pretrain", "--out", "RUN"),
    "pretrain": ("pretrain", "--out", "NEW"),
    "predict": ("predict", "RUN", "--text", "a"),
    "corpus": ("corpus", "prepare", "RUN", "--tokenizer", "RUN"),
    "tokenizer": ("tokenizer", "train", "RUN"),
    "fill-mask": ("fill-mask", "[MASK]", "--model", "RUN"),
}
LAST_WORDS = {
    "pretrain in training": "; `bertlib pretrain --resume RUN` goes on from step 1,500",
    "pretrain": "; training had not begun. The same command with --out NEW goes on where it stopped",
    "predict": "; nothing was saved",
    "corpus": "; the same command goes on where it stopped",
    "tokenizer": "; nothing was saved",
    "fill-mask": "",
}


@pytest.mark.parametrize("case", STOPPED)
def test_ctrl_c_says_what_is_left(bertlib, monkeypatch, tmp_path, case):
    """The signal comes in the midst of the command, wherever that does its work."""

    def interrupted(*_, **__):
        signal.raise_signal(signal.SIGINT)

    for work in (
        "pretrain.pretrain", "finetune.folder.load_finetuned", "tokenizer.WordPieceTokenizer.load",
        "data.corpus.sample_texts", "store.load_pretrained",
    ):  # fmt: skip
        monkeypatch.setattr(f"bertlib.{work}", interrupted)
    run = tmp_path / "run"
    write(run / "run.json", b"{}")
    for step in ("step-00000500", "step-00001500"):
        (run / "checkpoints" / step).mkdir(parents=True)
    names = {"RUN": run, "NEW": tmp_path / "new"}
    code, out, err = bertlib(*(names.get(word, word) for word in STOPPED[case]))
    assert (code, out) == (130, "")
    last = LAST_WORDS[case].replace("RUN", str(run)).replace("NEW", str(tmp_path / "new"))
    assert err == f"bertlib: stopped{last}\n"
    monkeypatch.setenv("RANK", "1")  # the second of several processes has nothing to add
    assert bertlib(*(names.get(word, word) for word in STOPPED[case])) == (130, "", "")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["fill-mask", "--top", "0", "[MASK]"], "'--top': Input should be greater than or equal to 1"),
        (["pretrain", "--steps", "two"], "'--steps': Input should be a valid integer"),
        (["bench", "pretrain", "--rounds", "0"], "see bertlib bench pretrain --help"),
        (["fill-mask"], "Missing argument"),
    ],
)
def test_an_option_out_of_range_is_one_line(bertlib, command, says):
    code, out, err = bertlib(*command)
    assert (code, out) == (2, "")
    assert err.startswith("bertlib: ")
    assert err.count("\n") == 1
    assert says in err
