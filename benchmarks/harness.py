"""Time ours against the naive reference: interleaved, in one process, after one warm-up of each."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Row:
    "One line of the table. Seconds are medians over the rounds."

    item: str
    size: str
    naive: float  # seconds
    ours: float  # seconds
    target: float  # the ratio to reach
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return self.naive / self.ours


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    "Seconds and result of one call, without the garbage collector in between."
    gc.collect()
    gc.disable()
    try:
        started = time.perf_counter()
        result = function()
        return time.perf_counter() - started, result
    finally:
        gc.enable()


def compare(
    item: str,
    size: str,
    naive: Callable[[], Any],
    ours: Callable[[], Any],
    agree: Callable[[Any, Any], bool],  # of the two results
    *,
    target: float,
    rounds: int = 3,
    **notes: Any,
) -> Row:
    "Run both in turn, check that their results agree, and return the row. Raises AssertionError if they do not agree."
    assert agree(naive(), ours()), f"{item}: the results differ"
    seconds: dict[str, list[float]] = {"naive": [], "ours": []}
    for _ in range(rounds):
        for name, function in (("naive", naive), ("ours", ours)):
            seconds[name].append(timed(function)[0])
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return Row(item, size, medians["naive"], medians["ours"], target, notes)
