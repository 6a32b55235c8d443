"The course command, on notebooks of a few cells, and on chapters with very little to do."

import contextlib
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from typer.testing import CliRunner

from course_lib import cli
from course_lib.profiles import CourseError
from course_lib.results import RESULT_MIME

runner = CliRunner()


@pytest.fixture(autouse=True)
def the_environment_of_this_process_stays() -> Iterator[None]:
    "`course train` is made for a process of its own."
    with mock.patch.dict(os.environ):
        yield


RESULT = """
from types import SimpleNamespace
from course_lib.profiles import load_settings
from course_lib.results import measured
from dataclasses import dataclass

@dataclass(frozen=True)
class Settings:
    dataset: str = "x"
    seed: int = 0
    profile: str = ""

settings = load_settings({name: Settings() for name in ("tiny", "colab", "full")})
measured("demo", settings, "accuracy", baseline=0.5, before=0.4, after=0.9, f1=0.8, dataset=settings.dataset, city="Zürich 東京")
"""


def write_notebook(path, *sources):
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return str(path)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    monkeypatch.delenv("COURSE_SET", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize("words", [[], ["run"], ["train"], ["list"], ["doctor"]])
def test_help_is_shown(words):
    "An old typer with a new click fails here."
    done = runner.invoke(cli.app, [*words, "--help"])
    assert done.exit_code == 0, done.exception
    assert "Usage" in done.output


def test_run_writes_notebook_html_and_results(tmp_path):
    notebook = write_notebook(tmp_path / "demo.ipynb", "print('a\\rb')", RESULT)
    out = tmp_path / "out"
    done = runner.invoke(
        cli.app,
        ["run", notebook, "--profile", "tiny", "--set", "dataset=a b", "--seed", "3", "--out", str(out)],
    )
    assert done.exit_code == 0, done.output
    assert {path.name for path in out.iterdir()} == {"demo.ipynb", "demo.html", "results.json"}
    (row,) = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert set(row) == {
        *("chapter", "metric", "baseline", "before", "after", "seconds", "peak_mb", "seed", "profile", "extra")
    }
    assert (row["seed"], row["profile"], row["after"]) == (3, "tiny", 0.9)
    assert row["extra"] == {"f1": 0.8, "dataset": "a b", "city": "Zürich 東京"}
    assert "東京" in (out / "results.json").read_text(encoding="utf-8")
    assert row["seconds"] > 0
    assert row["peak_mb"] > 10
    executed = nbformat.read(out / "demo.ipynb", as_version=4)
    assert executed.cells[0].outputs[0].text == "b\n"
    assert RESULT_MIME in executed.cells[1].outputs[0].data


def test_settings_may_follow_the_option(tmp_path):
    notebook = write_notebook(tmp_path / "demo.ipynb", RESULT)
    arguments = ["run", notebook, "--set", "seed=4", "dataset=/some/path", "--out", str(tmp_path / "out"), "--no-html"]
    done = runner.invoke(cli.app, arguments)
    assert done.exit_code == 0, done.output
    (row,) = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert (row["seed"], row["extra"]["dataset"]) == (4, "/some/path")


def test_a_failing_cell_is_shown_and_the_other_notebooks_still_run(tmp_path):
    bad = write_notebook(tmp_path / "bad.ipynb", "1 + 1", "value = 0\n1 / value")
    good = write_notebook(tmp_path / "good.ipynb", RESULT)
    done = runner.invoke(cli.app, ["run", bad, good, "--out", str(tmp_path / "out"), "--no-html"])
    assert done.exit_code == 1
    assert "bad.ipynb: cell 1 failed" in done.output
    assert "1 / value" in done.output
    assert "ZeroDivisionError: division by zero" in done.output
    assert len(json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))) == 1
    assert (tmp_path / "out" / "bad.ipynb").is_file(), "what ran before the failure is kept"


@pytest.mark.skipif(os.name == "nt", reason="signals as on Unix")
def test_a_kernel_that_is_killed_is_shown_and_the_other_notebooks_still_run(tmp_path):
    killed = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)  # as the system does when memory is short"
    bad = write_notebook(tmp_path / "bad.ipynb", "1 + 1", killed, "2 + 2")
    good = write_notebook(tmp_path / "good.ipynb", RESULT)
    done = runner.invoke(cli.app, ["run", bad, good, "--out", str(tmp_path / "out"), "--no-html"])
    assert done.exit_code == 1, done.exception
    assert "bad.ipynb: the kernel died in cell 1" in done.output
    assert "os.kill" in done.output
    assert "Failed: bad" in done.output
    assert len(json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))) == 1
    kept = nbformat.read(tmp_path / "out" / "bad.ipynb", as_version=4)
    assert kept.cells[0].outputs[0].data["text/plain"] == "2"


