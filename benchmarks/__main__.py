"""python -m benchmarks [NAME ...]: run the benchmarks whose module name contains NAME, all without any.

python -m benchmarks --json _build/bench/rows.json   # the table as Markdown, and the rows
"""

import importlib
import json
import multiprocessing
import pkgutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

import benchmarks
from benchmarks.harness import COLUMNS, Row, describe, machine, markdown, number
from course_lib.profiles import CourseError, go_offline, prepare_process, unknown_name
from course_lib.results import write_atomically


def find_modules(names: list[str] | None = None) -> list[ModuleType]:
    "`bench_…` and `peers`, those whose names contain one of `names`. Raises `CourseError` if there is none."
    found = [module.name for module in pkgutil.iter_modules(benchmarks.__path__)]
    short = {name.removeprefix("bench_"): name for name in found if name.startswith("bench_") or name == "peers"}
    for name in names or ():
        if not any(name in one for one in short):
            raise CourseError(unknown_name("benchmark", name, short))
    wanted = [module for one, module in short.items() if not names or any(name in one for name in names)]
    return [importlib.import_module(f"benchmarks.{module}") for module in wanted]


def send_rows(name: str, connection: Connection) -> None:
    "The rows of a module, one after the other, and what went wrong instead of the next one."
    go_offline()
    prepare_process()
    try:
        for row in importlib.import_module(name).run():
            connection.send(row)
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")


def each(names: Iterable[str], failed: Callable[[str], None]) -> Iterator[Row]:
    """The rows of these modules; one that fails is reported, and the others go on.

    Each has a process of its own: the gigabytes that one module has filled and left make the next one slower.
    """
    for name in names:
        here, there = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=send_rows, args=(name, there))
        process.start()
        there.close()
        with suppress(EOFError):
            while isinstance(row := here.recv(), Row):
                yield row
            failed(f"{name} failed: {row}")
        process.join()
        if process.exitcode:
            failed(f"{name} failed: its process ended with {process.exitcode}")


def to_markdown(rows: list[Row], facts: dict[str, Any]) -> str:
    "The table, by the numbers of the targets, and below it the machine."
    rows, held = sorted(rows, key=lambda row: row.number or 99), [row for row in rows if row.wanted != "–"]
    reached = f"{sum(row.met for row in held)} of {len(held)} targets reached, {facts['seconds']} s"
    return markdown(COLUMNS, (row.cells() for row in rows), f"{reached}. {describe(facts)}.")


def main(
    names: Annotated[list[str] | None, typer.Argument(help="parts of module names; all without any")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="also write rows and machine to this file")] = None,
) -> None:
    "Time our functions against the naive way and against peers. Ends with 1 if a target is missed or results differ."
    go_offline()
    prepare_process()
    started, rows, wrong = time.perf_counter(), [], []
    modules, facts = find_modules(names), machine()
    for row in each([module.__name__ for module in modules], wrong.append):
        rows.append(row)
        seconds = time.perf_counter() - started
        print(f"{seconds:5.0f} s  {row.item}: {number(row.ratio)}x, {row.wanted} wanted", file=sys.stderr, flush=True)
    facts["seconds"] = round(time.perf_counter() - started)
    print(to_markdown(rows, facts), end="")
    if json_file:
        lines = [asdict(row) | {"ratio": row.ratio, "met": row.met} for row in rows]
        write_atomically(json_file, json.dumps({"machine": facts, "rows": lines}, indent=2, ensure_ascii=False) + "\n")
    wrong += [f"{row.item}: {number(row.ratio)}x, {row.wanted} wanted" for row in rows if not row.met]
    absent = {target for module in modules for target in module.NUMBERS} - {row.number for row in rows}
    wrong += [f"No row for {target}." for target in sorted(absent)]
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        raise typer.Exit(1)


if __name__ == "__main__":
    try:
        typer.run(main)
    except CourseError as error:
        sys.exit(str(error))
