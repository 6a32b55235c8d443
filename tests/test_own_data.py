"""Every chapter's notebook on data, checkpoints and settings of one's own: little data, odd tokenizers, finished models.

What the chapters claim about the packaged data, they assert there only; nothing else may stop a reader.
"""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from small_checkpoints import save_checkpoint
from transformers import AutoModelForQuestionAnswering, AutoModelForSequenceClassification
from typer.testing import CliRunner

from course_lib import cli

WORDS = "red green blue old new tall small bridge river town market ship captain letter garden winter music".split()


def write(folder: Path, count: int, row) -> str:
    "A data set of `count` rows to train on and half as many held out, each as `row(number, sentence)` makes it."
    dice = np.random.default_rng(0)
    folder.mkdir()
    for split, rows in (("train", count), ("validation", count // 2)):
        sentence = lambda length: " ".join(dice.choice(WORDS, length)) + "."
        lines = [json.dumps(row(number, sentence)) + "\n" for number in range(rows)]
        (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    return str(folder)


def finished(kind: str, folder: Path, task: type, **config) -> Path:
    "A checkpoint with a head for the task, as somebody has it who has just trained one."
    task.from_pretrained(save_checkpoint(kind, folder), **config).save_pretrained(folder)
    return folder


def question(number: int, sentence) -> dict:
    "Contexts begin with a lone blank; now and then there is no answer, or it is somewhere else."
    context = f"  \n{sentence(30)}"
    text = context.split()[number % 5]
    answers = {"text": [text], "answer_start": [context.index(text) + (number % 4 == 3)]}
    answers = {"text": [], "answer_start": []} if number % 5 == 4 else answers
    return {"id": f"{sentence(4)} {number}", "passage": context, "question": "Where?", "answers": answers}


def pairs_of_three_classes_and_a_gpt(folder: Path) -> tuple[str, str, str]:
    model = finished("gpt2", folder / "mine", AutoModelForSequenceClassification, num_labels=3)
    row = lambda number, sentence: {"sentence1": sentence(40), "sentence2": sentence(9), "label": number % 3 if number else 2}
    return "01", f"dataset={write(folder / 'data', 9, row)} checkpoint={model} max_length=16 num_epochs=2", "of the twins"


def few_texts_that_stand_in_both_splits(folder: Path) -> tuple[str, str, str]:
    model = save_checkpoint("modernbert", folder / "mine")
    row = lambda number, sentence: {"text": " ".join(WORDS * 2)[number:] if number else " "}
    settings = f"dataset={write(folder / 'data', 6, row)} checkpoint={model} chunk_size=16 mask_rate=0.3"
    return "02", f"{settings} labelled={write(folder / 'labelled', 6, lambda n, s: {'text': s(9), 'label': n % 2})}", "perplexity"


def few_pairs_in_letters_of_their_own(folder: Path) -> tuple[str, str, str]:
    letters = lambda number: "".join(map(chr, range(0x4E00 + 400 * number, 0x4E00 + 400 * number + 400)))
    row = lambda number, sentence: {"source": sentence(number % 3 + 1), "target": letters(number) * (number % 4 + 1)}
    settings = f"dataset={write(folder / 'data', 5, row)} checkpoint={save_checkpoint('t5', folder / 'mine')}"
    return "03", f"{settings} prefix=translate: max_length=16 num_beams=2 bleu_tokenizer=zh num_epochs=1", "jupyterlab"


def small_files_and_no_finished_model(folder: Path) -> tuple[str, str, str]:
    row = lambda number, sentence: {"content": f"x = {number}\n" * (number % 4)}
    settings = f"dataset={write(folder / 'data', 30, row)} checkpoint=nobody/no-such-model keywords=none key_tokens=none"
    return "04", f"{settings} positions=32 context_length=16 layers=1 width=16 heads=2", "Going on with mini/causal."


def questions_that_cannot_all_be_used(folder: Path) -> tuple[str, str, str]:
    model = finished("modernbert", folder / "mine", AutoModelForQuestionAnswering)
    settings = f"dataset={write(folder / 'data', 10, question)} columns=context:passage on_error=skip checkpoint={model}"
    return "05", f"{settings} max_length=64 stride=8 n_best=1 validation_size=4", "Brooklyn"


def pairs_of_three_classes_beside_two_and_a_gpt(folder: Path) -> tuple[str, str, str]:
    row = lambda number, sentence: {"sentence1": sentence(9), "sentence2": sentence(4), "label": number % 3 if number else 2}
    settings = f"dataset={write(folder / 'data', 12, row)} checkpoint={save_checkpoint('gpt2', folder / 'mine')} rank=2"
    second = write(folder / "second", 8, lambda number, sentence: {"text": sentence(9), "label": number % 2})
    return "06", f"{settings} alpha=3 targets=c_attn beside={second} max_length=16 batch_size=4", "trained"


CASES = [
    pairs_of_three_classes_and_a_gpt,
    few_texts_that_stand_in_both_splits,
    few_pairs_in_letters_of_their_own,
    small_files_and_no_finished_model,
    questions_that_cannot_all_be_used,
    pairs_of_three_classes_beside_two_and_a_gpt,
]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_notebook_runs_through(case, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    chapter, settings, said = case(tmp_path)
    words = ["run", chapter, "--profile", "tiny", "--set", *settings.split(), "--out", str(tmp_path / "out"), "--no-html"]
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == 0, done.output
    (notebook,) = (tmp_path / "out").glob("*.ipynb")
    notebook = notebook.read_text(encoding="utf-8")
    assert said in notebook
    assert re.search(r'"kept": 0(,|$)', notebook, re.MULTILINE) is None
