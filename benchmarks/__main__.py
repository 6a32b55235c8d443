"""python -m benchmarks [NAME ...]: run the benchmarks whose module name contains NAME, all without any.

python -m benchmarks --json _build/bench/rows.json       # the table, the rows, and _build/bench/ratios.png
python -m benchmarks --markdown _build/bench/rows.json   # a table for RESULTS.md, from an earlier run
"""

import importlib
import os
import pkgutil
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

import benchmarks
from benchmarks import report
from benchmarks.harness import Row, each, in_order, machine, missing
from course_lib.profiles import CourseError, go_offline, share_cores, unknown_name

CHART = Path("_build/bench/ratios.png")


def find_modules(names: list[str] | None = None) -> list[ModuleType]:
    "The modules `bench_…` whose names contain one of `names`, imported. Raises `CourseError` if there is none."
    found = [module.name for module in pkgutil.iter_modules(benchmarks.__path__)]
    short = [name.removeprefix("bench_") for name in found if name.startswith("bench_")]
    for name in names or ():
        if not any(name in one for one in short):
            raise CourseError(unknown_name("benchmark", name, short))
    wanted = [one for one in short if not names or any(name in one for name in names)]
    return [importlib.import_module(f"benchmarks.bench_{one}") for one in wanted]


def print_table(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Ours against the naive way (medians)")
    for column in report.COLUMNS:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*report.cells(row), style=None if row.met else "red")
    Console(width=None if os.isatty(1) else 200).print(table)


def main(
    names: Annotated[list[str] | None, typer.Argument(help="parts of module names; all without any")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="also write rows and machine to this file")] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", help="measure nothing: print this file of rows as Markdown")
    ] = None,
    chart: Annotated[Path, typer.Option(help="where the picture goes")] = CHART,
) -> None:
    "Time our functions against the naive way: table, JSON, picture."
    if markdown:
        print(report.to_markdown(*report.from_json(markdown)), end="")
        return
    go_offline()
    share_cores()
    started, rows, failures = time.perf_counter(), [], []
    modules = find_modules(names)
    facts = machine()

    def failed(name: str, error: Exception) -> None:
        failures.append(name)
        print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr)

    for row in each(modules, failed):
        rows.append(row)
        seconds = time.perf_counter() - started
        text = f"{seconds:5.0f} s  {row.item}: {report.number(row.ratio)}x, {report.target_text(row)} wanted"
        print(text, file=sys.stderr, flush=True)
    facts["seconds"] = round(time.perf_counter() - started)
    rows = in_order(rows)
    if rows:
        print_table(rows)
        report.draw(rows, facts, chart)
    if json_file:
        report.save_json(rows, facts, json_file)
    absent = missing(rows, {number for module in modules for number in module.NUMBERS})
    if absent:
        print(f"No row for {', '.join(map(str, absent))}.", file=sys.stderr)
    if failures or absent:
        raise typer.Exit(1)


if __name__ == "__main__":
    try:
        typer.run(main)
    except CourseError as error:
        sys.exit(str(error))
