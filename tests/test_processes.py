"""Several processes: what `launch` promises, and every chapter's training in 1, 2 and 4 of them: the same losses and metrics.

A chapter's `train` runs on a slice of its own data, with a model of its own kind that is small and random.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

import dill
import pytest
import torch
import transformers
from accelerate import PartialState
from complaints import complaint_of
from datasets import DatasetDict, disable_progress_bars
from typer.testing import CliRunner

from course_lib import cli
from course_lib.checkpoints import MINI_FOLDER, TASKS
from course_lib.data import load_data
from course_lib.processes import launch
from course_lib.profiles import CourseError

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are forked")

SMALL = {
    "hidden_size": 32,
    "embedding_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
SMALL_PAIR = {
    **{"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2},
    **{"decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "dropout": 0.0},
}
COMMON = {"num_epochs": 2, "batch_size": 8}
# Module, kind of its data, task, packaged checkpoint, changes to its configuration, settings.
CHAPTERS = {
    "training_loop": ("pairs", "sequence-classification", "encoder", SMALL, {}),
    "masked_lm": ("texts", "masked-lm", "encoder", SMALL, {"chunk_size": 32, "train_size": 30}),
    "translation": ("translations", "seq2seq", "seq2seq", SMALL_PAIR, {"max_length": 12, "num_beams": 1}),
    "causal_lm": (
        *("code", "causal-lm", None, {}),
        {
            "keywords": None,
            "key_tokens": "self",
            "layers": 1,
            "width": 32,
            "heads": 2,
            "vocab_size": 600,
            "train_contexts": 83,
        }
        | {
            "validation_contexts": 21,
            "context_length": 32,
            "positions": 32,
            "gradient_accumulation_steps": 1,
            "eval_every": None,
        },
    ),
    "question_answering": ("questions", "question-answering", "encoder", SMALL, {"max_length": 128, "stride": 32}),
    "adapters": ("pairs", "sequence-classification", "encoder", SMALL, {"rank": 2}),
}


def small_checkpoint(folder: Path, name: str, task: str, changes: dict) -> str:
    config = transformers.AutoConfig.from_pretrained(MINI_FOLDER / name, **changes)
    torch.manual_seed(0)
    getattr(transformers, TASKS[task]).from_config(config).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(MINI_FOLDER / name).save_pretrained(folder)
    return str(folder)


def slice_of(folder: Path, dataset: str, kind: str) -> str:
    "83 and 23 examples of the chapter's data, in files: numbers that no number of processes divides."
    data: DatasetDict = load_data(dataset, kind, train_size=83, validation_size=23)
    for split, rows in data.items():
        rows.to_json(folder / f"{split}.jsonl", force_ascii=False)
    return str(folder)


def run(module: str, settings, **options) -> dict:
    disable_progress_bars()
    history = import_module(f"course_lib.{module}").train(settings, progress=False, **options)[-1]
    return history.to_dict()


def small_settings(chapter: str, folder: Path) -> Any:
    "The chapter's settings for a few steps on a small model; its files are written into the folder."
    kind, task, name, changes, options = CHAPTERS[chapter]
    settings = import_module(f"course_lib.{chapter}").SETTINGS["tiny"]
    (folder / "data").mkdir()
    paths = {"dataset": slice_of(folder / "data", settings.dataset, kind)}
    if name is not None:
        paths["checkpoint"] = small_checkpoint(folder / "model", name, task, changes)
    return replace(settings, **{"train_size": None, "validation_size": None} | COMMON | options | paths)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_any_number_of_processes_gives_the_same(chapter, tmp_path):
    settings = small_settings(chapter, tmp_path)
    runs = {world: launch(partial(run, chapter, settings), num_processes=world, cpu=True) for world in (1, 2, 4)}
    (alone,) = runs[1]
    assert len(alone["steps"]) >= 20
    assert alone["evaluations"]
    for world in (2, 4):
        assert len(runs[world]) == world
        assert all(history == runs[world][0] for history in runs[world]), "every process knows the same"
        for one, many in zip(alone["evaluations"], runs[world][0]["evaluations"], strict=True):
            assert many == pytest.approx(one, rel=1e-4, abs=1e-5)
        losses = [[record["loss"] for record in history["steps"][:20]] for history in (alone, runs[world][0])]
        assert losses[1] == pytest.approx(losses[0], abs=1e-5)


def test_more_processes_than_gpus_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    words = ["train", "01", "--profile", "tiny", "--processes", "2", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code != 0
    assert "--processes 2 needs as many GPUs, and here are 1" in done.output.replace("\n", " ")
    assert not (tmp_path / "out").exists()


def test_a_copy_of_a_process_that_computed_with_several_threads_computes_too():
    "GNU's OpenMP waits for ever in a copy for the threads that only the original has."
    code = """
