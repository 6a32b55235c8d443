"""Time ours against the naive reference: interleaved, in one process, with the same results."""

import ctypes
import gc
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

BUDGET = 8.0  # seconds of a row, after its first round
LONG = 4.0  # a first call that takes so many seconds needs no warm-up: it counts as a round
MOST_ROUNDS = 7
ALLOCATOR = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD", "ARROW_DEFAULT_MEMORY_POOL")  # beginnings of names
THREADS = ("OMP_", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "TOKENIZERS_PARALLELISM")
LIBRARIES = ("torch", "transformers", "datasets", "tokenizers", "numpy", "pyarrow")


@dataclass
class Row:
    "One line of the table. Seconds are medians over the rounds; where `unit` is MB, they are megabytes."

    item: str
    size: str
    naive: float
    ours: float
    target: float  # the ratio to reach
    number: int = 0  # of the speed target that the row belongs to, 1 to 18
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
    def distance(self) -> float | None:
        "Ours in multiples of the bound."
        return self.ours / self.bound if self.bound else None

    @property
    def met(self) -> bool:
        "Whether the target is reached."
        return self.ours <= self.limit if self.limit is not None else self.ratio >= self.target


def same_rows(left: Any, right: Any) -> bool:
    "Whether the second `Dataset` has the columns of the first, with the same values."
    return left.to_dict() == right.select_columns(left.column_names).to_dict()


@contextmanager
def what_there_is_stays() -> Iterator[None]:
    "Within this block, a garbage collection looks only at new objects: those of the libraries take it a third of a second."
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


def rounds_within(budget: float, *seconds: float) -> int:
    "How often calls of so many seconds fit into the budget, 1 to `MOST_ROUNDS`."
    return max(1, min(MOST_ROUNDS, int(budget / max(sum(seconds), 1e-9))))


def _rounds(
    functions: dict[str, Callable[[], Any]],
    agree: Callable[[Any, Any], bool],
    item: str,
    rounds: int | None,
    budget: float,
) -> dict[str, list[float]]:
    "Seconds of every call that counts."
    first, results = {}, {}
    for name, function in functions.items():
        first[name], results[name] = timed(function)
    assert agree(results["naive"], results["ours"]), f"{item}: the results differ"
    results.clear()
    kept = {name: [value] if value > LONG else [] for name, value in first.items()}
    rounds = rounds or rounds_within(budget, *first.values())
    for _ in range(rounds):
        for name, function in functions.items():
            if first[name] > LONG and len(kept[name]) >= rounds:
                continue
            often = 1 if name == "naive" else max(1, min(5, int(first["naive"] / (4 * max(first[name], 1e-9)))))
            kept[name] += [timed(function)[0] for _ in range(often)]
    return kept


def compare(
    item: str,
    size: str,
    naive: Callable[[], Any],
    ours: Callable[[], Any],
    agree: Callable[[Any, Any], bool],  # of the two results
    *,
    target: float,
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
    with what_there_is_stays():
        kept = _rounds(
            {"naive": naive, "ours": ours} | ({"bound": bound} if bound else {}), agree, item, rounds, budget
        )
    median = {name: statistics.median(values) for name, values in kept.items()}
    return Row(
        item,
        size,
        median["naive"],
        median["ours"],
        target,
        number=number,
        bound=median.get("bound"),
        bound_of=bound_of,
        limit=limit,
        notes=notes,
    )


# Memory


def _status(name: str) -> float:
    "A line of /proc/self/status in MB (10^6 bytes)."
    found = re.search(rf"^{name}:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 / 1e6


def can_measure_memory() -> bool:
    "Whether this system can forget the highest memory so far: Linux can."
    return os.access("/proc/self/clear_refs", os.W_OK)


def peak_beyond(function: Callable[[], Any]) -> tuple[float, Any]:
    "The most memory in MB that the call has had resident beyond what there was before, and its result. Linux only."
    gc.collect()
    # Allocators keep what earlier calls have freed, and a second call would find its memory there.
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    with suppress(AttributeError, OSError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    result = function()
    return max(_status("VmHWM") - before, 0.0), result


# The machine


def device_name() -> str:
    "The model of the CPU, and of a CUDA GPU if there is one."
    name = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())
        name = found[1].strip() if found else name
    name = name or platform.machine()
    torch = sys.modules.get("torch")
    return f"{name}, {torch.cuda.get_device_name()}" if torch and torch.cuda.is_available() else name


def set_variables(*beginnings: str) -> dict[str, str]:
    "The environment variables whose names begin like that."
    return {name: os.environ[name] for name in sorted(os.environ) if name.startswith(beginnings)}


def machine() -> dict[str, Any]:
    "Everything beside the code that the figures depend on."
    import torch

    return {
        "device": device_name(),
        "cores": os.cpu_count(),
        "torch threads": torch.get_num_threads(),
        "thread variables": set_variables(*THREADS),
        "allocator variables": set_variables(*ALLOCATOR),
        "load before": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def describe(facts: dict[str, Any]) -> str:
    "The machine in one line, for captions."
    allocator = " ".join(f"{name}={value}" for name, value in facts["allocator variables"].items())
    return (
        f"{facts['device']}, {facts['cores']} cores, {facts['torch threads']} torch threads, load {facts['load before']} "
        f"before the run, allocator: {allocator or 'as it comes'}, torch {facts['torch']}"
    )


def in_order(rows: Iterable[Row]) -> list[Row]:
    "By the number of their target; rows of one target stay in order."
    return sorted(rows, key=lambda row: row.number)


def missing(rows: Iterable[Row], wanted: Iterable[int]) -> list[int]:
    "The targets that no row measures."
    return sorted(set(wanted) - {row.number for row in rows})


def each(modules: Iterable[Any], failed: Callable[[str, Exception], None]) -> Iterator[Row]:
    "The rows of the modules' `run`; a module that fails is reported, and the others go on."
    for module in modules:
        try:
            yield from module.run()
        except Exception as error:
            failed(module.__name__, error)
