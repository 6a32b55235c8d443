"""Time and memory of every stage at 1x, 4x and 16x the data: python -m benchmarks.scaling [STAGE ...]

Every measurement has a process of its own, so that no stage inherits memory from another.
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.harness import can_measure_memory, describe, machine, markdown, peak_beyond, timed, what_there_is_stays
from course_lib.profiles import CourseError, go_offline, prepare_process, unknown_name

FACTORS = (1, 4, 16)
ALLOWED = 1.2  # times linear, over all factors
SMALLEST_MB = 2.0  # for each time the data: of less, pages and pools are the larger part
COLUMNS = ("stage", "rows", "seconds", "exponent", "times linear", "MB", "memory, times linear")
STAGES: dict[str, tuple[int, Callable[[int, str], Callable[[], Any]]]] = {}  # rows at 1x, and how to prepare the call


def stage(name: str, rows: int) -> Callable:
    "A stage takes the number of rows and a folder for files, and returns the call to measure."
    return lambda prepare: STAGES.setdefault(name, (rows, prepare))[1]


def _texts(rows: int) -> list[str]:
    from benchmarks.bench_masked_lm import make_texts

    return make_texts(rows)


def _chunks(rows: int) -> Any:
    import numpy as np
    import pyarrow as pa
    from datasets import Dataset

    ids = np.random.default_rng(0).integers(1000, 8000, rows * 128, dtype=np.int32)
    ends = np.arange(0, len(ids) + 1, 128, dtype=np.int32)
    columns = {"input_ids": ids, "word_ids": np.arange(len(ids), dtype=np.int32) % 128 // 2}
    table = pa.table({name: pa.ListArray.from_arrays(ends, values) for name, values in columns.items()})
    return Dataset(table, fingerprint=f"chunks-{rows}")


@stage("load", 2000)
def load(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.data import load_data

    lines = [json.dumps({"text": text}) for text in _texts(rows)]
    for split in ("train", "validation"):
        Path(folder, f"{split}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return lambda: load_data(folder, "texts")


@stage("chunks on disk", 500)
def prepare(rows: int, folder: str) -> Callable[[], Any]:
    import pyarrow as pa
    from datasets import Dataset, DatasetDict

    from course_lib.checkpoints import load_tokenizer
    from course_lib.masking import texts_to_chunks

    Dataset(pa.table({"text": _texts(rows)})).save_to_disk(f"{folder}/texts")
    data, tokenizer = Dataset.load_from_disk(f"{folder}/texts"), load_tokenizer("mini/encoder")
    return lambda: texts_to_chunks(DatasetDict(train=data), tokenizer, 128)


@stage("freeze", 2000)
def freeze(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.checkpoints import load_tokenizer
    from course_lib.masking import freeze_masking

    chunks, tokenizer = _chunks(rows), load_tokenizer("mini/encoder")
    return lambda: freeze_masking(chunks, tokenizer, 0.15, whole_words=True)


@stage("batches", 4000)
def batches(rows: int, folder: str) -> Callable[[], Any]:
    from benchmarks.bench_training_loop import pair_lengths
    from course_lib.batches import LengthGroupedBatches

    sampler = LengthGroupedBatches(pair_lengths(rows), 16)
    return sampler.batches


@stage("features", 1000)
def features(rows: int, folder: str) -> Callable[[], Any]:
    from benchmarks.bench_question_answering import SIZES, make_questions
    from course_lib.checkpoints import load_tokenizer
    from course_lib.spans import prepare_train_features

    make_questions(rows, 5).save_to_disk(f"{folder}/questions")
    from datasets import Dataset

    data, tokenizer = Dataset.load_from_disk(f"{folder}/questions"), load_tokenizer("mini/encoder")
    made = partial(prepare_train_features, tokenizer=tokenizer, **SIZES)
    return lambda: data.with_format("arrow").map(made, batched=True, remove_columns=data.column_names)


def _windows(rows: int) -> tuple[Any, Any, Any]:
    from benchmarks.bench_question_answering import SIZES, make_questions
    from course_lib.checkpoints import load_tokenizer
    from course_lib.spans import prepare_validation_features

    questions = make_questions(rows, 5)
    windows = prepare_validation_features(questions, load_tokenizer("mini/encoder"), **SIZES)
    return questions, windows.slice(0, rows), SIZES["max_length"]


@stage("post-processing", 1000)
def answers(rows: int, folder: str) -> Callable[[], Any]:
    import numpy as np

    from benchmarks.bench_question_answering import SEARCH
    from course_lib.spans import postprocess_answers

    examples, windows, width = _windows(rows)
    logits = np.random.default_rng(0).normal(size=(2, rows, width)).astype(np.float32)
    return lambda: postprocess_answers(examples, windows, *logits, **SEARCH)


@stage("scores", 2000)
def scores(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.metrics import squad_scores

    accepted = [
        {"text": [f"the answer {row}", f"Answer {row}, perhaps"], "answer_start": [0, 0]} for row in range(rows)
    ]
    references = [{"id": str(row), "answers": answers} for row, answers in enumerate(accepted)]
    predictions = [{"id": str(row), "prediction_text": f"answer {row + row % 2}"} for row in range(rows)]
    return lambda: squad_scores(predictions, references)


def _code(rows: int, folder: str) -> Any:
    from datasets import Dataset

    from course_lib.python_code import iter_python_files

    # As many of the same files again, so that all sizes are made of the same texts.
    texts = [record["content"] for record, _ in zip(iter_python_files(), range(500), strict=False)]
    Dataset.from_dict({"content": (texts * -(-rows // len(texts)))[:rows]}).save_to_disk(f"{folder}/code")
    return Dataset.load_from_disk(f"{folder}/code")


@stage("filter", 500)
def filter_files(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.filtering import filter_by_keywords

    files = _code(rows, folder)
    return lambda: sum(table.num_rows for table in filter_by_keywords(files))


@stage("contexts on disk", 100)
def contexts(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.packing import pack_files, train_code_tokenizer

    files = _code(rows, folder)
    tokenizer = train_code_tokenizer(files[:100]["content"], 1000)
    return lambda: pack_files(files, tokenizer)


@stage("generate", 64)
def generate(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.checkpoints import load_model, load_tokenizer
    from course_lib.data import load_data
    from course_lib.generation import encode_texts, generate_all

    model, tokenizer = load_model("seq2seq", "mini/seq2seq"), load_tokenizer("mini/seq2seq")
    texts = load_data("jupyterlab-fr", "translations")["train"]["source"][:]
    ids = list(dict.fromkeys(map(tuple, encode_texts(texts, tokenizer, 128))))
    # The first ones again and again, each time with another beginning: the same lengths at every size.
    some = ids[: min(rows, 64)]
    sources = [(5 + number // len(some), *some[number % len(some)]) for number in range(rows)]
    return lambda: generate_all(model, sources, num_beams=1, batch_size=64, max_length=64)


def measure(name: str, factor: int, shrink: int = 1) -> tuple[int, float, float | None]:
    "Rows, seconds (the fastest of several calls) and MB of the first call, in this process; MB is None where none can tell."
    from datasets import disable_caching, disable_progress_bars

    disable_caching()
    disable_progress_bars()
    prepare_process()  # otherwise large arrays, not small ones, are fetched from the system in every call
    size, prepare = STAGES[name]
    rows = max(1, size // shrink) * factor
    with tempfile.TemporaryDirectory() as folder:
        call = prepare(rows, folder)
        # Later calls would find the memory that the first one has given back to Python.
        megabytes = peak_beyond(call)[0] if can_measure_memory() else None
        # Measurements of all sizes last equally long, or the short ones would profit from every quiet moment.
        calls = range(max(1, FACTORS[-1] // factor))
        seconds: list[float] = []
        with what_there_is_stays():
            while len(seconds) < 3 or (len(seconds) < 30 and sum(seconds) * len(calls) < 1):
                seconds.append(timed(lambda: deque((call() for _ in calls), maxlen=0))[0] / len(calls))
    return rows, min(seconds), megabytes


def measure_apart(name: str, factor: int, shrink: int = 1) -> tuple[int, float, float | None]:
    "The same in a new process."
    code = (
        "import json, sys; from benchmarks.scaling import measure; print(json.dumps(measure(*json.loads(sys.argv[1]))))"
    )
    command = [sys.executable, "-c", code, json.dumps([name, factor, shrink])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CourseError(f"Stage {name} at {factor}x failed: {(done.stderr.splitlines() or ['?'])[-1]}")
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def exponent(factors: Sequence[float], values: Sequence[float]) -> float:
    "The slope of the straight line through the points on a double logarithmic scale: 1 is linear, 2 quadratic."
    x, y = [math.log(value) for value in factors], [math.log(max(value, 1e-12)) for value in values]
    return statistics.linear_regression(x, y).slope


def times_linear(factors: Sequence[float], values: Sequence[float]) -> float:
    "How many times more the largest size takes than the smallest would suggest; below 1 where something is constant."
    return values[-1] / values[0] / (factors[-1] / factors[0])


def summarize(name: str, points: Sequence[tuple[int, float, float | None]]) -> tuple[list[str], bool]:
    "The cells of a stage, one for each of `COLUMNS`, and whether time and memory are within `ALLOWED`."
    rows, seconds, megabytes = zip(*points, strict=True)
    growth, memory = times_linear(FACTORS, seconds), None
    if None not in megabytes:
        floor = [max(value, SMALLEST_MB * factor) for value, factor in zip(megabytes, FACTORS, strict=True)]
        memory = times_linear(FACTORS, floor)
    cells = [
        name,
        " / ".join(f"{value:,}" for value in rows),
        " / ".join(f"{value:.3g}" for value in seconds),
        f"{exponent(FACTORS, seconds):.2f}",
        f"{growth:.2f}",
        " / ".join("–" if value is None else f"{value:.0f}" for value in megabytes),
        "–" if memory is None else f"{memory:.2f}",
    ]
    return cells, max(growth, memory or 0) <= ALLOWED


def main(
    stages: Annotated[list[str] | None, typer.Argument(help="parts of names of stages; all without any")] = None,
    shrink: Annotated[int, typer.Option(help="divide all sizes, to try it out")] = 1,
) -> None:
    "Does every stage grow linearly with the data? Prints Markdown, and ends with 1 if one does not."
    go_offline()
    prepare_process()
    wanted = [name for name in STAGES if not stages or any(part in name for part in stages)]
    if not wanted:
        raise CourseError(unknown_name("stage", stages[0], STAGES))
    facts, rows = machine(), []
    for name in wanted:
        rows.append(summarize(name, [measure_apart(name, factor, shrink) for factor in FACTORS]))
        print(" | ".join(rows[-1][0]), file=sys.stderr, flush=True)
    linear = sum(good for _, good in rows)
    note = f"{linear} of {len(rows)} linear. {describe(facts)}."
    print(markdown(COLUMNS, [cells for cells, _ in rows], note), end="")
    if linear < len(rows):
        raise typer.Exit(1)


if __name__ == "__main__":
    try:
        typer.run(main)
    except CourseError as error:
        sys.exit(str(error))
