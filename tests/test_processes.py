"""Every chapter's training in 1, 2 and 4 processes: the same losses for the same batches, and the same metrics.

A chapter's `train` runs on a slice of its own data, with a model of its own kind that is small and random.
"""

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from datasets import DatasetDict, disable_progress_bars
from typer.testing import CliRunner

from course_lib import cli
from course_lib.checkpoints import MINI_FOLDER, TASKS
from course_lib.data import load_data
from course_lib.processes import launch

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
    assert "needs 2 GPUs on this machine, which has 1" in done.output.replace("\n", " ")
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