import torch
from course_lib.processes import launch

torch.set_num_threads(2)
matrix = torch.ones(600, 600)
expected = (matrix @ matrix).sum().item()
print(all(launch(lambda: (matrix @ matrix).sum().item(), num_processes=n, cpu=True) == [expected] * n for n in (1, 2)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "True", done.stderr[-2000:]


# launch


def test_launch_passes_arguments_and_returns_by_rank():
    before = PartialState().num_processes

    def rank_and(text: str) -> list:
        return [PartialState().process_index, PartialState().num_processes, text]

    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert launch(rank_and, "é", num_processes=2, cpu=True) == [[0, 2, "é"], [1, 2, "é"]]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers, "Ctrl-C is Ctrl-C"
    assert PartialState().num_processes == before, "the notebook's own state is back"


# A notebook where torch sees a GPU, whose threads no fork survives: here a forked process ends at once.
NOTEBOOK = """
import json, os, sys, types
import torch
from accelerate import Accelerator, PartialState
from datasets import Dataset

for name in ("loop", "processes"):
    with open(f"nbs/workbench/{name}.ipynb", encoding="utf-8") as file:
        cells = ["".join(cell["source"]) for cell in json.load(file)["cells"]]
    for cell in cells:
        if cell.startswith("#| export"):  # as in a notebook that defines `launch` and `fit` itself
            exec(cell)
if sys.argv[1] == "colab":
    sys.modules["google.colab"] = types.ModuleType("google.colab")
    sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: "google.colab._shell")
if sys.argv[1] == "gpu":
    torch.accelerator.is_available = lambda: True
    os.register_at_fork(after_in_child=lambda: os._exit(1))
Accelerator(mixed_precision="bf16")


class Box:
    content = 2.0


class Model(torch.nn.Linear):
    def __init__(self):
        super().__init__(2, 2)

    def forward(self, input_ids, labels):
        loss = torch.nn.functional.cross_entropy(super().forward(input_ids.float()), labels)
        return types.SimpleNamespace(loss=loss)


def stack(rows):
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


box, rows = Box(), Dataset.from_list([{"input_ids": [1, 2], "labels": 0}] * 8)


def work(text):
    weight = torch.ones(3, requires_grad=True)
    (weight * box.content).sum().backward()
    history = fit(Model(), rows, stack, LoopConfig(num_epochs=1, batch_size=4, mixed_precision="no"), progress=False)
    here, steps = PartialState(), len(history.steps)
    return [here.process_index, here.num_processes, here.device.type, text, weight.grad.sum().item(), steps]


print(json.dumps(launch(work, "é", num_processes=2, cpu=True)))
"""


@pytest.mark.parametrize("where", ["gpu", "colab"])
def test_launch_gives_as_many_results_everywhere(where):
    command = [sys.executable, "-c", NOTEBOOK, where]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT)
    assert not done.returncode, done.stderr
    said = done.stdout.splitlines()
    assert json.loads(said[0]) == [[rank, 2, "cpu", "é", 6.0, 2] for rank in (0, 1)]


def test_more_processes_than_gpus_are_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    message = complaint_of(CourseError, launch, int, num_processes=2)
    assert "num_processes=2" in message
    assert "cpu=True" in message


def test_processes_that_have_nothing_to_do_still_meet():
    # Without a meeting at both ends, the first to finish would hang up on those that still connect.
    for _ in range(3):
        assert launch(lambda: PartialState().process_index, num_processes=4, cpu=True) == [0, 1, 2, 3]


def test_what_a_process_complains_of_arrives_in_one_line():
    def complain():
        raise CourseError("Row 3 is empty. Fill it in.")

    assert complaint_of(CourseError, launch, complain, num_processes=2, cpu=True) == "Row 3 is empty. Fill it in."


@pytest.mark.parametrize("module", sorted(path.stem for path in Path(cli.__file__).parent.glob("[a-z]*.py")))
def test_whatever_a_chapter_calls_can_be_given_to_fresh_interpreters(module):
    "dill follows what a function calls, and never comes to an end where two functions call each other."
    names = vars(import_module(f"course_lib.{module}"))
    for name in names.get("__all__", []):
        if isinstance(names[name], FunctionType):
            work = FunctionType((lambda: thing).__code__, {"thing": names[name]})  # noqa: F821
            assert dill.loads(dill.dumps(work, recurse=True))() is names[name], name
