"""Where our time goes in the rows that miss their target: `python -m benchmarks.why` prints it as Markdown."""

import cProfile
import pstats
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from datasets import Dataset, disable_caching, disable_progress_bars
from torch.profiler import ProfilerActivity, profile

from benchmarks.bench_question_answering import QUESTIONS, SIZES, make_questions
from benchmarks.bench_training_loop import BATCH, STEPS, make_model, pair_lengths, train_steps
from benchmarks.harness import describe, machine
from benchmarks.report import markdown
from course_lib.checkpoints import load_tokenizer
from course_lib.question_answering import prepare_train_features, prepare_validation_features
from course_lib.training_loop import LengthGroupedBatches, LoopConfig, make_optimizer


def python_shares(call: Callable[[], Any], most: int = 5) -> list[tuple[str, float]]:
    "The functions that most time is spent in, without what they call, and their shares of the whole."
    call()  # what is done only once is not what the row measures
    with cProfile.Profile() as recorded:
        call()
    found = pstats.Stats(recorded)
    slowest = sorted(found.stats.items(), key=lambda item: -item[1][2])[:most]
    return [(name[2].strip("<>{}"), row[2] / found.total_tt) for name, row in slowest]


def torch_shares(call: Callable[[], Any], most: int = 8) -> list[tuple[str, float]]:
    "The same for torch's operations."
    call()
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        call()
    found = recorded.key_averages()
    total = sum(row.self_cpu_time_total for row in found)
    slowest = sorted(found, key=lambda row: -row.self_cpu_time_total)[:most]
    return [(row.key, row.self_cpu_time_total / total) for row in slowest]


def main() -> None:
    disable_caching()
    disable_progress_bars()
    tokenizer, rows = load_tokenizer("mini/encoder"), []
    with tempfile.TemporaryDirectory() as folder:
        for number, per_context, function in (
            (4, 5, prepare_train_features),
            (5, 1, prepare_train_features),
            (6, 5, prepare_validation_features),
        ):
            make_questions(QUESTIONS, per_context).save_to_disk(f"{folder}/{number}")
            data = Dataset.load_from_disk(f"{folder}/{number}")
            prepare = partial(function, tokenizer=tokenizer, **SIZES)
            arrow = partial(data.with_format("arrow").map, batched=True, remove_columns=data.column_names)
            rows += [(number, name, share) for name, share in python_shares(partial(arrow, prepare))]
    lengths, model = pair_lengths(STEPS * BATCH), make_model()
    batches = LengthGroupedBatches(lengths, BATCH).batches()
    optimizer = make_optimizer(model, LoopConfig(learning_rate=1e-5))
    torch.manual_seed(0)
    shares = torch_shares(partial(train_steps, model, lengths, batches, optimizer))
    rows += [(15, name, share) for name, share in shares]
    lines = [(str(number), name, f"{share:.0%}") for number, name, share in rows]
    print(markdown(["row", "operation", "share of our time"], lines, describe(machine()) + "."))


if __name__ == "__main__":
    main()
