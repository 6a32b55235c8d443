"The course command, on notebooks of a few cells."

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from typer.testing import CliRunner

from course_lib import cli
from course_lib.results import RESULT_MIME

runner = CliRunner()
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
measured("demo", settings, "accuracy", baseline=0.5, before=0.4, after=0.9, f1=0.8, dataset=settings.dataset)
"""


def write_notebook(path, *sources):
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return str(path)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    monkeypatch.delenv("COURSE_SET", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


def test_run_writes_notebook_html_and_results(tmp_path):
    notebook = write_notebook(tmp_path / "demo.ipynb", "print('a\\rb')", RESULT)
    out = tmp_path / "out"
    done = runner.invoke(
        cli.app, ["run", notebook, "--profile", "tiny", "--set", "dataset=a b", "--seed", "3", "--out", str(out), "--timings"]
    )
    assert done.exit_code == 0, done.output
    assert {path.name for path in out.iterdir()} == {"demo.ipynb", "demo.html", "results.json"}
    (row,) = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert set(row) == {
        *("chapter", "metric", "baseline", "before", "after", "seconds", "peak_mb", "seed", "profile", "extra")
    }
    assert (row["seed"], row["profile"], row["after"]) == (3, "tiny", 0.9)
    assert row["extra"] == {"f1": 0.8, "dataset": "a b"}
    assert row["seconds"] > 0
    assert row["peak_mb"] > 10
    executed = nbformat.read(out / "demo.ipynb", as_version=4)
    assert executed.cells[0].outputs[0].text == "b\n"
    assert RESULT_MIME in executed.cells[1].outputs[0].data
    assert "Slowest cells" in done.output


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


def test_save_keeps_outputs_in_the_notebook(tmp_path):
    notebook = write_notebook(tmp_path / "demo.ipynb", "6 * 7")
    done = runner.invoke(cli.app, ["run", notebook, "--out", str(tmp_path / "out"), "--no-html", "--save"])
    assert done.exit_code == 0, done.output
    cell = nbformat.read(notebook, as_version=4).cells[0]
    assert cell.outputs[0].data["text/plain"] == "42"
    assert cell.execution_count is None


def test_list_and_doctor():
    listed = runner.invoke(cli.app, ["list"])
    assert listed.exit_code == 0
    assert "The training loop" in listed.output
    checked = runner.invoke(cli.app, ["doctor"])
    assert checked.exit_code == 0, checked.output
    for expected in ("transformers", "cpu", "mini/paraphrases", "nyu-mll/glue", "Does the Hub answer?"):
        assert expected in checked.output


def test_the_hub_s_answer(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert cli.hub_answer().startswith("not asked")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert cli.hub_answer().startswith("no (")


def test_the_environment_comes_back(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_SET", "seed=1")
    notebook = write_notebook(tmp_path / "demo.ipynb", "1 / 0")
    with pytest.raises(cli.CellFailed):
        cli.run_notebook(tmp_path / "demo.ipynb", tmp_path / "out", {"COURSE_SET": "seed=2"}, progress=False)
    import os

    assert os.environ["COURSE_SET"] == "seed=1", notebook


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("a", "a"), ("a\rb", "b"), ("a\r\nb\r", "a\nb"), ("1%\r2%\r\nx", "2%\nx"), ("\r\r", "")],
)
def test_last_drawn(text, expected):
    assert cli.last_drawn(text) == expected


def test_streams_are_joined_before_they_are_tidied():
    def stream(name, text):
        return {"output_type": "stream", "name": name, "text": text}

    drawn = [stream("stderr", "1%\r"), stream("stderr", ["2%", "\r3%\n"]), stream("stdout", "x"), stream("stderr", "4%")]
    result = {"output_type": "execute_result", "data": {"text/plain": "6\r7"}}
    notebook = {"cells": [{"outputs": [*drawn, result, stream("stderr", "5%")]}, {"cell_type": "markdown"}]}
    cli.tidy_streams(notebook)
    assert notebook["cells"][0]["outputs"] == [
        *(stream("stderr", "3%\n"), stream("stdout", "x"), stream("stderr", "4%"), result, stream("stderr", "5%"))
    ]
