"""Whole chapters against the script that everybody writes (same data, checkpoint, steps and rates), and an engine.

Nothing is promised: the rows say what they say. A function for each chapter; `run` goes through them.
"""

import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from datasets import disable_caching, disable_progress_bars
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_callback import PrinterCallback

from benchmarks.bench_question_answering import naive_answers, naive_scores, naive_train, naive_validation
from benchmarks.harness import Row, compare
from course_lib import question_answering, training_loop
from course_lib.checkpoints import load_model, load_tokenizer, resolve_checkpoint
from course_lib.data import load_data
from course_lib.generation import ctranslate2_generator, decode_predictions, encode_texts, generate_all
from course_lib.metrics import bleu_scores

NUMBERS = ()


def pairs() -> Row:
    "`course train 01` against padding to the maximum in `map`, and `Trainer`; both in float32, both evaluate once."
    settings = replace(
        training_loop.SETTINGS["tiny"],
        **{"train_size": 640, "batch_size": 16, "num_epochs": 1, "eval_every": None, "mixed_precision": "no"},
    )

    def script() -> dict[str, float]:
        set_seed(settings.seed)
        data, checkpoint = training_loop.load(settings), resolve_checkpoint(settings.checkpoint)
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        options = {"padding": "max_length", "truncation": True, "max_length": settings.max_length}
        rows = data.map(lambda batch: tokenizer(batch["sentence1"], batch["sentence2"], **options), batched=True)
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder,
                num_train_epochs=settings.num_epochs,
                per_device_train_batch_size=settings.batch_size,
                per_device_eval_batch_size=64,
                learning_rate=settings.learning_rate,
                warmup_steps=settings.warmup,
                eval_strategy="epoch",
                save_strategy="no",
                report_to="none",
                dataloader_pin_memory=False,
                seed=settings.seed,
                disable_tqdm=True,
            )
            trainer = Trainer(
                model=AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=2, dtype=torch.float32),
                args=arguments,
                train_dataset=rows["train"],
                eval_dataset=rows["validation"],
                compute_metrics=lambda found: {"accuracy": np.mean(found.predictions.argmax(-1) == found.label_ids)},
            )
            trainer.remove_callback(PrinterCallback)
            trainer.train()
            last = next(row for row in reversed(trainer.state.log_history) if "eval_loss" in row)
        return {"steps": trainer.state.global_step, "accuracy": last["eval_accuracy"], "loss": last["eval_loss"]}

    def ours() -> dict[str, float]:
        history = training_loop.train(settings, progress=False)[-1]
        return history.evaluations[-1] | {"steps": len(history.steps)}

    def agree(theirs: dict[str, Any], ours: dict[str, Any]) -> bool:
        "As many steps, and a model that is as good: the order of the pairs differs, so the scores do a little."
        close = abs(theirs["accuracy"] - ours["accuracy"]) < 0.05 and abs(theirs["loss"] - ours["loss"]) < 0.1
        return theirs["steps"] == ours["steps"] and close

    size = f"{settings.train_size} pairs, {settings.train_size // settings.batch_size} steps, one evaluation, data and checkpoint read from files"
    return compare("chapter 1, train, against Trainer", size, script, ours, agree, target=None, rounds=1)


