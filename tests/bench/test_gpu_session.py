"""The session on a GPU: parts in order, each within its time, results packed, nothing that fails stops the rest."""

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from bertlib.bench import gpu_session
from bertlib.bench.gpu_session import PARTS, Part, command_of, end, main, marks, run_part, run_session
from bertlib.bench.ship_run import GPU
from bertlib.cli import app
from bertlib.train.peers import alive

FINE = Part(20, 0, "", "platform")
BROKEN = Part(20, 0, "", "no_such_module_of_anybody")


@pytest.fixture
def given(tmp_path):
    """What the command line says of a rehearsal."""
    parser = gpu_session.options()
    out = tmp_path / "out"
    out.mkdir()
    return parser.parse_args(["--out", str(out), "--rehearse", "--texts", "a b.txt", "--valid", "v.txt"])


def test_what_fails_does_not_stop_the_rest(given, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu_session, "PARTS", {"broken": BROKEN, "fine": FINE})
    done = run_session(["broken", "fine"], given, tmp_path)
    assert [part["ended"] for part in done] == [1, 0]
    log = (given.out / "session.log").read_text()
    assert log.count("=====") == 2
    assert "No module named no_such_module" in log
    summary = json.loads((given.out / "summary.json").read_text())
    assert summary["parts"] == done
    assert summary["provenance"]["torch"]
    assert capsys.readouterr().out.count("\n") == 2


def test_a_part_that_takes_too_long_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_session, "GRACE", 0.5)
    began = time.monotonic()
    assert run_part(["-c", "import time; time.sleep(60)"], 0.5, tmp_path / "log") == "stopped after 0 s"
    assert time.monotonic() - began < 30


def test_it_is_asked_first_and_its_children_go_with_it():
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "try:\n"
        "    print(child.pid, flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt: sys.exit(7)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, preexec_fn=gpu_session.own_group
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert alive(child)
    end(process)
    assert process.returncode == 7
    deadline = time.monotonic() + 20
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def test_a_part_without_time_is_not_begun(given, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_session, "PARTS", {"long": Part(600, 300, "platform", "platform")})
    given.rehearse, given.minutes = False, 2.0
    (done,) = run_session(["long"], given, tmp_path)
    assert done["ended"] == "not begun: too little time left"
    assert not (given.out / "session.log").exists()


def test_the_shipped_model_travels_as_one_file(given, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_session, "PARTS", {"fine": FINE})
    folder = tmp_path / "shipped" / "mini-books"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text("{}")
    (tmp_path / "shipped" / "log.jsonl").write_text("")
    run_session(["fine"], given, tmp_path)
    names = zipfile.ZipFile(given.out / "mini-books.zip").namelist()
    assert {"mini-books/card.json", "log.jsonl"} <= set(names)


def test_all_files_are_few_enough_and_have_the_book_s_names():
    files = [part.file for part in PARTS.values() if part.file]
    assert len(files) == len(set(files))
    assert len([*files, "session.log", "summary.json", "mini-books.zip"]) <= 8
    page = (Path(__file__).parents[2] / "book" / "results.md").read_text("utf8")
    assert "--save book/results/pretrain-speed-gpu.json" in page
    assert "pretrain-speed-gpu.json" in files


def test_results_name_no_folder_of_this_machine(given, tmp_path, monkeypatch):
    file = given.out / "speed.json"
    script = tmp_path / "measures.py"
    script.write_text(
        "import json, shlex, sys\n"
        "open(sys.argv[-1], 'w').write(json.dumps({'command': shlex.join(['bertlib', *sys.argv[1:]])}))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(gpu_session, "PARTS", {"speed": Part(60, 0, "", "measures --fast", "speed.json")})
    (done,) = run_session(["speed"], given, tmp_path)
    assert done["ended"] == 0
    assert json.loads(file.read_text()) == {"command": "bertlib --fast --save book/results/speed.json"}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("rehearse", [True, False])
def test_every_command_has_options_that_exist(name, rehearse, given, tmp_path, monkeypatch):
    given.rehearse = rehearse
    module, *words = command_of(PARTS[name], given, tmp_path)[1:]
    if module == "bertlib":
        from typer.main import get_command

        group, command = get_command(app).commands["bench"], words[1]
        group.commands[command].make_context(command, words[2:])  # reads the words, runs nothing
    elif module == "bertlib.bench.ship_run":
        from bertlib.bench import ship_run

        asked = []
        monkeypatch.setattr(ship_run, "ship_run", lambda request, *_, **__: asked.append(request))
        ship_run.main(words)
        assert asked[0].sources == ("a b.txt",)
        assert asked[0].valid == ("v.txt",)
        if not rehearse:
            assert asked[0].minutes == given.ship_minutes
            assert asked[0].recipe.batch_size == GPU["batch_size"]
    else:
        assert (Path(__file__).parents[2] / words[-1]).is_dir()


def test_the_marks_are_read_off_the_results(tmp_path):
    assert marks(tmp_path) == []
    sides = {
        "transformers Trainer": {"tokens_per_s": 1e6, "batch_size": 512, "share_of_peak": 0.1, "data_share": None, "ratios": {}},
        "bertlib BertTrainer": {
            "tokens_per_s": 6e6, "batch_size": 4096, "share_of_peak": 0.2, "data_share": 0.021,
            "ratios": {"transformers Trainer": {"median": 6.0, "low": 5.9, "high": 6.1}},
        },
    }  # fmt: skip
    cells = {"cells": [{"cell": {"preset": "mini", "max_length": 128}, "sides": sides}]}
    (tmp_path / "best-batch-gpu.json").write_text(json.dumps(cells))
    assert marks(tmp_path)[1] == (
        "mini 128: bertlib BertTrainer 6,000,000 tokens/s at 4,096, 20.0% of peak, 2.1% for its data, 6.00 times "
        "transformers Trainer"
    )


@pytest.mark.parametrize("words", [["--part", "speeed"], ["--part", "ship"]])
def test_a_part_that_cannot_be_is_refused(words, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--out", str(tmp_path / "out"), *words])
    assert ended.value.code == 2
    assert "expected some of tests, speed, ship" in capsys.readouterr().err


def test_the_command_ends_with_the_worst_of_its_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_session, "PARTS", {"fine": FINE, "broken": BROKEN})
    for part, code in (("fine", 0), ("broken,fine", 1)):
        with pytest.raises(SystemExit) as ended:
            main(["--out", str(tmp_path), "--rehearse", "--part", part])
        assert ended.value.code == code
