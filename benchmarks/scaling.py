"""Time and memory of every stage at 1x, 4x and 16x the data: python -m benchmarks.scaling [STAGE ...]

Every measurement has a process of its own, so that no stage inherits memory from another.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import report
from benchmarks.harness import can_measure_memory, describe, machine, peak_beyond, timed, what_there_is_stays
from course_lib.cli import KEEP_MEMORY
from course_lib.profiles import CourseError, go_offline, share_cores, unknown_name
from course_lib.results import write_atomically

FACTORS = (1, 4, 16)
CHART = Path("_build/bench/scaling.png")
ALLOWED = 1.2  # times linear, over all factors


@dataclass
class Point:
    "One measurement."

    stage: str
    factor: int
    rows: int
    seconds: float  # of one call, the fastest of several measurements
    megabytes: (
        float | None
    )  # the most memory of one call beyond what there was before; None where it cannot be measured


# Stages: each takes the number of rows and a folder for files, and returns the call to measure.


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


def load(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.data import load_data

    lines = [json.dumps({"text": text}) for text in _texts(rows)]
    for split in ("train", "validation"):
        Path(folder, f"{split}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return lambda: load_data(folder, "texts")


def tokenize(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.checkpoints import load_tokenizer
    from course_lib.masked_lm import tokenize_with_word_ids

    texts, tokenizer = _texts(rows), load_tokenizer("mini/encoder")
    starts = range(0, rows, 1000)
    return lambda: [tokenize_with_word_ids({"text": texts[start : start + 1000]}, tokenizer) for start in starts]


def group(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.masked_lm import group_texts

    table = _chunks(rows).data.table
    return lambda: group_texts(table, 100)


def prepare(rows: int, folder: str) -> Callable[[], Any]:
    import pyarrow as pa
    from datasets import Dataset, DatasetDict

    from course_lib.checkpoints import load_tokenizer
    from course_lib.masked_lm import preprocess

    Dataset(pa.table({"text": _texts(rows)})).save_to_disk(f"{folder}/texts")
    data, tokenizer = Dataset.load_from_disk(f"{folder}/texts"), load_tokenizer("mini/encoder")
    return lambda: preprocess(DatasetDict(train=data), tokenizer, 128)


def collate(rows: int, folder: str) -> Callable[[], Any]:
    import numpy as np

    from course_lib.checkpoints import load_tokenizer
    from course_lib.masked_lm import whole_word_mask

    chunks, tokenizer = _chunks(rows), load_tokenizer("mini/encoder")
    parts = [list(range(start, min(start + 64, rows))) for start in range(0, rows, 64)]

    def one_after_another() -> None:  # as a DataLoader fetches them
        for part in parts:
            whole_word_mask(chunks.__getitems__(part), tokenizer, 0.15, np.random.default_rng(0))

    return one_after_another


def freeze(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.checkpoints import load_tokenizer
    from course_lib.masked_lm import freeze_masking

    chunks, tokenizer = _chunks(rows), load_tokenizer("mini/encoder")
    return lambda: freeze_masking(chunks, tokenizer, 0.15, whole_words=True)


def batches(rows: int, folder: str) -> Callable[[], Any]:
    from benchmarks.bench_training_loop import pair_lengths
    from course_lib.loop import LengthGroupedBatches

    sampler = LengthGroupedBatches(pair_lengths(rows), 16)
    return sampler.batches


def features(rows: int, folder: str) -> Callable[[], Any]:
    from benchmarks.bench_question_answering import SIZES, make_questions
    from course_lib.checkpoints import load_tokenizer
    from course_lib.question_answering import prepare_train_features

    make_questions(rows, 5).save_to_disk(f"{folder}/questions")
    from datasets import Dataset

    data, tokenizer = Dataset.load_from_disk(f"{folder}/questions"), load_tokenizer("mini/encoder")
    made = partial(prepare_train_features, tokenizer=tokenizer, **SIZES)
    return lambda: data.with_format("arrow").map(made, batched=True, remove_columns=data.column_names)


def _windows(rows: int) -> tuple[Any, Any, Any]:
    from benchmarks.bench_question_answering import SIZES, make_questions, tiled
    from course_lib.checkpoints import load_tokenizer
    from course_lib.question_answering import prepare_validation_features

    questions, tokenizer = make_questions(500, 5), load_tokenizer("mini/encoder")
    made = partial(prepare_validation_features, tokenizer=tokenizer, **SIZES)
    mapped = questions.with_format("arrow").map(made, batched=True, remove_columns=questions.column_names)
    return *tiled(questions, mapped.with_format(None), rows), SIZES["max_length"]


def answers(rows: int, folder: str) -> Callable[[], Any]:
    import numpy as np

    from benchmarks.bench_question_answering import SEARCH
    from course_lib.question_answering import postprocess_answers

    examples, windows, width = _windows(rows)
    logits = np.random.default_rng(0).normal(size=(2, rows, width)).astype(np.float32)
    return lambda: postprocess_answers(examples, windows, *logits, **SEARCH)


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
    texts = [record["content"] for record, _ in zip(iter_python_files(), range(SIZES["filter"]), strict=False)]
    Dataset.from_dict({"content": (texts * -(-rows // len(texts)))[:rows]}).save_to_disk(f"{folder}/code")
    return Dataset.load_from_disk(f"{folder}/code")


def filter_files(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.causal_lm import filter_by_keywords

    files = _code(rows, folder)
    return lambda: sum(table.num_rows for table in filter_by_keywords(files).tables())


def pack(rows: int, folder: str) -> Callable[[], Any]:
    import numpy as np
    import pyarrow as pa

    from course_lib.causal_lm import pack_sequences

    lengths = np.random.default_rng(0).integers(10, 400, rows)
    ends = np.cumsum([0, *lengths]).astype(np.int32)
    lists = pa.ListArray.from_arrays(ends, np.arange(ends[-1], dtype=np.int32) % 8000)
    return lambda: pack_sequences(lists, 128, end=0)


def contexts(rows: int, folder: str) -> Callable[[], Any]:
    from datasets import DatasetDict

    from course_lib.causal_lm import preprocess, train_code_tokenizer

    files = _code(rows, folder)
    tokenizer = train_code_tokenizer(files[:100]["content"], 1000)
    return lambda: preprocess(DatasetDict(train=files), tokenizer, 128)


def generate(rows: int, folder: str) -> Callable[[], Any]:
    from course_lib.checkpoints import load_model, load_tokenizer
    from course_lib.data import load_data
    from course_lib.translation import generate_all, preprocess_pairs

    model, tokenizer = load_model("seq2seq", "mini/seq2seq"), load_tokenizer("mini/seq2seq")
    pairs = load_data("jupyterlab-fr", "translations")["train"][:]
    ids = list(dict.fromkeys(map(tuple, preprocess_pairs(pairs, tokenizer)["input_ids"])))
    # The first ones again and again, each time with another beginning: the same lengths at every size.
    some = ids[: min(rows, SIZES["generate"])]
    sources = [(5 + number // len(some), *some[number % len(some)]) for number in range(rows)]
    return lambda: generate_all(model, sources, num_beams=1, batch_size=64, max_length=64)


STAGES: dict[str, Callable[[int, str], Callable[[], Any]]] = {
    "load": load,
    "tokenize": tokenize,
    "group": group,
    "chunks on disk": prepare,
    "collate": collate,
    "freeze": freeze,
    "batches": batches,
    "features": features,
    "post-processing": answers,
    "scores": scores,
    "filter": filter_files,
    "pack": pack,
    "contexts on disk": contexts,
    "generate": generate,
}
# Rows at 1x.
SIZES = {
    "load": 2000,
    "tokenize": 250,
    "group": 10_000,
    "chunks on disk": 500,
    "collate": 2048,
    "freeze": 2000,
    "batches": 4000,
    "features": 1000,
    "post-processing": 1000,
    "scores": 2000,
    "filter": 500,
    "pack": 20_000,
    "contexts on disk": 100,
    "generate": 64,
}


def measure(stage: str, factor: int, shrink: int = 1) -> Point:
    "Prepare the data, then the memory of the first call, and the fastest of several. In this process."
    from datasets import disable_caching, disable_progress_bars

    disable_caching()
    disable_progress_bars()
    rows = max(1, SIZES[stage] // shrink) * factor
    with tempfile.TemporaryDirectory() as folder:
        call = STAGES[stage](rows, folder)
        # Later calls would find the memory that the first one has given back to Python.
        megabytes = peak_beyond(call)[0] if can_measure_memory() else None
        # Measurements of all sizes last equally long, or the short ones would profit from every quiet moment.
        calls = range(max(1, FACTORS[-1] // factor))

        def all_calls() -> None:
            for _ in calls:
                call()

        seconds: list[float] = []
        with what_there_is_stays():
            while len(seconds) < 3 or (len(seconds) < 30 and sum(seconds) * len(calls) < 1):
                seconds.append(timed(all_calls)[0] / len(calls))
    return Point(stage, factor, rows, min(seconds), megabytes)


def measure_apart(stage: str, factor: int, shrink: int = 1) -> Point:
    "The same in a new process."
    code = (
        "import json, sys; from dataclasses import asdict; from benchmarks.scaling import measure; "
        "print(json.dumps(asdict(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))))"
    )
    command = [sys.executable, "-c", code, stage, str(factor), str(shrink)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    if done.returncode:
        raise CourseError(f"Stage {stage} at {factor}x failed: {(done.stderr.splitlines() or ['?'])[-1]}")
    return Point(**json.loads(done.stdout.splitlines()[-1]))


def exponent(factors: list[float], values: list[float]) -> float:
    "The slope of the straight line through the points on a double logarithmic scale: 1 is linear, 2 quadratic."
    x, y = [math.log(value) for value in factors], [math.log(max(value, 1e-12)) for value in values]
    return statistics.linear_regression(x, y).slope


def times_linear(factors: list[float], values: list[float]) -> float:
    "How many times more the largest size takes than the smallest would suggest; below 1 where something is constant."
    return values[-1] / values[0] / (factors[-1] / factors[0])


SMALLEST_MB = 2.0  # for each time the data: of less, pages and pools are the larger part


def summarize(points: list[Point]) -> list[dict[str, Any]]:
    "One row per stage: times, memory, exponents, times linear, and whether both are within `ALLOWED`."
    rows = []
    for stage in dict.fromkeys(point.stage for point in points):
        own = sorted((point for point in points if point.stage == stage), key=lambda point: point.factor)
        factors, seconds = [point.factor for point in own], [point.seconds for point in own]
        row: dict[str, Any] = {
            "stage": stage,
            "rows": [point.rows for point in own],
            "seconds": seconds,
            "exponent": exponent(factors, seconds),
            "times linear": times_linear(factors, seconds),
            "MB": [point.megabytes for point in own],
            "memory times linear": None,
        }
        if None not in row["MB"]:
            floor = [max(value, SMALLEST_MB * factor) for value, factor in zip(row["MB"], factors, strict=True)]
            row["memory times linear"] = times_linear(factors, floor)
        row["linear"] = max(row["times linear"], row["memory times linear"] or 0) <= ALLOWED
        rows.append(row)
    return rows


COLUMNS = ("stage", "rows", "seconds", "exponent", "times linear", "MB", "memory, times linear")


def cells(row: dict[str, Any]) -> list[str]:
    "One text for each of `COLUMNS`."
    memory = row["memory times linear"]
    return [
        row["stage"],
        " / ".join(f"{value:,}" for value in row["rows"]),
        " / ".join(f"{value:.3g}" for value in row["seconds"]),
        f"{row['exponent']:.2f}",
        f"{row['times linear']:.2f}",
        " / ".join("–" if value is None else f"{value:.0f}" for value in row["MB"]),
        "–" if memory is None else f"{memory:.2f}",
    ]


def to_markdown(rows: list[dict[str, Any]], facts: dict[str, Any]) -> str:
    "A table for RESULTS.md, and below it the machine."
    linear = sum(row["linear"] for row in rows)
    return report.markdown(COLUMNS, map(cells, rows), f"{linear} of {len(rows)} linear. {describe(facts)}.")


def draw(rows: list[dict[str, Any]], facts: dict[str, Any], path: Path, factors: tuple[int, ...] = FACTORS) -> Path:
    "Time and memory of every stage, in multiples of the smallest size, beside the straight line. Returns the path."
    import textwrap

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path.parent.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for axes, name, title in ((left, "seconds", "time"), (right, "MB", "peak memory")):
        axes.plot(factors, factors, color="black", lw=2.5, alpha=0.3, label="linear")
        for number, row in enumerate(rows):
            values = row[name]
            if None in values or not values[0] or (name == "MB" and values[-1] < SMALLEST_MB * factors[-1]):
                continue
            style = ("o-", "s--", "^:")[number // 10 % 3]
            times = [value / values[0] for value in values]
            axes.plot(factors, times, style, color=f"C{number}", label=row["stage"], lw=1.2, ms=4)
        axes.set(xscale="log", yscale="log", xlabel="times the data", ylabel="times as much", title=title)
        axes.set_xticks(factors, [f"{factor}×" for factor in factors])
        axes.set_yticks(factors, [f"{factor}×" for factor in factors])
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=8)
    figure.supxlabel("\n".join(textwrap.wrap(describe(facts), 150)), fontsize=7, color="dimgrey")
    figure.savefig(path, dpi=110)
    return path


def main(
    stages: Annotated[list[str] | None, typer.Argument(help="parts of names of stages; all without any")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="also write points and machine here")] = None,
    chart: Annotated[Path, typer.Option(help="where the picture goes")] = CHART,
    markdown: Annotated[bool, typer.Option("--markdown", help="print Markdown instead of a table")] = False,
    shrink: Annotated[int, typer.Option(help="divide all sizes, to try it out")] = 1,
) -> None:
    "Does every stage grow linearly with the data?"
    go_offline()
    share_cores()
    for name, value in KEEP_MEMORY.items():
        # As `course run` does: otherwise only large arrays, not small ones, are fetched from the system in every call.
        os.environ.setdefault(name, value)
    wanted = [stage for stage in STAGES if not stages or any(part in stage for part in stages)]
    if not wanted:
        raise CourseError(unknown_name("stage", stages[0], STAGES))
    facts, points = machine(), []
    for stage in wanted:
        for factor in FACTORS:
            points.append(measure_apart(stage, factor, shrink))
        print(" | ".join(cells(summarize(points)[-1])), file=sys.stderr, flush=True)
    rows = summarize(points)
    if markdown:
        print(to_markdown(rows, facts), end="")
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table(title=f"At {', '.join(f'{factor}x' for factor in FACTORS)} the data")
        for column in COLUMNS:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*cells(row), style=None if row["linear"] else "red")
        Console(width=None if os.isatty(1) else 160).print(table)
    draw(rows, facts, chart)
    if json_file:
        found = {"machine": facts, "points": [asdict(point) for point in points]}
        write_atomically(json_file, json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    try:
        typer.run(main)
    except CourseError as error:
        sys.exit(str(error))