def questions(
    dataset: str = "mini/squad",
    checkpoint: str = "mini/encoder",
    **changes: Any,  # to the settings of tiny, such as split_by for real questions
) -> Row:
    """`course train 05` against the usual script: loops in `map`, windows padded to the maximum, `Trainer`, loops over pairs.

    Both in float32, and both score the held-out questions once, at the end.
    """
    chosen = {"train_size": 200, "validation_size": 100, "mixed_precision": "no"} | changes
    settings = replace(question_answering.SETTINGS["tiny"], dataset=dataset, checkpoint=checkpoint, **chosen)
    search = {"n_best": settings.n_best, "max_answer_length": settings.max_answer_length}

    def script() -> dict[str, float]:
        set_seed(settings.seed)
        data, folder = question_answering.load(settings), resolve_checkpoint(settings.checkpoint)
        sizes = {"max_length": settings.max_length, "stride": settings.stride, "padding": "max_length"}
        windows = {}
        for split, prepare in (("train", naive_train), ("validation", naive_validation)):
            made = partial(prepare, tokenizer=AutoTokenizer.from_pretrained(folder), **sizes)
            windows[split] = data[split].map(made, batched=True, remove_columns=data[split].column_names)
        model = AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32)
        with tempfile.TemporaryDirectory() as output:
            arguments = TrainingArguments(
                output,
                num_train_epochs=settings.num_epochs,
                per_device_train_batch_size=settings.batch_size,
                per_device_eval_batch_size=64,
                learning_rate=settings.learning_rate,
                warmup_steps=settings.warmup,
                weight_decay=settings.weight_decay,
                save_strategy="no",
                report_to="none",
                dataloader_pin_memory=False,
                seed=settings.seed,
                disable_tqdm=True,
            )
            trainer = Trainer(model, arguments, train_dataset=windows["train"])
            trainer.remove_callback(PrinterCallback)
            trainer.train()
        logits = trainer.predict(windows["validation"].remove_columns(["example_id", "offset_mapping"])).predictions[:2]
        answers = naive_answers(data["validation"], windows["validation"], *logits, **search)
        return {"steps": trainer.state.global_step} | naive_scores(answers, data["validation"].to_list())

    def ours() -> dict[str, float]:
        history = question_answering.train(settings, progress=False)[-1]
        return {"steps": len(history.steps)} | history.evaluations[-1]

    def agree(theirs: dict[str, float], ours: dict[str, float]) -> bool:
        "As many steps, and a model that is as good: the order of the windows differs, so the scores do a little."
        notes.update(
            {f"{name} theirs / ours": f"{theirs[name]:.1f} / {ours[name]:.1f}" for name in ("exact_match", "f1")}
        )
        return theirs["steps"] == ours["steps"] and abs(theirs["f1"] - ours["f1"]) < 12

    notes: dict[str, str] = {}
    size = f"{dataset}, {settings.train_size} questions, windows of {settings.max_length}, one evaluation"
    row = compare("chapter 5, train, against Trainer", size, script, ours, agree, target=None, rounds=1)
    return replace(row, notes=notes)


def translations(messages: int | None = None) -> Iterator[Row]:
    """`generate_all` against CTranslate2 on copies of the same weights: greedily and with four beams, float32 and int8.

    Nothing, and a line that says so, where CTranslate2 is not installed.
    """
    if importlib.util.find_spec("ctranslate2") is None:
        print("chapter 3 against CTranslate2: skipped, needs pip install -c constraints.txt -e '.[fast]'", file=sys.stderr)
        return
    model, tokenizer = load_model("seq2seq", "mini/seq2seq"), load_tokenizer("mini/seq2seq")
    held_out = load_data("jupyterlab-fr", "translations")["validation"][:messages]
    rows = encode_texts(held_out["source"], tokenizer, 128)

    def against(compute_type: str, beams: int, batch_size: int) -> Row:
        options = {"num_beams": beams, "batch_size": batch_size, "max_length": 128}
        engine = ctranslate2_generator(model, tokenizer, compute_type=compute_type, **options)
        notes: dict[str, str] = {}

        def agree(theirs: list[str], ours: list[str]) -> bool:
            "Nearly all translations the same, or as good a BLEU: within 1.5 points on 296 messages, more on fewer."
            scores = [bleu_scores(texts, held_out["target"])["bleu"] for texts in (theirs, ours)]
            same = sum(one == other for one, other in zip(theirs, ours, strict=True))
            notes.update({"BLEU theirs / ours": "{:.1f} / {:.1f}".format(*scores), "the same": f"{same} of {len(ours)}"})
            return abs(scores[0] - scores[1]) < 25 / len(ours) ** 0.5 or same >= 0.98 * len(ours)

        row = compare(
            f"chapter 3, {'greedily' if beams == 1 else f'{beams} beams'}, against CTranslate2 in {compute_type}",
            f"{len(rows)} real messages, batches of {batch_size}",
            lambda: decode_predictions(engine(rows), tokenizer),
            lambda: decode_predictions(generate_all(model, rows, **options), tokenizer),
            agree,
            target=None,
            rounds=1,
        )
        return replace(row, notes=notes)

    for beams, batch_size in ((1, 64), (4, 32)):
        for compute_type in ("float32", "int8"):
            yield against(compute_type, beams, batch_size)


def run() -> Iterator[Row]:
    disable_caching()
    disable_progress_bars()
    yield pairs()
    yield questions()
    yield from translations()
