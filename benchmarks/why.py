"""Where our time goes in the row that misses its target: `python -m benchmarks.why` prints it as Markdown."""

from collections.abc import Callable
from functools import partial
from statistics import median
from types import SimpleNamespace
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.bench_training_loop import BATCH, STEPS, make_model, pair_lengths, train_steps
from benchmarks.harness import describe, machine, timed
from benchmarks.report import markdown
from course_lib.loop import LengthGroupedBatches, LoopConfig, make_optimizer


def torch_shares(call: Callable[[], Any], most: int = 8) -> list[tuple[str, float]]:
    "The operations of torch that most time is spent in, without what they call, and their shares of the whole."
    call()
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        call()
    found = recorded.key_averages()
    total = sum(row.self_cpu_time_total for row in found)
    slowest = sorted(found, key=lambda row: -row.self_cpu_time_total)[:most]
    return [(row.key, row.self_cpu_time_total / total) for row in slowest]


ROUNDS = 7


def without_optimizer(rounds: int = ROUNDS) -> tuple[float, float]:
    "How many times as long the naive steps take as ours, and as ours with an optimizer that takes no time."
    lengths, model = pair_lengths(STEPS * BATCH), make_model()
    random, grouped = LengthGroupedBatches(lengths, BATCH, window=None), LengthGroupedBatches(lengths, BATCH)
    ways = {
        "naive": (random, torch.optim.AdamW(model.parameters(), lr=1e-5, foreach=False, fused=False)),
        "ours": (grouped, make_optimizer(model, LoopConfig(learning_rate=1e-5))),
        "free": (grouped, SimpleNamespace(step=lambda: None, zero_grad=model.zero_grad)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (batches, optimizer) in ways.items():
            seconds[name].append(timed(partial(train_steps, model, lengths, batches.batches(), optimizer))[0])
    naive, ours, free = (median(values) for values in seconds.values())
    return naive / ours, naive / free


def main() -> None:
    lengths, model = pair_lengths(STEPS * BATCH), make_model()
    batches = LengthGroupedBatches(lengths, BATCH).batches()
    optimizer = make_optimizer(model, LoopConfig(learning_rate=1e-5))
    torch.manual_seed(0)
    shares = torch_shares(partial(train_steps, model, lengths, batches, optimizer))
    lines = [("15", name, f"{share:.0%}") for name, share in shares]
    print(markdown(["row", "operation", "share of our time"], lines, describe(machine()) + "."))
    ours, free = without_optimizer()
    print(f"Row 15 in {ROUNDS} rounds: {ours:.2f}x, and with an optimizer that takes no time {free:.2f}x.")


if __name__ == "__main__":
    main()
