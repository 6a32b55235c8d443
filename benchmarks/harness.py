"""Time ours against the naive reference: interleaved, in one process, with the same results."""

import ctypes
import gc
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

BUDGET = 4.0  # seconds of a row, after its first round
LONG = 4.0  # a first call that takes so many seconds needs no warm-up: it counts as a round
MOST_ROUNDS = 7
ENVIRONMENT = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD", "OMP_", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
LIBRARIES = ("torch", "transformers", "datasets", "tokenizers", "numpy", "pyarrow")
COLUMNS = ("#", "item", "size", "naive", "ours", "ratio", "target", "bound", "notes")


@dataclass
class Row:
    "One line of the table. Seconds are medians over the rounds; where `unit` is MB, they are megabytes."

    item: str
    size: str
    naive: float
    ours: float
    target: float | None  # the ratio to reach; None where nothing is promised, as against a peer
    number: int = 0  # of the speed target that the row belongs to, 1 to 18; 0 for none
    bound: float | None = None  # what a perfect implementation would still need, measured in the same run
    bound_of: str = ""  # what that is
    limit: float | None = None  # what ours must not exceed, where the target is no ratio
    unit: str = "s"
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        "How many times less ours takes."
        return self.naive / self.ours

    @property
    def met(self) -> bool:
        "Whether the target is reached."
        return self.ours <= self.limit if self.limit is not None else self.ratio >= (self.target or 0)

    @property
    def wanted(self) -> str:
        "What the row has to reach, as people write it."
        if self.limit is not None:
            return f"at most {quantity(self.limit, self.unit)}"
        return "–" if self.target is None else f"{number(self.target)}×"

    def cells(self) -> list[str]:
        "One text for each of `COLUMNS`."
        return [
            str(self.number or "–"),
            self.item,
            self.size,
            quantity(self.naive, self.unit),
            quantity(self.ours, self.unit),
            f"{number(self.ratio)}×",
            self.wanted + ("" if self.met else ", missed"),
            "–" if self.bound is None else f"{quantity(self.bound, self.unit)} ({self.bound_of})",
            ", ".join(f"{key} {value}" for key, value in self.notes.items()),
        ]


def number(value: float) -> str:
    "Three significant digits, without exponents."
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.6f}".rstrip("0")


def quantity(value: float, unit: str) -> str:
    "Seconds, as ms below one of them, or megabytes."
    return f"{number(value * 1000)} ms" if unit == "s" and value < 1 else f"{number(value)} {unit}"


def markdown(columns: Sequence[str], lines: Iterable[Sequence[str]], note: str) -> str:
    "A table, and a line of text below it."
    texts = [columns, ["---"] * len(columns), *lines]
    table = ["| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in texts]
    return "\n".join([*table, "", note]) + "\n"


def same_rows(left: Any, right: Any) -> bool:
    "Whether the second `Dataset` has the columns of the first, with the same values."
    return left.to_dict() == right.select_columns(left.column_names).to_dict()


@contextmanager
def what_there_is_stays() -> Iterator[None]:
    "Within this block, a garbage collection looks only at new objects: the libraries' own take it a third of a second."
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


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
    target: float | None,
    number: int = 0,  # of the speed target
    bound: Callable[[], Any] | None = None,  # the work that nobody can avoid
    bound_of: str = "",
    limit: float | None = None,  # seconds
    rounds: int | None = None,  # None for as many as fit into `budget`
    budget: float = BUDGET,  # seconds
    **notes: Any,
) -> Row:
    """Run both, check that their results agree, then time them in turn, the bound between them, and return the row.

    What is fast is called several times for each slow call. Raises AssertionError if the results do not agree.
    """
    functions = {"naive": naive, "ours": ours} | ({"bound": bound} if bound else {})
    with what_there_is_stays():
        first, results = {}, {}
        for name, function in functions.items():
            first[name], results[name] = timed(function)
        assert agree(results["naive"], results["ours"]), f"{item}: the results differ"
        results.clear()
        kept = {name: [seconds] if seconds > LONG else [] for name, seconds in first.items()}
        rounds = rounds or max(1, min(MOST_ROUNDS, int(budget / max(sum(first.values()), 1e-9))))
        for _ in range(rounds):
            for name, function in functions.items():
                if first[name] > LONG and len(kept[name]) >= rounds:
                    continue
                often = 1 if name == "naive" else max(1, min(5, int(first["naive"] / (4 * max(first[name], 1e-9)))))
                kept[name] += [timed(function)[0] for _ in range(often)]
    median = {name: statistics.median(values) for name, values in kept.items()}
    return Row(
        item, size, median["naive"], median["ours"], target, number, median.get("bound"), bound_of, limit, notes=notes
    )


def can_measure_memory() -> bool:
    "Whether this system can forget the highest memory so far: Linux can."
    return os.access("/proc/self/clear_refs", os.W_OK)


def peak_beyond(function: Callable[[], Any]) -> tuple[float, Any]:
    "The most memory in MB (10^6 bytes) that the call has had resident beyond what there was before, and its result."

    def status(name: str) -> float:
        found = re.search(rf"^{name}:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
        return int(found[1]) * 1024 / 1e6

    gc.collect()
    # Allocators keep what earlier calls have freed, and a second call would find its memory there.
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    with suppress(AttributeError, OSError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    result = function()
    return max(status("VmHWM") - before, 0.0), result


def device_name() -> str:
    "The model of the CPU, and of a CUDA GPU if there is one."
    name, cpuinfo = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.is_file() else None
    name, torch = found[1].strip() if found else name, sys.modules.get("torch")
    return f"{name}, {torch.cuda.get_device_name()}" if torch and torch.cuda.is_available() else name


def machine() -> dict[str, Any]:
    "Everything beside the code that the figures depend on."
    import torch

    return {
        "device": device_name(),
        "cores": os.cpu_count(),
        "torch threads": torch.get_num_threads(),
        "variables": {name: os.environ[name] for name in sorted(os.environ) if name.startswith(ENVIRONMENT)},
        "load before": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def describe(facts: dict[str, Any]) -> str:
    "The machine in one line, for captions."
    variables = " ".join(f"{name}={value}" for name, value in facts["variables"].items())
    return (
        f"{facts['device']}, {facts['cores']} cores, {facts['torch threads']} torch threads, load "
        f"{facts['load before']} before the run, environment: {variables or 'as it comes'}, torch {facts['torch']}"
    )