def test_notebooks_beside_each_other(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    # Each waits for the other one's file: one after the other they would wait for ever.
    meet = "import os, pathlib, time\nme, other = pathlib.Path({!r}), pathlib.Path({!r})\nme.touch()\nwhile not other.exists(): time.sleep(0.01)\nos.environ['OMP_NUM_THREADS']"
    one, two = (str(tmp_path / name) for name in ("one", "two"))
    first = write_notebook(tmp_path / "first.ipynb", meet.format(one, two), "import time; time.sleep(1)", RESULT)
    second = write_notebook(tmp_path / "second.ipynb", meet.format(two, one), RESULT.replace("demo", "second"))
    bad = write_notebook(tmp_path / "bad.ipynb", "1 / 0")
    words = ["run", first, second, bad, "--jobs", "2", "--seed", "5", "--out", str(tmp_path / "out"), "--no-html"]
    done = runner.invoke(cli.app, words)
    assert done.exit_code == 1, done.exception
    assert "Failed: bad" in done.output
    rows = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert [row["chapter"] for row in rows] == ["demo", "second"], "in the order asked for, not of their ends"
    assert [row["seed"] for row in rows] == [5, 5]
    executed = nbformat.read(tmp_path / "out" / "first.ipynb", as_version=4)
    assert executed.cells[0].outputs[0].data["text/plain"] == repr(str(max(1, (os.cpu_count() or 1) // 2)))


@pytest.mark.parametrize("set_by_the_reader", [None, "7"])
def test_alone_threads_stay_awake_a_little_longer(tmp_path, monkeypatch, set_by_the_reader):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    if set_by_the_reader:
        monkeypatch.setenv("GOMP_SPINCOUNT", set_by_the_reader)
    notebook = Path(write_notebook(tmp_path / "demo.ipynb", "import os\nos.environ['GOMP_SPINCOUNT']"))
    (done,) = cli.run_notebooks([notebook], tmp_path / "out", {}, html=False)
    (output,) = nbformat.read(tmp_path / "out" / done.source.name, as_version=4).cells[0].outputs
    assert output.data["text/plain"] == repr(set_by_the_reader or "5000")


def test_what_ran_is_kept_when_a_notebook_is_stopped(tmp_path):
    stop = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(60)"
    notebook = Path(write_notebook(tmp_path / "demo.ipynb", "1 + 1", stop))
    with pytest.raises(KeyboardInterrupt):
        cli.run_notebook(notebook, tmp_path / "stopped", {}, html=False, progress=False)
    kept = nbformat.read(tmp_path / "stopped" / "demo.ipynb", as_version=4)
    assert kept.cells[0].outputs[0].data["text/plain"] == "2"


def test_old_outputs_do_not_survive_a_failure(tmp_path):
    notebook = Path(write_notebook(tmp_path / "demo.ipynb", "1 / 0", "1 + 1"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "demo.html").write_text("of last week")
    content = nbformat.read(notebook, as_version=4)
    content.cells[1].outputs = [new_output("stream", text="of last week")]
    nbformat.write(content, notebook)
    done = cli.run_notebook(notebook, tmp_path / "out", {}, html=False, progress=False)
    assert "cell 0 failed" in done.failure
    assert done.result is None
    kept = nbformat.read(tmp_path / "out" / "demo.ipynb", as_version=4)
    assert [len(cell.outputs) for cell in kept.cells] == [1, 0]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["demo.ipynb"]


def test_results_are_written_after_each_chapter(tmp_path, monkeypatch):
    row = {"chapter": "a", "metric": "f1", "baseline": 0.0, "before": 0.1, "after": 0.2, "extra": {}}
    row |= {"seconds": 1.0, "peak_mb": 2.0, "seed": 0, "profile": "tiny"}

    def first_only(source, out, variables, **options):
        if source.stem == "b":
            raise MemoryError
        return cli.Run(source, 1.0, "", row)

    monkeypatch.setattr(cli, "run_notebook", first_only)
    paths = [write_notebook(tmp_path / f"{name}.ipynb", "1") for name in "ab"]
    done = runner.invoke(cli.app, ["run", *paths, "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, MemoryError)
    assert json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8")) == [row]


def test_a_result_that_is_not_finite_fails_its_chapter_and_no_other(tmp_path):
    bad = write_notebook(tmp_path / "bad.ipynb", RESULT.replace("f1=0.8", "f1=float('nan')"))
    good = write_notebook(tmp_path / "good.ipynb", RESULT)
    done = runner.invoke(cli.app, ["run", bad, good, "--out", str(tmp_path / "out"), "--no-html"])
    assert done.exit_code == 1, done.exception
    assert "demo: f1 is nan" in done.output
    assert len(json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))) == 1


def test_brackets_are_no_markup(tmp_path):
    code = "rows = [[/red], [bold]]  # :smile:"
    notebook = write_notebook(tmp_path / "demo.ipynb", f"1 / 0  # {code}")
    out = tmp_path / "[red]out"
    done = runner.invoke(cli.app, ["run", notebook, "--out", str(out), "--no-html"])
    assert done.exit_code == 1, done.exception
    assert code in done.output
    assert f"are in {out}" in done.output
    refused = runner.invoke(cli.app, ["run", "[/x]"])
    assert refused.exit_code == 2
    assert "Error: Unknown chapter '[/x]'" in refused.output
    refused = runner.invoke(cli.app, ["train", "[bold]"])
    assert "Unknown chapter '[bold]'" in refused.output


def test_the_table_of_results_has_its_order_and_breaks_no_word_in_80_columns(tmp_path, monkeypatch):
    "The rows as the six chapters measure them, with the keys in the order of a notebook file."
    metrics = ["accuracy", "perplexity", "BLEU", "perplexity", "F1", "accuracy"]
    numbers = [0.123456, 15208.3812, 32.6, 56057.1234, 2.6, 0.67]
    rows = {}
    for path, metric, number in zip(cli.chapters().values(), metrics, numbers, strict=True):
        row = {"chapter": path.stem, "metric": metric, "baseline": number, "before": number, "after": number}
        row |= {"seconds": 1061.7, "peak_mb": 12812.6, "seed": 0, "profile": "tiny", "extra": {"hidden": 1}}
        rows[path] = dict(sorted(row.items()))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(cli, "run_notebook", lambda source, *_, **__: cli.Run(source, 61.7, "", rows[source]))
    done = runner.invoke(cli.app, ["run", "all", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.exception
    lines = done.output.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("chapter"))
    assert lines[start].split() == ["chapter", "metric", "baseline", "before", "after", "seconds", "peak", "memory"]
    assert all(len(line.rstrip()) <= 80 for line in lines[start - 1 : start + 8])
    for path, metric, number, line in zip(rows, metrics, numbers, lines[start + 2 : start + 8], strict=True):
        shown = str(round(number, 4 if number < 1 else 2))
        assert line.split() == [path.stem, metric, shown, shown, shown, "1062", "12813", "MB"]


def test_settings_of_a_command_are_read_as_those_of_the_environment(monkeypatch):
    monkeypatch.setenv("COURSE_SET", "seed=1 note=x")
    _, names, assignments = cli._parse(["01", "train_size =5"], ["note=a=b"], None, "tiny")
    assert (names, assignments) == (["01"], {"seed": "1", "note": "a=b", "train_size": "5"})


@pytest.mark.parametrize("offline", [None, "0", "1"])
def test_a_run_leaves_the_readers_choice_of_the_network_alone(monkeypatch, offline):
    monkeypatch.delenv("HF_DATASETS_OFFLINE", raising=False)
    if offline is None:
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    else:
        monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    variables = cli.kernel_environment("tiny", {})
    assert variables["HF_HUB_OFFLINE"] == variables["HF_DATASETS_OFFLINE"] == (offline or "1")
    assert "HF_HUB_OFFLINE" not in cli.kernel_environment("colab", {})


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["99"], "Unknown chapter '99'"),
        (["01_trainin_loop"], "Did you mean '01_training_loop'?"),
        (["01", "--profile", "tinny"], "Did you mean 'tiny'?"),
        (["01", "--set", "num_epochs"], "'num_epochs' is not a setting"),
    ],
)
def test_mistakes_are_one_line_and_exit_with_2(arguments, expected):
    done = runner.invoke(cli.app, ["run", *arguments])
    assert done.exit_code == 2
    assert expected in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_an_unknown_setting_fails_the_run_and_names_the_valid_ones(tmp_path):
    notebook = write_notebook(tmp_path / "demo.ipynb", RESULT)
    done = runner.invoke(cli.app, ["run", notebook, "--set", "datset=x", "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "Unknown setting 'datset'. Did you mean 'dataset'?" in done.output


@pytest.mark.parametrize(
    "words", [["--out", "."], ["--out", "../here"], ["--out", ".", "--save"], ["--out", "link"]], ids=str
)
def test_a_notebook_is_never_replaced_by_its_result(tmp_path, monkeypatch, words):
    here = tmp_path / "here"
    here.mkdir()
    (here / "link").symlink_to(here)
    monkeypatch.chdir(here)
    write_notebook(here / "bad.ipynb", "1 / 0")
    before = (here / "bad.ipynb").read_bytes()
    refused(["run", "bad.ipynb", *words], "The result would replace bad.ipynb itself")
    with pytest.raises(AssertionError, match="would replace"):
        cli.run_notebook(Path("bad.ipynb"), Path(words[1]), {}, progress=False)
    assert (here / "bad.ipynb").read_bytes() == before
    assert {path.name for path in here.iterdir()} == {"bad.ipynb", "link"}


def refused(words: list[str], expected: str) -> None:
    "The command says in one line why it does nothing."
    done = runner.invoke(cli.app, words)
    assert done.exit_code == 2, done.exception
    assert expected in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_two_notebooks_of_one_name_are_refused_and_one_under_two_names_runs_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in "ab":
        Path(folder).mkdir()
        write_notebook(Path(folder, "n.ipynb"), "1")
    refused(["run", "a/n.ipynb", "b/n.ipynb", "--out", "out"], "a/n.ipynb and b/n.ipynb have one name")
    assert cli.find_notebooks(["a/n.ipynb", "b/../a/n.ipynb", str(tmp_path / "a" / "n.ipynb")]) == [Path("a/n.ipynb")]
    first = cli.chapters()["01"]
    assert cli.find_notebooks([os.path.relpath(first), "all"])[1:] == list(cli.chapters().values())[1:]


def test_a_language_has_its_own_notebooks():
    for language in ("ru",):
        assert [path.name for path in cli.chapters(language).values()] == [path.name for path in cli.chapters().values()]
        found = cli.find_notebooks(["01", "solutions/01"], language)
        assert all(f"translations/{language}/notebooks/" in path.as_posix() for path in found)
    with pytest.raises(CourseError, match="Unknown language 'xx'. Valid: en, ru"):
        cli.chapters("xx")


def test_solutions_have_short_names_and_are_no_chapters():
    (path,) = cli.find_notebooks(["solutions/01"])
    assert path.parent.name == "solutions"
    assert path not in cli.find_notebooks(["all"])
    assert cli.find_notebooks([str(path), "solutions/01"]) == [path]
    refused(["train", "solutions/01"], "is no chapter")


NO_NOTEBOOKS = [
    b"",
    b"hello",
    b"[]",
    b"3",
    b"null",
    b"{}",
    b'{"cells": 3}',
    b'{"cells": [3]}',
    b'{"cells": [{}]}',
    b"\xff\xfe" * 900,
]


@pytest.mark.parametrize("content", NO_NOTEBOOKS, ids=lambda content: str(content[:20]))
@pytest.mark.parametrize("command", ["run", "train"])
def test_a_file_that_is_no_notebook_is_refused(tmp_path, content, command):
    path = tmp_path / "broken.ipynb"
    path.write_bytes(content)
    refused([command, str(path), "--out", str(tmp_path / "out")], "broken.ipynb is no notebook (")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("out", ["file", "file/below"])
@pytest.mark.parametrize("command", ["run", "train"])
def test_a_folder_that_cannot_be_is_refused_before_anything_runs(tmp_path, monkeypatch, command, out):
    for name in ("_wait_for", "_work", "run_notebooks"):
        monkeypatch.setattr(cli, name, lambda *_, **__: pytest.fail("started"))
    (tmp_path / "file").write_text("")
    what = write_notebook(tmp_path / "demo.ipynb", "1") if command == "run" else "01"
    refused([command, what, "--out", str(tmp_path / out)], "cannot be written: ")


@pytest.mark.parametrize("command", ["run", "train"])
def test_a_folder_that_nobody_may_write_is_refused_before_anything_runs(tmp_path, monkeypatch, command):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    for name in ("_wait_for", "_work", "run_notebooks"):
        monkeypatch.setattr(cli, name, lambda *_, **__: pytest.fail("started"))
    monkeypatch.setattr(cli.tempfile, "TemporaryFile", refuse)
    what = write_notebook(tmp_path / "demo.ipynb", "1") if command == "run" else "01"
    refused([command, what, "--out", str(tmp_path / "out")], "out cannot be written: Permission denied. Give another")


def alive(numbers: list[int]) -> list[int]:
    "Those of the processes that still work; one that nobody has asked for its status is as good as gone."
    gone = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    return [number for number in numbers if psutil.pid_exists(number) and psutil.Process(number).status() not in gone]


def wait_until(condition) -> None:
    while not condition():
        time.sleep(0.05)


@pytest.mark.skipif(os.name == "nt", reason="signals as on Unix")
@pytest.mark.parametrize(("jobs", "name"), [(1, "SIGINT"), (2, "SIGINT"), (2, "SIGTERM"), (2, "SIGKILL")])
def test_a_run_that_is_stopped_leaves_no_process(tmp_path, jobs, name):
    number = getattr(signal, name)
    source = "import os, pathlib, time\npathlib.Path({!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    notes = [tmp_path / name for name in "abc"]
    notebooks = [write_notebook(note.with_suffix(".ipynb"), source.format(str(note))) for note in notes]
    words = ["run", *notebooks, "--jobs", str(jobs), "--out", str(tmp_path / "out"), "--no-html"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    command = subprocess.Popen([*COMMAND[:-1], *words], **options)
    wait_until(lambda: command.poll() is not None or all(note.exists() and note.read_text() for note in notes[:jobs]))
    below = [process.pid for process in psutil.Process(command.pid).children(recursive=True)]
    assert {int(note.read_text()) for note in notes[:jobs]} <= set(below)
    if number == signal.SIGINT:
        os.killpg(command.pid, number)  # as a terminal does
        errors = command.communicate()[1]
        assert command.returncode == 130
        assert "Traceback" not in errors
        assert errors.splitlines()[-1] == f"Stopped. The notebooks that had ended are in {tmp_path / 'out'}"
    else:
        command.send_signal(number)
        assert command.wait() == -number
        command.stdout.close(), command.stderr.close()
    wait_until(lambda: not alive(below))
    assert not notes[2].exists(), "and none has gone on with the rest"


def test_save_keeps_outputs_in_the_notebook(tmp_path):
    notebook = write_notebook(tmp_path / "demo.ipynb", "6 * 7")
    done = runner.invoke(cli.app, ["run", notebook, "--out", str(tmp_path / "out"), "--no-html", "--save"])
    assert done.exit_code == 0, done.output
    cell = nbformat.read(notebook, as_version=4).cells[0]  # `make export` removes the count
    assert cell.outputs[0].data["text/plain"] == "42"


def test_list_and_doctor():
    listed = runner.invoke(cli.app, ["list"])
    assert listed.exit_code == 0
    assert "The training loop" in listed.output
    checked = runner.invoke(cli.app, ["doctor"])
    assert checked.exit_code == 0, checked.output
    for expected in ("transformers", "cpu", "Profile auto means here: tiny", "Does the Hub answer?"):
        assert expected in checked.output


def test_the_hub_s_answer(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert cli.ping_hub().startswith("not asked")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert cli.ping_hub().startswith("no (")


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9\r\n", b"", b"\r\n", b"HTTP/1.1 abc\r\n\r\n"], ids=str)
def test_somebody_who_does_not_speak_http_is_no_hub(monkeypatch, said):
    class Other(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(said)

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with socketserver.TCPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        answer = cli.ping_hub()
        thread.join()
    assert answer.startswith("no (")
    assert len(answer.splitlines()) == 1
    assert answer != "no ()"


def test_doctor_reports_also_where_the_profile_is_none(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "tinny")
    checked = runner.invoke(cli.app, ["doctor"])
    assert checked.exit_code == 0, checked.exception
    assert "Profile auto means here: tiny" in checked.output
    assert "Does the Hub answer?" in checked.output


def test_the_environment_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_SET", "seed=1")
    notebook = write_notebook(tmp_path / "demo.ipynb", "import os\nassert os.environ['COURSE_SET'] == 'seed=1'")
    assert "AssertionError" in cli.run_notebook(Path(notebook), tmp_path / "out", {"COURSE_SET": "seed=2"}).failure
    assert os.environ["COURSE_SET"] == "seed=1"


def test_a_cell_keeps_what_a_terminal_would_show_at_its_end(tmp_path):
    shown = [(2, "1%\r"), (2, "2%\r3%\n"), (1, "a\r\nx"), (2, "\r \r"), (1, "y"), (2, "4%\r5%")]
    write = "print(text, end='', file=[sys.stdout, sys.stderr][to - 1], flush=True)"
    code = f"import sys\nfor to, text in {shown}:\n    {write}\n'6\\r7'"
    path = write_notebook(tmp_path / "demo.ipynb", code)
    assert not cli.run_notebook(Path(path), tmp_path / "out", {}, html=False, progress=False).failure
    *streams, value = nbformat.read(tmp_path / "out" / "demo.ipynb", as_version=4).cells[0].outputs
    kept = [("stderr", "3%\n"), ("stdout", "a\r\nx"), ("stdout", "y"), ("stderr", "5%")]
    assert [(stream.name, stream.text) for stream in streams] == kept, "nothing blank"
    assert value.data["text/plain"] == r"'6\r7'"


# Training

LITTLE = [
    "train_size=83",
    "validation_size=23",
    "num_epochs=1",
    "batch_size=8",
    "max_length=16",
    "mixed_precision=no",
    "eval_every=none",
]
COMMAND = [sys.executable, "-c", "from course_lib.cli import main; main()", "train"]


@pytest.fixture(scope="module")
def little(tmp_path_factory) -> list[str]:
    "Settings of chapter 1 with a model of 0.3 million parameters, so that processes take no longer than their start."
    import torch
    import transformers

    from course_lib.checkpoints import MINI_FOLDER

    folder = tmp_path_factory.mktemp("checkpoint")
    sizes = {"hidden_size": 32, "embedding_size": 32, "intermediate_size": 32, "num_hidden_layers": 1}
    config = transformers.AutoConfig.from_pretrained(MINI_FOLDER / "encoder", num_attention_heads=2, **sizes)
    torch.manual_seed(0)
    transformers.AutoModelForMaskedLM.from_config(config).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(MINI_FOLDER / "encoder").save_pretrained(folder)
    return ["01", "--set", *LITTLE, f"checkpoint={folder}"]


def trained(words: list[str], code: int = 0) -> str:
    "What `course train` prints, in this process: importing the libraries takes seconds."
    with mock.patch.dict(os.environ):
        done = runner.invoke(cli.app, ["train", *words])
    assert done.exit_code == code, done.output
    return done.output


def history_of(out: Path) -> dict:
    return json.loads((out / "history.json").read_text(encoding="utf-8"))


def test_train_on_one_process_and_on_two_machines_is_the_function_of_the_notebook(little, tmp_path):
    from course_lib import training_loop
    from course_lib.checkpoints import load_model
    from course_lib.profiles import apply_assignments, parse_assignments

    # Two machines, as the documentation says: the same line on each but for its number. Here both are this one.
    flags = f"--main_process_ip localhost --main_process_port {20_000 + os.getpid() % 20_000} --mixed_precision no"
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "2", "--num_processes"]
    lines = [[*launcher, "2", "--machine_rank", number, *flags.split(), "--dynamo_backend", "no"] for number in "01"]
    train = ["--no_python", *COMMAND, *little, "--out", "two"]
    options = {"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    options["env"] = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    machines = [subprocess.Popen([*line, *train], **options) for line in lines]
    first, second = (machine.communicate(timeout=300) for machine in machines)
    assert [machine.returncode for machine in machines] == [0, 0], first[1] + second[1]
    assert "accuracy" in first[0]
    assert second[0] == "", "only the first process speaks"
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["history.json", "model", "states"]

    shown = trained([*little, "--out", str(tmp_path / "one")])
    assert "Model, history and states are in" in shown
    assert load_model("sequence-classification", tmp_path / "one" / "model").num_labels == 2

    settings = apply_assignments(training_loop.SETTINGS["tiny"], parse_assignments(" ".join(little[2:])))
    expected = training_loop.train(settings, progress=False)[-1].to_dict()
    for found in map(history_of, (tmp_path / "one", tmp_path / "two")):
        losses = [[record["loss"] for record in history["steps"]] for history in (expected, found)]
        assert losses[1] == pytest.approx(losses[0], abs=1e-5)
        assert found["evaluations"][-1] == pytest.approx(expected["evaluations"][-1], abs=1e-5)


def test_an_adapter_is_trained_further_into_an_adapter(little, tmp_path):
    from small_adapters import adapted

    from course_lib.checkpoints import load_model, load_tokenizer
    from course_lib.hub import write_model
    from course_lib.training_loop import PairClassifier

    base = little[-1].partition("=")[2]
    model = adapted(load_model("sequence-classification", base))
    write_model(model, load_tokenizer(base), None, tmp_path / "begun")
    trained([*little[:-1], f"checkpoint={tmp_path / 'begun'}", "--out", str(tmp_path / "run")])
    out = tmp_path / "run" / "model"
    assert json.loads((out / "adapter_config.json").read_text())["base_model_name_or_path"] == base
    found = PairClassifier.from_pretrained(out)
    before, after = model.state_dict(), found.model.state_dict()
    changed = {name for name in before if not before[name].equal(after[name])}
    assert changed == {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert found.model.config.id2label == {0: "not_equivalent", 1: "equivalent"}
    assert found([("One.", "Two.")]).shape == (1, 2)


@pytest.mark.skipif(os.name == "nt", reason="signals as on Unix")
def test_ctrl_c_on_two_processes_and_resume(little, tmp_path):
    words = [*little, "num_epochs=6", "--save-every", "3", "--out", str(tmp_path / "run")]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
    process = subprocess.Popen([*COMMAND, *words, "--processes", "2"], **options)
    while process.poll() is None and not list((tmp_path / "run").glob("states/step-*")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    shown = process.communicate(timeout=300)[0]
    assert process.returncode == 130, shown
    assert "Stopped after step" in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "run" / "model").exists()

    assert "--resume" in trained(words, code=2)
    with pytest.warns(UserWarning, match="was written by 2 processes, now there are 1"):
        trained([*words, "--resume"])
    history = history_of(tmp_path / "run")
    assert [record["step"] for record in history["steps"]] == list(range(1, 67))
    assert [record["step"] for record in history["evaluations"]] == [11 * epoch for epoch in range(1, 7)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["01", "02"], "Name one chapter to train, not 2"),
        (["num_epochs=1"], "Name one chapter to train, not 0"),
        (["01", "--set", "num_epoch=1"], "Did you mean 'num_epochs'?"),
        (["07"], "Unknown chapter '07'"),
        (["01", "--seed", "-1"], "seed=-1 is impossible"),
        (["01", "seed=4294967296"], "from 0 to 2,147,483,647"),
    ],
)
def test_a_training_that_cannot_be_starts_no_work(words, expected, monkeypatch):
    for name in ("_wait_for", "_work"):
        monkeypatch.setattr(cli, name, lambda *_: pytest.fail("started"))
    shown = trained(words, code=2)
    assert expected in shown
    assert len(shown.strip().splitlines()) == 1


def test_a_training_settles_its_process_before_the_libraries_come_in(monkeypatch):
    seen = {}
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr(cli, "chapter_module", lambda _: seen.update(os.environ) or pytest.fail("imported"))
    with mock.patch.dict(os.environ), pytest.raises(pytest.fail.Exception):
        runner.invoke(cli.app, ["train", "01", "seed=3", "--profile", "tiny"], catch_exceptions=False)
    expected = {"OMP_WAIT_POLICY": "PASSIVE", "COURSE_PROFILE": "tiny", "COURSE_SET": "seed=3", "HF_HUB_OFFLINE": "1"}
    assert {name: seen[name] for name in expected} == expected


@pytest.mark.skipif(os.name == "nt", reason="signals as on Unix")
def test_one_process_is_the_command_itself_and_stops_in_good_order(little, tmp_path):
    words = [*little, "num_epochs=1000", "--save-every", "3", "--out", str(tmp_path / "run")]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    command = subprocess.Popen([*COMMAND, *words], **options)
    wait_until(lambda: command.poll() is not None or list((tmp_path / "run").glob("states/step-*")))
    assert not psutil.Process(command.pid).children()
    command.send_signal(signal.SIGTERM)
    shown = command.communicate(timeout=300)[0]
    assert command.returncode == 130, shown
    assert "Stopped after step" in shown
    assert "Traceback" not in shown
    assert not list((tmp_path / "run").glob("states/.*")), "the last state is whole"


@pytest.mark.skipif(os.name == "nt", reason="signals as on Unix")
def test_a_command_that_is_killed_takes_its_processes_along_in_good_order(little, tmp_path):
    words = [*little, "num_epochs=1000", "--save-every", "3", "--out", str(tmp_path / "run"), "--processes", "2"]
    with open(tmp_path / "said", "w+", encoding="utf-8") as said:
        command = subprocess.Popen([*COMMAND, *words], stdout=said, stderr=said, start_new_session=True)
        wait_until(lambda: command.poll() is not None or list((tmp_path / "run").glob("states/step-*")))
        below = [process.pid for process in psutil.Process(command.pid).children(recursive=True)]
        assert len(below) >= 3, "a launcher and two that train"
        command.kill()
        assert command.wait() == -signal.SIGKILL
        wait_until(lambda: not alive(below))
        said.seek(0)
        assert "Stopped after step" in said.read()
    assert not list((tmp_path / "run").glob("states/.*")), "the last state is whole"


@pytest.mark.skipif(os.name == "nt", reason="signals as on Unix")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_are_passed_on_to_the_process_that_trains(tmp_path, name):
    trains = (
        "import os, pathlib, signal, sys, time\n"
        "def heard(number, _):\n"
        "    pathlib.Path(os.environ['COURSE_STATUS']).write_text('130')\n"
        "    sys.exit(signal.Signals(number).name)\n"
        f"signal.signal(signal.{name}, heard)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)"
    )
    code = f"import os, sys; from course_lib.cli import _wait_for; sys.exit(_wait_for([sys.executable, '-c', {trains!r}], os.environ))"
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = subprocess.Popen([sys.executable, "-c", code], **options)
    assert command.stdout.readline() == "ready\n"
    command.send_signal(getattr(signal, name))
    said, errors = command.communicate()
    assert (command.returncode, errors.strip()) == (130, name)


@pytest.mark.skipif(os.name == "nt", reason="signals as on Unix")
@pytest.mark.parametrize(
    ("ignored", "test"),
    [
        ("SIGINT", "test_a_run_that_is_stopped_leaves_no_process[1-SIGINT]"),
        ("SIGHUP", "test_signals_are_passed_on_to_the_process_that_trains[SIGHUP]"),
    ],
)
def test_the_suite_does_not_wait_for_ever_where_a_script_started_it_in_the_background(ignored, test):
    "There SIGINT is ignored, below nohup SIGHUP, and every process below inherits that."
    name = f"{__file__}::{test}"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", name]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
    started = subprocess.Popen(command, preexec_fn=lambda: signal.signal(getattr(signal, ignored), signal.SIG_IGN), **options)
    try:
        shown, _ = started.communicate(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
    assert started.returncode == 0, shown


def test_results_that_cannot_be_written_are_one_line_and_resume_writes_them(little, tmp_path):
    out = tmp_path / "run"
    (out / "history.json").mkdir(parents=True)
    shown = trained([*little, "--out", str(out)], code=1)
    (line,) = [line for line in shown.splitlines() if "history.json" in line]
    assert "--resume writes results" in line
    (out / "history.json").rmdir()
    trained([*little, "--out", str(out), "--resume"])
    assert history_of(out)["steps"]
    assert (out / "model" / "config.json").is_file()


def test_a_notebook_without_train_cannot_be_trained(tmp_path):
    notebook = write_notebook(tmp_path / "demo.ipynb", "1")
    done = runner.invoke(cli.app, ["train", notebook])
    assert done.exit_code == 2
    assert "demo.ipynb is no chapter" in done.output


def test_every_chapter_can_be_trained():
    for notebook in cli.chapters().values():
        assert callable(cli.chapter_module(notebook).train)
