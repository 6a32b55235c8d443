"""Where our time goes in the row that misses its target: `python -m benchmarks.why` prints it as Markdown."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.bench_training_loop import BATCH, STEPS, make_model, pair_lengths, train_steps
from benchmarks.harness import describe, machine
from benchmarks.report import markdown
from course_lib.training_loop import LengthGroupedBatches, LoopConfig, make_optimizer


def torch_shares(call: Callable[[], Any], most: int = 8) -> list[tuple[str, float]]:
    "The operations of torch that most time is spent in, without what they call, and their shares of the whole."
    call()
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        call()
    found = recorded.key_averages()
    total = sum(row.self_cpu_time_total for row in found)
    slowest = sorted(found, key=lambda row: -row.self_cpu_time_total)[:most]
    return [(row.key, row.self_cpu_time_total / total) for row in slowest]


def main() -> None:
    lengths, model = pair_lengths(STEPS * BATCH), make_model()
    batches = LengthGroupedBatches(lengths, BATCH).batches()
    optimizer = make_optimizer(model, LoopConfig(learning_rate=1e-5))
    torch.manual_seed(0)
    shares = torch_shares(partial(train_steps, model, lengths, batches, optimizer))
    lines = [("15", name, f"{share:.0%}") for name, share in shares]
    print(markdown(["row", "operation", "share of our time"], lines, describe(machine()) + "."))


if __name__ == "__main__":
    main()
