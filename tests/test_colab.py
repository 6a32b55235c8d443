"""The way that most readers take: all six chapters, top to bottom, as Colab runs them, on a Hub of this machine.

A fresh kernel of Colab's kind, `google.colab` imported before the first cell, an empty folder, an empty cache, no
checkout; the real repositories' layouts with little in them. No cell may fail, and nothing may be printed in red but
progress.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hub_layouts
import nbformat
import pytest
from loopback_hub import LoopbackHub, environment, running_loopback_hub
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
COLAB = Path(__file__).parent / "colab"
CHAPTERS = {path.name[:2]: path for path in sorted((ROOT / "nbs").glob("[0-9][0-9]_*.ipynb"))}
# Where there is a GPU, there is little data, and the new model of chapter 4 is as large as the settings say. Tiny is
# tested as it is by nbval: here its parts are small.
SMALLER = {"04": "layers=2 width=64 heads=2"}
TINY = {
    "01": "train_size=200 validation_size=60 max_length=48 batch_size=4",
    "02": "train_size=40 validation_size=20 chunk_size=32 labelled={folder}",
    "03": "train_size=100 validation_size=20",
    "04": "train_size=200 validation_size=60 train_contexts=300 validation_contexts=40",
    "05": "train_size=40 validation_size=20",
    "06": "train_size=80 validation_size=40 max_length=48",
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="class")
def hub() -> Iterator[LoopbackHub]:
    with running_loopback_hub() as hub:
        yield hub_layouts.fill(hub)


def colab(hub: LoopbackHub, folder: Path, gpu: bool = False, **variables: str) -> dict[str, str]:
    "The environment of a Colab machine that has just been given."
    machine = {
        "COLAB_RELEASE_TAG": "release-colab-external",
        "COLAB_GPU": str(int(gpu)),
        "COLAB_JUPYTER_IP": "127.0.0.1",
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("COURSE_", "HF_"))}
    paths = [os.environ["PYTHONPATH"], str(COLAB), str(ROOT), str(COLAB.parent)]  # the guard comes first
    return {
        **ours,
        **{name: value for name, value in environment(hub, str(folder / "cache")).items() if "OFFLINE" not in name},
        **machine,
        "PYTHONPATH": os.pathsep.join(paths),
        "REHEARSAL_OPUS": f"{hub.url}/elsewhere/OPUS-KDE4/v2/moses/{{pair}}.txt.zip",
        "JUPYTER_PREFER_ENV_PATH": "1",
        **variables,
    }


def rehearse(chapter: str, folder: Path, variables: dict[str, str]) -> Any:
    "The executed notebook; a cell that fails does not end it, as nobody holds a reader back from running the next one."
    notebook = nbformat.read(CHAPTERS[chapter], as_version=4)
    content = folder / "content"
    content.mkdir()
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=600,
        allow_errors=True,
        extra_arguments=["--IPKernelApp.kernel_class=google.colab._kernel.Kernel"],
        resources={"metadata": {"path": str(content)}},
    )
    client.execute(env=variables, cwd=str(content))
    nbformat.write(notebook, folder / CHAPTERS[chapter].name)
    return notebook


PROGRESS = re.compile(r"\d+%\||\?? ?(it|B|examples|files?)/s|\ds/ ?(it|B|examples|files?)|^\s*$")


def complaints(notebook: Any) -> list[str]:
    "Cells that failed, and what a reader saw in red; by index, with the end of what was said."
    found = []
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                found.append(f"cell {index} failed: {output.ename}: {output.evalue[-600:]}")
            elif output.output_type == "stream" and output.name == "stderr":
                red = [line for line in re.split(r"[\r\n]", output.text) if not PROGRESS.search(line)]
                found += [f"cell {index} in red: {' / '.join(red)[-600:]}"] if red else []
    return found


def shown(notebook: Any) -> str:
    "All that was printed, in black."
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("text", "") for output in outputs if output.get("name") == "stdout")


# Each class is one worker's work in `make test`.


class TestWithAGpu:
    @pytest.mark.parametrize("chapter", CHAPTERS)
    def test_with_a_gpu_auto_is_colab_and_no_cell_fails(self, hub, tmp_path, chapter):
        notebook = rehearse(chapter, tmp_path, colab(hub, tmp_path, gpu=True, COURSE_SET=SMALLER.get(chapter, "")))
        assert complaints(notebook) == []
        assert "Profile colab" in shown(notebook)


class TestWithoutAGpu:
    @pytest.mark.parametrize("chapter", CHAPTERS)
    def test_without_a_gpu_auto_is_tiny_and_says_how_to_get_one(self, hub, tmp_path, chapter):
        before = len(hub.requests)
        texts = [f"{word} film number {row}" for row in range(30) for word in ("A fine", "A dull")]
        for split in ("train", "validation"):
            rows = "".join(f"{text},{row % 2}\n" for row, text in enumerate(texts))
            (tmp_path / "labelled").mkdir(exist_ok=True)
            (tmp_path / "labelled" / f"{split}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
        variables = colab(hub, tmp_path, COURSE_SET=TINY[chapter].format(folder=tmp_path / "labelled"))
        notebook = rehearse(chapter, tmp_path, variables)
        assert complaints(notebook) == []
        assert hub.requests[before:] == [], "the profile tiny needs no network"
        assert "Change runtime type" in shown(notebook)


def train(hub: LoopbackHub, folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess:
    "`!course train …` in a cell: a process of its own."
    command = [sys.executable, "-c", "from course_lib.cli import main; main()", "train", *words]
    command += ["--profile", "colab", "--out", str(folder / "out"), "--set", "num_epochs=1"]
    environ = colab(hub, folder, **variables)
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture
def own_hub() -> Iterator[LoopbackHub]:
    "A hub that one test may break."
    with running_loopback_hub() as hub:
        yield hub_layouts.fill(hub)


class TestFaultsOfTheHub:
    def test_a_hub_that_is_busy_twice_is_asked_again(self, own_hub, tmp_path):
        own_hub.fail(429, "bert-base-cased.*tokenizer.json", kind="resolve", times=2, headers={"Retry-After": "1"})
        done = train(own_hub, tmp_path, "01")
        assert done.returncode == 0, done.stderr[-2000:]
        saved = json.loads((tmp_path / "out" / "model" / "tokenizer.json").read_text(encoding="utf-8"))
        there = json.loads(hub_layouts.bert_base_cased()["tokenizer.json"])
        assert saved["model"]["vocab"] == there["model"]["vocab"]

    def test_a_hub_that_refuses_the_tokenizer_for_ever_is_one_clear_error(self, tmp_path):
        "Two hubs at the same time: after a 503 the library waits, and asks again."

        def refused(status: int) -> subprocess.CompletedProcess:
            (folder := tmp_path / str(status)).mkdir()
            with running_loopback_hub() as hub:
                hub_layouts.fill(hub).fail(status, "bert-base-cased.*(tokenizer|vocab)", kind="resolve")
                return train(hub, folder, "01")

        with ThreadPoolExecutor() as pool:
            ended = dict(zip((403, 503), pool.map(refused, (403, 503)), strict=True))
        for status, done in ended.items():
            assert done.returncode
            again = "HTTP Error|Retrying"  # huggingface_hub says in red what it asks for once more
            lines = [line for line in re.split(r"[\r\n]", done.stderr) if not PROGRESS.search(line)]
            said = [line for line in lines if not re.match(again, line)]
            assert len(said) == 1, done.stderr[-3000:]
            assert "google-bert/bert-base-cased" in said[0]
            assert str(status) in said[0]

    def test_chapter_3_asks_nobody_for_another_checkpoint_and_goes_on_offline(self, own_hub, tmp_path):
        "Its weights are in pytorch_model.bin alone; a bot's pull request offers others."
        own_hub.fail(429, "/discussions", headers={"Retry-After": "300"})
        own_hub.repositories["models", "Helsinki-NLP/opus-mt-en-fr"].commit({"README.md": "One more commit."})
        done = train(own_hub, tmp_path, "03")
        assert done.returncode == 0, done.stderr[-2000:]
        assert not own_hub.asked("Helsinki-NLP", kind="discussions")
        assert "Warning" not in done.stderr
        own_hub.fail("drop")
        shutil.rmtree(tmp_path / "out")
        done = train(own_hub, tmp_path, "03", HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")
        assert done.returncode == 0, done.stderr[-2000:]
