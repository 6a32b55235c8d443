"""python -m benchmarks [--json FILE] [NAME ...]: run the benchmarks whose module name contains NAME."""

import importlib
import json
import os
import pkgutil
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import benchmarks
from course_lib.profiles import go_offline, share_cores
from course_lib.results import write_atomically


def main(
    names: Annotated[list[str] | None, typer.Argument(help="parts of module names; all without any")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="also write the rows to this file")] = None,
) -> None:
    "Time our functions against the naive way and print the ratios."
    go_offline()
    share_cores()
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Ours against the naive way (median seconds)")
    for column in ("item", "size", "naive", "ours", "ratio", "target", "notes"):
        table.add_column(column, overflow="fold")
    rows = []
    for module in pkgutil.iter_modules(benchmarks.__path__, "benchmarks."):
        short = module.name.removeprefix("benchmarks.bench_")
        if short == module.name or (names and not any(name in short for name in names)):
            continue
        for row in importlib.import_module(module.name).run():
            rows.append(asdict(row) | {"ratio": row.ratio})
            notes = ", ".join(f"{key} {value}" for key, value in row.notes.items())
            cells = (f"{row.naive:.3f}", f"{row.ours:.3f}", f"{row.ratio:.2f}", f"{row.target:g}", notes)
            table.add_row(row.item, row.size, *cells)
    Console(width=None if os.isatty(1) else 140).print(table)
    if json_file:
        write_atomically(json_file, json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
